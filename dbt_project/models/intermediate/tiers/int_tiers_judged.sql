with

customers as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

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

policy as (

    select * from {{ ref('int_policies_selected') }}

),

caps as (

    select
        max(case when best_if_negative then tier_rank end) as rank_if_negative,
        max(case when best_if_risk then tier_rank end) as rank_if_risk,
        max(case when given_if_few then tier_rank end) as rank_if_few

    from {{ ref('int_tiers_cut') }}

),

judged as (

    select
        customers.customer_id,
        risks.risk_flag,
        scored.contribution_score,
        scored.tier_score,
        scores.score_rank,
        scores.ties,
        scores.customers_ranked,
        scores.cut_rank,
        case
            when scored.customer_id is null then 'new'
            when scores.customers_ranked < policy.minimum_customers_ranked
                then 'small_population'
            when risks.risk_flag is not null and scores.cut_rank < caps.rank_if_risk
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

    left join scored
        on customers.customer_id = scored.customer_id

    left join scores
        on scored.tier_score = scores.tier_score

    left join risks
        on customers.customer_id = risks.customer_id

),

placed as (

    select
        judged.*,
        case judged.rule
            when 'cut' then judged.cut_rank
            when 'capped_risk' then caps.rank_if_risk
            when 'capped_negative' then caps.rank_if_negative
            when 'small_population' then caps.rank_if_few
        end as tier_rank

    from judged

    cross join caps

)

select * from placed
