with

judged as (

    select * from {{ ref('int_tiers_judged') }}

),

customers as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

),

loyalties as (

    select * from {{ ref('int_loyalties_weighted') }}

),

tiers as (

    select * from {{ ref('int_tiers_cut') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

decided as (

    select
        policy.business_date,
        judged.customer_id,
        policy.policy_id,
        judged.tier_rank,
        judged.rule,
        judged.risk_flag,
        customers.missing_lines,
        customers.contribution_12m,
        customers.net_revenue_12m,
        customers.returns_12m,
        customers.cogs_12m,
        customers.freight_12m,
        customers.cost_to_serve_12m,
        customers.financing_12m,
        customers.bad_debt_12m,
        judged.contribution_score,
        loyalties.loyalty_index,
        judged.tier_score,
        judged.score_rank,
        judged.ties,
        judged.customers_ranked,
        case when judged.rule <> 'small_population' then tiers.exit_score end
            as exit_score,
        case when judged.rule <> 'small_population' then tiers.enter_score_better end
            as enter_score_better,
        coalesce(tiers.tier, 'new') as tier

    from judged

    cross join policy

    inner join customers
        on judged.customer_id = customers.customer_id

    left join loyalties
        on judged.customer_id = loyalties.customer_id

    left join tiers
        on judged.tier_rank = tiers.tier_rank

)

select * from decided
