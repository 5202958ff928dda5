{%- set days_looked_back = 32 -%}
with
schedules as (
    select
        *,
        row_number() over (partition by role, kind order by valid_from desc) as newest
    from {{ ref('digest_schedules') }}
    where valid_from <= {{ business_date() }}
),

remembered as (
    select max(business_date) as last_night from {{ ref('stg_bi__tier_decisions') }}
),

nights as (
    select
        last_night as night,
        'before' as which
    from remembered
    where last_night is not null

    union all

    select
        {{ business_date() }} as night,
        'tonight' as which
),

offsets as (
    {% for number in range(days_looked_back) -%}
        select {{ number }} as days_ago
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

days as (
    select
        nights.which,
        {{ days_after('-offsets.days_ago', 'nights.night') }} as day
    from nights
    cross join offsets
),

{# 2001-01-01 was a Monday. Months that are too short send on their last day. #}
sending as (
    select
        schedules.role,
        schedules.kind,
        schedules.customers_shown,
        days.which,
        max(days.day) as send_day
    from schedules
    inner join days
        on
            position(
                cast(
                    mod({{ dbt.datediff("cast('2001-01-01' as date)", 'days.day', 'day') }}, 7)
                    + 1 as {{ dbt.type_string() }}
                ) in schedules.weekdays
            ) > 0
            or extract(day from days.day) = schedules.month_day
            or (
                extract(day from days.day) < schedules.month_day
                and extract(day from {{ days_after(1, 'days.day') }}) = 1
            )
    where schedules.newest = 1
    group by schedules.role, schedules.kind, schedules.customers_shown, days.which
),

due as (
    select
        tonight.role,
        tonight.kind,
        tonight.customers_shown,
        earlier.send_day as told_until,
        tonight.send_day as period_until
    from sending as tonight
    inner join sending as earlier
        on
            tonight.role = earlier.role
            and tonight.kind = earlier.kind
            and earlier.which = 'before'
    where
        tonight.which = 'tonight'
        and tonight.send_day > earlier.send_day
)

select * from due
