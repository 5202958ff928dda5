{{ config(materialized='incremental') }}
-- empty when it is made; int_days_rebuilt writes it in its own transaction, so that it says
-- what all facts were valued with
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
