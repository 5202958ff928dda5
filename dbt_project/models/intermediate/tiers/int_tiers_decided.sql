with

customers as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

),

loyalties as (

    select * from {{ ref('int_loyalties_weighted') }}

),

scored as (

    select * from {{ ref('int_customers_scored') }}

),

scores as (

    select * from {{ ref('int_scores_distributed') }}

),

risks as (

    select * from {{ ref('int_risks_flagged') }}

),

tiers as (

    select * from {{ ref('int_tiers_cut') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

caps as (

    select
        max(case when best_if_negative then tier_rank end) as rank_if_negative,
        max(case when best_if_risk then tier_rank end) as rank_if_risk,
        max(case when given_if_few then tier_rank end) as rank_if_few

    from tiers

),

judged as (

    select
        customers.*,
        policy.business_date,
        policy.policy_id,
        loyalties.loyalty_index,
        scored.contribution_score,
        scored.tier_score,
        scores.score_rank,
        scores.ties,
        scores.customers_ranked,
        risks.risk_flag,
        scores.cut_rank,
        caps.rank_if_negative,
        caps.rank_if_risk,
        caps.rank_if_few,
        case
            when scored.customer_id is null then 'new'
            when scores.customers_ranked < policy.minimum_customers_ranked
                then 'small_population'
            when
                risks.risk_flag is not null
                and scores.cut_rank < caps.rank_if_risk
                then 'capped_risk'
            when
                customers.contribution_12m < 0
                and scores.cut_rank < caps.rank_if_negative
                then 'capped_negative'
            else 'cut'
        end as rule

    from customers

    cross join policy

    cross join caps

    left join loyalties
        on customers.customer_id = loyalties.customer_id

    left join scored
        on customers.customer_id = scored.customer_id

    left join scores
        on scored.tier_score = scores.tier_score

    left join risks
        on customers.customer_id = risks.customer_id

),

placed as (

    select
        *,
        case rule
            when 'cut' then cut_rank
            when 'capped_risk' then rank_if_risk
            when 'capped_negative' then rank_if_negative
            when 'small_population' then rank_if_few
        end as tier_rank

    from judged

),

decided as (

    select
        placed.business_date,
        placed.customer_id,
        placed.policy_id,
        placed.tier_rank,
        placed.rule,
        placed.risk_flag,
        placed.missing_lines,
        placed.contribution_12m,
        placed.net_revenue_12m,
        placed.returns_12m,
        placed.cogs_12m,
        placed.freight_12m,
        placed.cost_to_serve_12m,
        placed.financing_12m,
        placed.bad_debt_12m,
        placed.contribution_score,
        placed.loyalty_index,
        placed.tier_score,
        placed.score_rank,
        placed.ties,
        placed.customers_ranked,
        case when placed.rule <> 'small_population' then tiers.exit_score end
            as exit_score,
        case when placed.rule <> 'small_population' then tiers.enter_score_better end
            as enter_score_better,
        coalesce(tiers.tier, 'new') as tier

    from placed

    left join tiers
        on placed.tier_rank = tiers.tier_rank

)

select * from decided
