with
fx_rates as (select * from {{ ref('stg_erp__fx_rates') }}),

dated as (
    select
        currency,
        valid_from_date,
        rate,
        lead(valid_from_date, 1, cast('9999-12-31' as date)) over (
            partition by currency
            order by valid_from_date
        ) as valid_until_date
    from fx_rates
)

select * from dated
