with
remembered as (
    select
        *,
        {{ margin('cm1', of_window=true) }} as cm1_12m
    from {{ ref('stg_bi__tier_decisions') }}
    where score_rank is not null
),

{# Every amount of the two nights; those of the night before are what is measured by. #}
both_nights as (
    select
        components.customer_id,
        components.component,
        components.weight,
        components.metric,
        0 as is_before
    from {{ ref('int_components_scored') }} as components
    inner join {{ ref('int_policies_applied') }} as policies
        on
            components.policy_id = policies.policy_id
            and policies.role = 'leading'

    union all

    select
        remembered.customer_id,
        weights.component,
        weights.weight,
        {{ component_metric('weights', 'remembered') }} as metric,
        1 as is_before
    from remembered
    inner join {{ ref('score_weights') }} as weights on remembered.policy_id = weights.policy_id
),

counted as (
    select
        *,
        case when metric is not null then is_before else 0 end as is_measured,
        max(case when is_before = 1 then metric end) over (
            partition by component, customer_id
        ) as own_metric_before
    from both_nights
),

placed as (
    select
        *,
        sum(is_measured) over (partition by component order by metric)
        - sum(is_measured) over (partition by component, metric) as customers_below,
        sum(is_measured) over (partition by component) as customers_measured
    from counted
),

{# What each customer would score tonight if all others were as the night before. #}
alone as (
    select
        customer_id,
        component,
        weight,
        case
            when component = 'loyalty' or metric is null then metric
            else {{ percent_rank_without_self() }}
        end as score
    from placed
    where is_before = 0
),

both_scores as (
    select
        customer_id,
        {{ weighted_score() }} as tier_score,
        0 as is_before
    from alone
    group by customer_id

    union all

    select
        customer_id,
        tier_score,
        1 as is_before
    from remembered
),

scores_placed as (
    select
        *,
        sum(is_before) over (order by tier_score desc)
        - sum(is_before) over (partition by tier_score) as customers_above,
        max(case when is_before = 1 then tier_score end) over (
            partition by customer_id
        ) as own_score_before
    from both_scores
),

moved as (
    select
        customer_id,
        tier_score as tier_score_alone,
        cast(
            customers_above + 1
            - case when own_score_before > tier_score then 1 else 0 end as integer
        ) as score_rank_alone
    from scores_placed
    where
        is_before = 0
        and own_score_before is not null
)

select * from moved
