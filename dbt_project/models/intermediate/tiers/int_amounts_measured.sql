with
decided as (select * from {{ ref('int_tiers_decided') }}),

goals as (
    select
        *,
        is_barred_by_risk or is_beyond_money as is_barred
    from {{ ref('int_goals_priced') }}
),

joined as (
    select
        decided.policy_id,
        decided.business_date,
        decided.customer_id,
        decided.base_rule,
        rises.goal_rank,
        rises.is_barred_by_risk,
        rises.is_beyond_money as is_rise_beyond_money,
        keeps.is_beyond_money as is_keep_beyond_money,
        case
            when rises.goal_rank > 0 and not rises.is_barred
                then {{ to_money('greatest(rises.amount_change, 0)') }}
        end as amount_to_rise,
        case
            when not keeps.is_beyond_money then {{ to_money('-keeps.amount_change') }}
        end as amount_to_keep
    from decided
    left join goals as rises
        on
            decided.policy_id = rises.policy_id
            and decided.business_date = rises.business_date
            and decided.customer_id = rises.customer_id
            and rises.goal = 'rise'
    left join goals as keeps
        on
            decided.policy_id = keeps.policy_id
            and decided.business_date = keeps.business_date
            and decided.customer_id = keeps.customer_id
            and keeps.goal = 'keep'
),

noted as (
    select
        policy_id,
        business_date,
        customer_id,
        amount_to_rise,
        amount_to_keep,
        case
            when amount_to_rise is not null then null
            when base_rule <> 'ranked' then base_rule
            when goal_rank = 0 then 'best_tier'
            when is_barred_by_risk then 'risk_flag'
            else 'beyond_money'
        end as amount_to_rise_note,
        case
            when amount_to_keep is not null then null
            when base_rule <> 'ranked' then base_rule
            when is_keep_beyond_money then 'beyond_money'
            else 'no_limit'
        end as amount_to_keep_note
    from joined
)

select * from noted
