{%- set lines = [
    'net_revenue', 'returns', 'cogs', 'freight', 'cost_to_serve', 'financing',
    'bad_debt', 'contribution'
] -%}
with

decisions as (

    select * from {{ ref('int_tiers_decided') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

score_weights as (

    select * from {{ ref('score_weights') }}

),

weights as (

    select
        max(case
            when score_weights.component = 'contribution' then score_weights.weight
        end) as contribution_weight,
        max(case
            when score_weights.component = 'loyalty' then score_weights.weight
        end) as loyalty_weight

    from score_weights

    inner join policy
        on score_weights.policy_id = policy.policy_id

),

remembered as (

    select * from {{ ref('stg_bi__tier_decisions') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

{# Customers of the last night that have since been merged into another one. #}
mergers as (

    select distinct customers.survivor_id as customer_id

    from remembered

    inner join customers
        on remembered.customer_id = customers.customer_id

    where customers.customer_id <> customers.survivor_id

),

joined as (

    select
        decisions.*,
        remembered.tier as previous_tier,
        remembered.tier_rank as previous_tier_rank,
        remembered.tier_since as previous_tier_since,
        remembered.policy_id as previous_policy_id,
        remembered.rule as previous_rule,
        remembered.risk_flag as previous_risk_flag,
        remembered.score_rank as score_rank_before,
        remembered.loyalty_index as loyalty_index_before,
        remembered.contribution_score as contribution_score_before,
        mergers.customer_id is not null as is_merged,
        {% for line in lines -%}
        remembered.{{ line }}_12m as {{ line }}_12m_before,
        {% endfor -%}
        {% for line in lines -%}
        coalesce(decisions.{{ line }}_12m, 0)
        - coalesce(remembered.{{ line }}_12m, 0) as {{ line }}_12m_change
        {{- ',' if not loop.last }}
        {% endfor %}

    from decisions

    left join remembered
        on decisions.customer_id = remembered.customer_id

    left join mergers
        on decisions.customer_id = mergers.customer_id

),

directed as (

    select
        *,
        coalesce(tier <> previous_tier, false) as is_changed,
        case when tier = previous_tier then previous_tier_since else business_date end
            as tier_since,
        case
            when tier = previous_tier or previous_tier is null then null
            when previous_tier = 'new' then 'entered'
            when tier = 'new' then 'returned'
            when tier_rank < previous_tier_rank then 'up'
            else 'down'
        end as direction,
        case when tier_rank < previous_tier_rank then 1 else -1 end as tier_sign

    from joined

),

{# What the customer's own contribution and loyalty did in the direction of the move. #}
measured as (

    select
        directed.*,
        tier_sign * contribution_12m_change > 0 as is_moved_by_contribution,
        coalesce(
            tier_sign * (loyalty_index - loyalty_index_before) > 0, false
        ) as is_moved_by_loyalty,
        weights.contribution_weight
        * tier_sign
        * (coalesce(contribution_score, 0) - coalesce(contribution_score_before, 0))
        as contribution_step,
        weights.loyalty_weight
        * tier_sign
        * (coalesce(loyalty_index, 0) - coalesce(loyalty_index_before, 0))
        as loyalty_step

    from directed

    cross join weights

),

reasoned as (

    select
        *,
        case
            when not is_changed then null
            when policy_id <> previous_policy_id then 'policy_changed'
            when is_merged then 'customers_merged'
            when direction = 'entered' then 'enough_history'
            when direction = 'returned' then 'not_enough_history'
            when direction = 'down' and rule = 'capped_risk' then 'risk_flag'
            when direction = 'down' and rule = 'capped_negative'
                then 'negative_contribution'
            when
                direction = 'up'
                and previous_rule = 'capped_risk'
                and risk_flag is null
                then 'risk_cleared'
            when 'small_population' in (rule, previous_rule) then 'population_size'
            when
                is_moved_by_loyalty
                and (
                    not is_moved_by_contribution
                    or loyalty_step > contribution_step
                )
                then case direction when 'up' then 'loyalty_up' else 'loyalty_down' end
            when is_moved_by_contribution
                then
                    case direction
                        when 'up' then 'contribution_up' else 'contribution_down'
                    end
            else 'others_moved'
        end as reason_code

    from measured

),

caused as (

    select
        *,
        case
            when previous_tier is null then 'initial'
            when not is_changed then 'unchanged'
            when reason_code = 'policy_changed' then 'policy'
            when reason_code = 'customers_merged' then 'merge_split'
            when reason_code = 'enough_history' then 'graduation'
            when reason_code = 'not_enough_history' then 'restatement'
            when reason_code in ('others_moved', 'population_size')
                then 'displacement'
            else 'own_change'
        end as cause

    from reasoned

)

select * from caused
