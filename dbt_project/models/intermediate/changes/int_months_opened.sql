with
nights as (select * from {{ ref('int_nights_compared') }}),
periods as (select * from {{ ref('int_financing_periods_dated') }}),

{# Where the night before, this one and their windows end. #}
edges as (
    select
        since_date as after_date,
        business_date as until_date
    from nights

    union all

    select
        {{ months_before('window_months', 'since_date') }} as after_date,
        window_start_date as until_date
    from nights

    union all

    select
        {{ months_before('2 * window_months', 'since_date') }} as after_date,
        window_before_start_date as until_date
    from nights
),

opened as (
    select distinct
        periods.month_start_date,
        {{ months_before(-1, 'periods.month_start_date') }} as next_month_start_date
    from periods
    inner join edges
        on
            periods.month_start_date >= {{ month_start('edges.after_date') }}
            and periods.month_start_date <= edges.until_date
)

select * from opened
