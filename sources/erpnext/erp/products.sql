select
    i.name as product_id,
    i.item_name as name,
    i.item_group as category,
    i.stock_uom as unit,
    nullif(i.valuation_rate, 0) as standard_cost,
    i.modified as updated_at
from `tabItem` as i
union all
select
    '-' as product_id,
    'No item' as name,
    null as category,
    null as unit,
    null as standard_cost,
    cast('2000-01-01 00:00:00' as datetime) as updated_at
