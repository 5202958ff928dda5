with
policy as (select * from {{ ref('int_policies_selected') }}),

numbered as (
    {{ dbt.generate_series(5) }}
),

counted as (select generated_number - 1 as periods_back from numbered),

dated as (
    select
        cast(counted.periods_back as integer) as periods_back,
        case
            when counted.periods_back = 0 then policy.business_date
            else {{ days_after(-1, months_before(
                '3 * counted.periods_back', month_start(days_after(1, 'policy.business_date'))
            )) }}
        end as period_end_date
    from counted
    cross join policy
)

select * from dated
