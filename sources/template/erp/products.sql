-- One row per product.
-- key: product_id; a key may occur once only
-- required: a source without it cannot be read
select
    -- text, never empty: Product number.
    your_column as product_id,
    -- text: Product family.
    -- your_column as category,
    -- text: Unit of the quantity.
    -- your_column as unit,
    -- numeric: Cost of one unit where no dated cost exists. (base currency per unit)
    -- your_column as standard_cost,
    -- timestamp: Last change of the row at the source.
    -- your_column as updated_at,
    -- text, never empty: Product name.
    your_column as name
from your_table
