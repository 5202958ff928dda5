-- An order has each product at most once, so the product's number serves as line number.
-- Seventy-six lines carry the text NULL as cost: those get the product's cost in the warehouse.
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
