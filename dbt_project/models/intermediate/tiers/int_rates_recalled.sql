{#- The rates of tonight's amounts and those of a night before a spell, as of that night. -#}
with
rates as (select * from {{ ref('int_fx_rates_averaged') }}),
kept as (select * from {{ ref('stg_bi__window_rates_kept') }}),

nights as (
    select distinct compared_with
    from {{ ref('int_spells_found') }}
),

recalled as (
    select
        nights.compared_with,
        rates.currency,
        coalesce(kept.window_rate, rates.window_rate) as constant_rate
    from nights
    cross join rates
    left join kept
        on
            nights.compared_with = kept.business_date
            and rates.currency = kept.currency
)

select * from recalled
