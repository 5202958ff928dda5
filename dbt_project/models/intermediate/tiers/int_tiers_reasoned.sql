{%- set lines = [
    'net_revenue', 'returns', 'cogs', 'freight', 'cost_to_serve', 'financing',
    'bad_debt', 'contribution'
] -%}
with

compared as (

    select * from {{ ref('int_tiers_compared') }}

),

weights as (

    select * from {{ ref('int_score_weights_selected') }}

),

{# What the customer's own contribution and loyalty did in the direction of the move. #}
measured as (

    select
        compared.*,
        compared.tier_sign * compared.contribution_12m_change > 0
            as is_moved_by_contribution,
        coalesce(
            compared.tier_sign
            * (compared.loyalty_index - compared.loyalty_index_before)
            > 0,
            false
        ) as is_moved_by_loyalty,
        weights.contribution_weight * compared.tier_sign * (
            coalesce(compared.contribution_score, 0)
            - coalesce(compared.contribution_score_before, 0)
        ) as contribution_step,
        weights.loyalty_weight * compared.tier_sign * (
            coalesce(compared.loyalty_index, 0)
            - coalesce(compared.loyalty_index_before, 0)
        ) as loyalty_step

    from compared

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
        business_date,
        customer_id,
        policy_id,
        tier,
        tier_rank,
        previous_tier,
        tier_since,
        is_changed,
        direction,
        rule,
        risk_flag,
        reason_code,
        missing_lines,
        contribution_score,
        loyalty_index,
        loyalty_index_before,
        tier_score,
        score_rank,
        score_rank_before,
        ties,
        customers_ranked,
        enter_score_better,
        exit_score,
        {% for line in lines -%}
            {{ line }}_12m,
            {{ line }}_12m_before,
            {{ line }}_12m_change,
        {% endfor -%}
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
