-- An order has each product at most once: the product's number is the line number.
-- Seventy-six lines have the text NULL as cost: they get the product's cost later on.
select
    SalesOrderNumber as invoice_id,
    ProductKey as line_no,
    ResellerKey as customer_id,
    ProductKey as product_id,
    SalesOrderNumber as order_id,
    OrderDate as invoice_date,
    'invoice' as document_type,
    OrderQuantity as quantity,
    SalesAmount as net_amount,
    nullif(TotalProductCost, 'NULL') as cost_amount
from FactResellerSales
