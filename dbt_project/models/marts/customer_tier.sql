with
decisions as (
    select
        *,
        {{ margin('cm1', of_window=true) }} as cm1_12m,
        {{ margin('cm2', of_window=true) }} as cm2_12m,
        {{ margin('cm3', of_window=true) }} as cm3_12m
    from {{ ref('tier_decision') }}
),

ladder as (select * from {{ ref('int_ladders_in_force') }}),
reasoned as (select * from {{ ref('int_tiers_reasoned') }}),
customers as (select * from {{ ref('int_customers_described') }}),

{# The first review on or after tonight; they recur, counted from the day the tier began. #}
reviews as (
    select
        decisions.customer_id,
        ladder.review_months,
        decisions.tier_since,
        floor(
            {{ dbt.datediff('decisions.tier_since', 'decisions.business_date', 'month') }}
            * 1.0 / ladder.review_months
        ) as reviews_before
    from decisions
    inner join ladder
        on
            decisions.policy_id = ladder.policy_id
            and decisions.tier = ladder.tier
),

joined as (
    select
        decisions.business_date,
        decisions.customer_id,
        decisions.policy_id,
        decisions.tier,
        decisions.tier_rank,
        decisions.previous_tier,
        decisions.tier_since,
        decisions.is_changed,
        decisions.is_provisional,
        decisions.contribution_12m,
        decisions.contribution_score,
        decisions.loyalty_index,
        decisions.tier_score,
        decisions.score_rank,
        decisions.ties,
        decisions.customers_ranked,
        decisions.enter_score_better,
        decisions.exit_score,
        decisions.rule,
        decisions.risk_flag,
        decisions.computed_tier,
        decisions.pending_direction,
        decisions.pending_nights,
        decisions.own_move,
        decisions.others_move,
        decisions.override_reason,
        decisions.override_until,
        decisions.cause,
        {{ listed(['amount_to_rise', 'amount_to_rise_note', 'amount_to_keep',
            'amount_to_keep_note', 'amount_at_risk', 'tier_confidence', 'is_borderline',
            'grace_cause', 'grace_nights'], 'decisions') }},
        decisions.net_revenue_12m,
        decisions.returns_12m,
        decisions.cogs_12m,
        decisions.freight_12m,
        decisions.cost_to_serve_12m,
        decisions.financing_12m,
        decisions.bad_debt_12m,
        decisions.cm1_12m,
        decisions.cm2_12m,
        decisions.cm3_12m,
        customers.customer_name,
        customers.country,
        customers.region,
        customers.industry,
        customers.owner_id,
        customers.owner_name,
        reasoned.contribution_12m_before,
        reasoned.missing_lines,
        decisions.contribution_12m - reasoned.contribution_12m_before
            as contribution_12m_change,
        case
            when {{ review_date(0) }} >= decisions.business_date then {{ review_date(0) }}
            else {{ review_date(1) }}
        end as review_due_on
    from decisions
    inner join reasoned on decisions.customer_id = reasoned.customer_id
    left join reviews on decisions.customer_id = reviews.customer_id
    left join customers on decisions.customer_id = customers.customer_id
)

select * from joined
