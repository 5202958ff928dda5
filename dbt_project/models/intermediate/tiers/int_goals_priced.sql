{#- The least change of contribution, up or down, with which a goal is met. -#}
{%- set goal_columns = [
    'policy_id', 'business_date', 'customer_id', 'goal', 'goal_rank', 'negative_rank',
    'risk_flag', 'risk_rank', 'tier_score', 'bound_score', 'bound_contribution',
    'bound_net_revenue', 'is_out_of_reach', 'is_on_the_edge', 'money_weight'
] -%}
with
goals as (select * from {{ ref('int_goals_set') }}),

components as (
    select *
    from {{ ref('int_components_scored') }}
    where component in ({{ money_components() }})
),

ordered as (select * from {{ ref('int_amounts_ordered') }}),
metrics as (select * from {{ ref('int_metrics_gathered') }}),

{# How many others must have less: the score is a percent rank, rounded to 4 places. #}
counted as (
    select
        goals.*,
        components.component,
        components.metric,
        goals.points_missing > 0 as is_rise,
        ceil(
            (
                ceil((components.score + goals.points_missing) * 10000) / 10000 - 0.00005
            ) * (goals.customers_ranked - 1) / 100
        ) as others_below
    from goals
    left join components
        on
            goals.policy_id = components.policy_id
            and goals.business_date = components.business_date
            and goals.customer_id = components.customer_id
            and not goals.is_on_the_edge
),

{# A cent more than the last of those has. Who rises stands among them now. #}
outbid as (
    select
        {{- listed(goal_columns + ['is_rise'], 'counted') }},
        ordered.amount + 0.01 - counted.metric as amount_change
    from counted
    left join ordered
        on
            counted.policy_id = ordered.policy_id
            and counted.business_date = ordered.business_date
            and counted.component = ordered.component
            and counted.others_below + case when counted.is_rise then 1 else 0 end
            = ordered.place
),

scored as (
    select
        {{ goal_columns | join(',\n        ') }},
        max(amount_change) as amount_change,
        max(
            case when is_rise and amount_change is null and not is_on_the_edge then 1 else 0 end
        ) = 1 as is_too_far
    from outbid
    group by
        {{ goal_columns | join(',\n        ') }}
),

priced as (
    select
        {{- listed(goal_columns[:5], 'scored') }},
        scored.risk_flag is not null
        and scored.goal_rank < scored.risk_rank as is_barred_by_risk,
        coalesce(
            scored.is_out_of_reach
            or scored.is_too_far
            or (scored.bound_score > scored.tier_score and scored.money_weight is null),
            false
        ) as is_beyond_money,
        greatest(
            scored.amount_change,
            case when scored.is_on_the_edge then 0 end,
            scored.bound_contribution - metrics.contribution_12m,
            scored.bound_net_revenue - metrics.net_revenue_12m,
            case
                when scored.goal_rank < scored.negative_rank
                    then -metrics.contribution_12m
            end
        ) as amount_change
    from scored
    inner join metrics
        on
            scored.business_date = metrics.business_date
            and scored.customer_id = metrics.customer_id
)

select * from priced
