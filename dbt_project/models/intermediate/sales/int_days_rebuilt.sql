{{
    config(
        pre_hook=["{{ touch_customers_of_dirty_days() }}"],
        post_hook=[
            "{{ consume_dirty_days() }}",
            "{{ forget_prices() }}",
            "{{ remember_prices() }}",
        ],
    )
}}
-- after {{ ref('fct_product_days') }} and {{ ref('fct_sales_days') }}, which read the days,
-- and after {{ ref('int_prices_dated') }}
-- and {{ ref('int_prices_remembered') }}, since it keeps what lines were valued with
with
dirty_days as (select * from {{ ref('int_days_dirty') }}),

rebuilt as (
    select
        {{ business_date() }} as business_date,
        cast(count(*) as integer) as days_rebuilt,
        min(day) as first_day
    from dirty_days
)

select * from rebuilt
