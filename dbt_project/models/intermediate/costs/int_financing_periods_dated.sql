with
policy as (select * from {{ ref('int_policies_selected') }}),
financing_rates as (
    {{ rows_of_source(ref('financing_rates'), ['valid_from', 'annual_rate']) }}
),

months_back as (
    {{ dbt.generate_series(960) }}
),

{# Months from 1990 on, the starts of the windows and the days a rate changes: none
   is longer than a month. #}
starts as (
    select
        {{ months_before(
            'months_back.generated_number - 1', month_start('policy.business_date')
        ) }} as from_date
    from months_back
    inner join policy
        on
            {{ months_before(
                'months_back.generated_number - 1', month_start('policy.business_date')
            ) }} >= cast('1990-01-01' as date)

    union

    select {{ days_after(1, 'window_start_date') }} as from_date
    from policy

    union

    select {{ days_after(1, 'window_before_start_date') }} as from_date
    from policy

    union

    select {{ days_after(1, 'business_date') }} as from_date
    from policy

    union

    select financing_rates.valid_from as from_date
    from financing_rates
    inner join policy
        on
            financing_rates.valid_from > cast('1990-01-01' as date)
),

periods as (
    select
        from_date,
        lead(from_date) over (order by from_date) as until_date,
        {{ month_start('from_date') }} as month_start_date
    from starts
),

dated as (
    select
        periods.from_date,
        periods.until_date,
        periods.month_start_date,
        {{ window_number('periods.from_date') }} as window_number,
        (
            select financing_rates.annual_rate
            from financing_rates
            where
                financing_rates.valid_from = (
                    select max(earlier_rates.valid_from)
                    from financing_rates as earlier_rates
                    where earlier_rates.valid_from <= periods.from_date
                )
        ) as annual_rate
    from periods
    inner join policy on periods.from_date <= policy.business_date
)

select * from dated
