with

decisions as (

    select * from {{ ref('int_tiers_reasoned') }}

),

typed as (

    select
        business_date,
        customer_id,
        policy_id,
        tier,
        tier_rank,
        previous_tier,
        tier_since,
        is_changed,
        cast(contribution_12m as numeric(18, 2)) as contribution_12m,
        cast(contribution_score as numeric(7, 4)) as contribution_score,
        cast(loyalty_index as numeric(7, 4)) as loyalty_index,
        tier_score,
        score_rank,
        ties,
        customers_ranked,
        enter_score_better,
        exit_score,
        rule,
        risk_flag,
        cause,
        cast(net_revenue_12m as numeric(18, 2)) as net_revenue_12m,
        cast(returns_12m as numeric(18, 2)) as returns_12m,
        cast(cogs_12m as numeric(18, 2)) as cogs_12m,
        cast(freight_12m as numeric(18, 2)) as freight_12m,
        cast(cost_to_serve_12m as numeric(18, 2)) as cost_to_serve_12m,
        cast(financing_12m as numeric(18, 2)) as financing_12m,
        cast(bad_debt_12m as numeric(18, 2)) as bad_debt_12m,
        rule in ('new', 'small_population') as is_provisional

    from decisions

)

select * from typed
