with
decisions as (select * from {{ ref('tier_decision') }}),
policy as (
    select * from {{ ref('int_policies_in_force') }}
    where role = 'leading'
),
ladder as (select * from {{ ref('int_ladders_in_force') }}),

tiers as (
    select
        policy.business_date,
        policy.policy_id,
        ladder.tier,
        ladder.tier_rank
    from policy
    inner join ladder on policy.policy_id = ladder.policy_id

    union all

    select
        business_date,
        policy_id,
        'new' as tier,
        null as tier_rank
    from policy
),

{# Every tier has its row, the empty ones too. #}
counted as (
    select
        tiers.business_date,
        tiers.policy_id,
        tiers.tier,
        tiers.tier_rank,
        count(decisions.customer_id) as customers,
        coalesce(sum(decisions.net_revenue_12m), 0) as net_revenue_12m,
        coalesce(sum(decisions.contribution_12m), 0) as contribution_12m,
        coalesce(sum(greatest(decisions.contribution_12m, 0)), 0)
            as positive_contribution_12m,
        sum(case when decisions.contribution_12m < 0 then 1 else 0 end)
            as customers_with_loss,
        coalesce(sum(decisions.cost_to_serve_12m), 0) as cost_to_serve_12m
    from tiers
    left join decisions on tiers.tier = decisions.tier
    group by tiers.business_date, tiers.policy_id, tiers.tier, tiers.tier_rank
),

totalled as (
    select
        *,
        sum(customers) over () as all_customers,
        sum(contribution_12m) over () as all_contribution,
        sum(positive_contribution_12m) over () as all_positive_contribution
    from counted
),

{# Shares of a loss mean nothing, so they are empty. #}
shared as (
    select
        business_date,
        policy_id,
        tier,
        tier_rank,
        cast(customers as integer) as customers,
        cast(1.0 * customers / nullif(all_customers, 0) as numeric(14, 10))
            as customer_share,
        cast(net_revenue_12m as numeric(24, 6)) as net_revenue_12m,
        cast(cost_to_serve_12m as numeric(24, 6)) as cost_to_serve_12m,
        cast(contribution_12m as numeric(24, 6)) as contribution_12m,
        cast(
            positive_contribution_12m / nullif(all_positive_contribution, 0)
            as numeric(14, 10)
        ) as positive_contribution_share,
        cast(customers_with_loss as integer) as customers_with_loss,
        case
            when all_contribution > 0
                then cast(contribution_12m / all_contribution as numeric(14, 10))
        end as contribution_share
    from totalled
)

select * from shared
