select
    ProductSeq as product_id,
    Product as name,
    "Product Category" as category
from Products
