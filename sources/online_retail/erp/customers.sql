-- A number is written 17850.0; a customer's country is that of the newest line.
select
    split_part(CustomerID, '.', 1) as customer_id,
    'Customer ' || split_part(CustomerID, '.', 1) as name,
    arg_max(Country, InvoiceDate || Country) as country,
    'active' as status
from sales
where CustomerID is not null
group by split_part(CustomerID, '.', 1)
union all
select
    'NONE' as customer_id,
    'No customer named' as name,
    null as country,
    'internal' as status
