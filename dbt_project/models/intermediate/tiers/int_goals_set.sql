{#- What a customer must reach to rise, and what it must not fall below to keep its tier. -#}
{%- set goals = [('rise', 'enter', 1), ('keep', 'exit', 0)] -%}
{%- set customers = [
    'policy_id', 'business_date', 'customer_id', 'tier_rank', 'risk_flag', 'risk_rank',
    'negative_rank', 'tier_score', 'customers_ranked'
] -%}
with
decided as (
    select *
    from {{ ref('int_tiers_decided') }}
    where base_rule = 'ranked'
),

bounds as (select * from {{ ref('int_scores_bounded') }}),

components as (
    select
        policy_id,
        business_date,
        customer_id,
        sum(case when score is not null then weight end) as weight,
        sum(weight * score) as points,
        sum(
            case
                when component in ({{ money_components() }}) and score is not null
                    then weight
            end
        ) as money_weight
    from {{ ref('int_components_scored') }}
    group by policy_id, business_date, customer_id
),

goals as (
    {% for goal, bound, better in goals -%}
        select
            {{- listed(customers, 'decided') }},
            '{{ goal }}' as goal,
            decided.tier_rank - {{ better }} as goal_rank,
            bounds.{{ bound }}_score as bound_score,
            bounds.{{ bound }}_contribution as bound_contribution,
            bounds.{{ bound }}_net_revenue as bound_net_revenue,
            coalesce(bounds.is_{{ bound }}_out_of_reach, false) as is_out_of_reach
        from decided
        left join bounds
            on
                decided.policy_id = bounds.policy_id
                and decided.business_date = bounds.business_date
                and decided.tier_rank - {{ better }} = bounds.tier_rank
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# Whom a falling customer passes, gains a place by it. #}
passed as (
    select
        *,
        case
            when goal = 'rise' or tier_score < bound_score then bound_score
            else bound_score + coalesce(ceil(10000.0 / nullif(customers_ranked - 1, 0)), 0)
        end as safe_score
    from goals
),

aimed as (
    select
        passed.*,
        components.money_weight,
        passed.tier_score >= passed.bound_score
        and passed.tier_score < passed.safe_score as is_on_the_edge,
        (
            components.weight * (passed.safe_score - 0.5) / 100 - components.points
        ) / components.money_weight as points_missing
    from passed
    inner join components
        on
            passed.policy_id = components.policy_id
            and passed.business_date = components.business_date
            and passed.customer_id = components.customer_id
)

select * from aimed
