{#- Average rates of the window, by the days each rate holds in it. Amounts at constant
    rates take those of the last published night, as they were known then. -#}
with
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),
remembered as (select * from {{ ref('stg_bi__window_rates') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

held as (
    select
        fx_rates.currency,
        fx_rates.rate,
        {{ dbt.datediff(
            'greatest(fx_rates.valid_from_date, '
            ~ days_after(1, 'policy.window_start_date') ~ ')',
            'least(fx_rates.valid_until_date, '
            ~ days_after(1, 'policy.business_date') ~ ')',
            'day'
        ) }} as days_held
    from fx_rates
    inner join policy
        on
            fx_rates.valid_from_date <= policy.business_date
            and fx_rates.valid_until_date
            > {{ days_after(1, 'policy.window_start_date') }}
    where fx_rates.currency <> '{{ var("base_currency") }}'
),

averaged as (
    select
        currency,
        sum(rate * days_held) / sum(days_held) as window_rate
    from held
    group by currency

    union all

    select
        '{{ var("base_currency") }}' as currency,
        1 as window_rate
),

compared as (
    select
        averaged.currency,
        cast(averaged.window_rate as numeric(24, 12)) as window_rate,
        cast(
            coalesce(remembered.window_rate, averaged.window_rate) as numeric(24, 12)
        ) as constant_rate
    from averaged
    left join remembered on averaged.currency = remembered.currency
)

select * from compared
