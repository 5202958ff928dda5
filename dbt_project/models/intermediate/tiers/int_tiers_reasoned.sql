with
compared as (select * from {{ ref('int_tiers_compared') }}),
moves as (select * from {{ ref('int_moves_attributed') }}),
waterfalls as (select * from {{ ref('int_waterfalls_built') }}),
effects as (select * from {{ ref('int_policy_effects_found') }}),

weights as (
    select
        policy_id,
        sum(case when component = 'loyalty' then weight else 0 end) as loyalty_weight,
        sum(case when component = 'loyalty' then 0 else weight end) as money_weight
    from {{ ref('int_weights_in_force') }}
    group by policy_id
),

{# Places won and lost by the customer itself, and by what others did. #}
moved as (
    select
        compared.*,
        effects.policy_version,
        coalesce(effects.is_by_policy, false) as is_by_policy,
        {{ listed(waterfall_columns(), 'waterfalls') }},
        compared.score_rank_before - moves.score_rank_alone as own_move,
        moves.score_rank_alone - compared.score_rank as others_move,
        coalesce(
            compared.tier_sign * (compared.score_rank_before - moves.score_rank_alone)
            >= compared.tier_sign * (moves.score_rank_alone - compared.score_rank)
            and compared.tier_sign
            * (compared.score_rank_before - moves.score_rank_alone)
            > 0,
            false
        ) as is_own_move,
        coalesce(
            2 * abs(waterfalls.restated_12m) > abs(compared.contribution_12m_change)
            and waterfalls.restated_12m * compared.tier_sign > 0,
            false
        ) as is_restated,
        coalesce(
            2 * abs(waterfalls.fx_effect) > abs(compared.contribution_12m_change)
            and waterfalls.fx_effect * compared.tier_sign > 0,
            false
        ) as is_moved_by_rates,
        compared.tier_sign * compared.contribution_12m_change > 0
        and compared.tier_sign * weights.money_weight * (
            coalesce(compared.contribution_score, 0)
            - coalesce(compared.contribution_score_before, 0)
        ) >= compared.tier_sign * weights.loyalty_weight * (
            coalesce(compared.loyalty_index, 0)
            - coalesce(compared.loyalty_index_before, 0)
        ) as is_moved_by_contribution
    from compared
    inner join weights on compared.policy_id = weights.policy_id
    left join moves
        on
            compared.customer_id = moves.customer_id
            and compared.policy_id = compared.before_policy_id
    left join waterfalls on compared.customer_id = waterfalls.customer_id
    left join effects on compared.customer_id = effects.customer_id
),

reasoned as (
    select
        *,
        case
            when not is_changed then null
            when override_reason is not null or previous_override_reason is not null
                then 'override'
            when policy_id <> before_policy_id or is_by_policy then 'policy_changed'
            when is_merged then 'customers_merged'
            when direction = 'entered' then 'enough_history'
            when direction = 'returned' then 'not_enough_history'
            when direction = 'down' and rule = 'capped_risk' then 'risk_flag'
            when direction = 'down' and is_moved_by_rates then 'rates_moved'
            when direction = 'down' and is_restated then 'past_corrected'
            when direction = 'down' and rule = 'capped_negative'
                then 'negative_contribution'
            when
                direction = 'up'
                and coalesce(compared_rule, before_rule) = 'capped_risk'
                and risk_flag is null
                then 'risk_cleared'
            when 'small_population' in (rule, before_rule) then 'population_size'
            when is_moved_by_rates then 'rates_moved'
            when is_restated then 'past_corrected'
            when not is_own_move then 'others_moved'
            when is_moved_by_contribution and direction = 'up' then 'contribution_up'
            when is_moved_by_contribution then 'contribution_down'
            when direction = 'up' then 'loyalty_up'
            else 'loyalty_down'
        end as reason_code
    from moved
),

caused as (
    select
        *,
        case
            when previous_tier is null and is_merged then 'merge_split'
            when previous_tier is null then 'initial'
            when not is_changed and is_back then 'merge_split'
            when not is_changed then 'unchanged'
            when reason_code = 'override' then 'override'
            when reason_code = 'policy_changed' then 'policy'
            when reason_code = 'customers_merged' then 'merge_split'
            when reason_code = 'enough_history' then 'graduation'
            when
                reason_code in ('not_enough_history', 'past_corrected')
                then 'restatement'
            when reason_code = 'rates_moved' then 'fx'
            when reason_code in ('others_moved', 'population_size') then 'displacement'
            else 'own_change'
        end as cause
    from reasoned
)

select * from caused
