with
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),

months_counted as (
    {{ dbt.generate_series(960) }}
),

{# From 1990 to 2069, so that a rate without an end needs no end. #}
months as (
    select
        cast(
            {{ dbt.dateadd(
                'month', 'generated_number - 1', "cast('1990-01-01' as date)"
            ) }} as date
        ) as month_start_date,
        cast(
            {{ dbt.dateadd(
                'month', 'generated_number', "cast('1990-01-01' as date)"
            ) }} as date
        ) as next_month_start_date
    from months_counted
),

spread as (
    select
        fx_rates.currency,
        months.month_start_date,
        fx_rates.valid_from_date,
        fx_rates.valid_until_date,
        fx_rates.rate
    from fx_rates
    inner join months
        on
            fx_rates.valid_from_date < months.next_month_start_date
            and fx_rates.valid_until_date > months.month_start_date
)

select * from spread
