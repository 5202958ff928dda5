-- written after {{ ref('fct_sales_days') }}: what the facts were valued with
with

prices as (

    select
        price_kind,
        key_id,
        valid_from_date,
        valid_until_date,
        price

    from {{ ref('int_prices_dated') }}

)

select * from prices
