-- written after {{ ref('fct_sales_days') }}: what the facts were valued with
with

prices as (

    select * from {{ ref('int_prices_dated') }}

)

select * from prices
