{{ config(materialized='incremental') }}
-- empty when it is made; fct_sales_days writes it in its own transaction, so that it is
-- neither newer nor older than the facts
with
prices as (
    select
        price_kind,
        key_id,
        valid_from_date,
        valid_until_date,
        price
    from {{ ref('int_prices_dated') }}
    where false
)

select * from prices
