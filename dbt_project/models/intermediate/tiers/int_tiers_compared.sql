with
decisions as (
    select *
    from {{ ref('int_tiers_decided') }}
    where role = 'leading'
),

metrics as (select * from {{ ref('int_metrics_gathered') }}),
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
compared as (select * from {{ ref('int_receipts_compared') }}),
merged as (select * from {{ ref('stg_bi__tier_decisions_of_merged') }}),
ladders as (select * from {{ ref('int_ladders_in_force') }}),

{# Who was merged away for some nights goes on from the tier it had, not from the amounts. #}
joined as (
    select
        decisions.*,
        {{ listed(money_metrics() + ['loyalty_index', 'first_sale_date', 'orders', 'orders_12m',
            'missing_lines'], 'metrics') }},
        merged.customer_id is not null as is_back,
        coalesce(remembered.tier, merged.tier) as previous_tier,
        coalesce(ladders.tier_rank, remembered.tier_rank, merged.tier_rank)
            as previous_tier_rank,
        coalesce(remembered.tier_since, merged.tier_since) as previous_tier_since,
        coalesce(remembered.override_reason, merged.override_reason)
            as previous_override_reason,
        compared.business_date as compared_with,
        compared.rule as compared_rule,
        compared.score_rank as score_rank_before,
        compared.loyalty_index as loyalty_index_before,
        compared.contribution_score as contribution_score_before,
        compared.contribution_12m as contribution_12m_before,
        metrics.contribution_12m - compared.contribution_12m
            as contribution_12m_change,
        coalesce(decisions.tier <> coalesce(remembered.tier, merged.tier), false)
            as is_changed
    from decisions
    inner join metrics on decisions.customer_id = metrics.customer_id
    left join remembered on decisions.customer_id = remembered.customer_id
    left join compared on decisions.customer_id = compared.customer_id
    left join merged on decisions.customer_id = merged.customer_id
    {# On tonight's ladder, where it has the tier; another policy's may have its own order. #}
    left join ladders
        on
            decisions.policy_id = ladders.policy_id
            and coalesce(remembered.tier, merged.tier) = ladders.tier
),

directed as (
    select
        *,
        case when tier = previous_tier then previous_tier_since else business_date end
            as tier_since,
        case
            when not is_changed then null
            when previous_tier = 'new' then 'entered'
            when tier = 'new' then 'returned'
            when published_rank < previous_tier_rank then 'up'
            else 'down'
        end as direction,
        case when published_rank < previous_tier_rank then 1 else -1 end as tier_sign
    from joined
)

select * from directed
