with
rates as (select * from {{ ref('int_fx_rates_averaged') }}),

dated as (
    select
        {{ business_date() }} as business_date,
        currency,
        window_rate,
        constant_rate
    from rates
)

select * from dated
