{%- set lines = [
    'net_revenue', 'returns', 'cogs', 'freight', 'cost_to_serve', 'financing',
    'bad_debt', 'contribution'
] -%}
with

decisions as (

    select * from {{ ref('int_tiers_decided') }}

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
        business_date,
        customer_id,
        policy_id,
        previous_policy_id,
        tier,
        tier_rank,
        previous_tier,
        is_merged,
        rule,
        previous_rule,
        risk_flag,
        missing_lines,
        contribution_score,
        contribution_score_before,
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

)

select * from directed
