select
    ProductKey as product_id,
    Product as name,
    EnglishProductCategoryName as category,
    StandardCost as standard_cost
from Product
