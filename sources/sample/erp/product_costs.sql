-- All costs are kept in EUR, the base currency, so there is no currency column.
select
    article_no as product_id,
    valid_from,
    cost_per_unit as unit_cost,
    valid_to,
    changed_at as updated_at
from article_cost
