with
warning_rules as (select * from {{ ref('warning_rules') }}),

ranked as (
    select
        *,
        row_number() over (partition by signal order by valid_from desc) as newest
    from warning_rules
    where valid_from <= {{ business_date() }}
),

selected as (
    select
        signal,
        minimum_count,
        minimum_months,
        threshold,
        full_at,
        weight
    from ranked
    where newest = 1
)

select * from selected
