-- One code has several descriptions, some of them remarks of the warehouse: the longest is taken.
select
    StockCode as product_id,
    coalesce(arg_max(Description, length(Description)), StockCode) as name,
    case when regexp_matches(StockCode, '^[0-9]{5}') then 'goods' else 'charges' end as category
from sales
group by StockCode
