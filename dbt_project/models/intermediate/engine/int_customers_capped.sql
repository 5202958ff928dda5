with
metrics as (select * from {{ ref('int_metrics_gathered') }}),
policies as (select * from {{ ref('int_policies_applied') }}),

caps as (
    select
        policy_id,
        business_date,
        max(case when best_if_negative then tier_rank end) as negative_rank,
        max(case when best_if_risk then tier_rank end) as risk_rank,
        max(case when given_if_few then tier_rank end) as few_rank
    from {{ ref('int_ladders_in_force') }}
    group by policy_id, business_date
),

{# What a risk flag or a loss forbids; the stricter of the two. #}
ruled as (
    select
        policies.*,
        metrics.customer_id,
        metrics.risk_flag,
        metrics.is_merged,
        metrics.data_confidence,
        caps.few_rank,
        caps.risk_rank,
        caps.negative_rank,
        case
            when
                metrics.risk_flag is not null
                and (
                    metrics.contribution_12m >= 0
                    or caps.risk_rank >= caps.negative_rank
                )
                then 'capped_risk'
            when metrics.contribution_12m < 0 then 'capped_negative'
        end as cap_rule
    from policies
    inner join metrics on policies.business_date = metrics.business_date
    inner join caps
        on
            policies.policy_id = caps.policy_id
            and policies.business_date = caps.business_date
),

capped as (
    select
        *,
        case cap_rule
            when 'capped_risk' then risk_rank
            when 'capped_negative' then negative_rank
        end as cap_rank
    from ruled
)

select * from capped
