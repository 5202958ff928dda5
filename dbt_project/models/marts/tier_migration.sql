with
decisions as (select * from {{ ref('tier_decision') }}),

counted as (
    select
        business_date,
        tier as to_tier,
        cast(count(*) as integer) as customers,
        cast(sum(contribution_12m) as numeric(24, 6)) as contribution_12m,
        coalesce(previous_tier, 'none') as from_tier
    from decisions
    group by
        business_date,
        coalesce(previous_tier, 'none'),
        tier
)

select * from counted
