{%- set measures = [
    'amount_to_rise', 'amount_to_rise_note', 'amount_to_keep', 'amount_to_keep_note',
    'amount_at_risk', 'tier_confidence', 'is_borderline'
] -%}
with
decisions as (
    select
        reasoned.*,
        {{ listed(measures, 'measured') }}
    from {{ ref('int_tiers_reasoned') }} as reasoned
    inner join {{ ref('int_tiers_resampled') }} as measured
        on reasoned.customer_id = measured.customer_id
),

customers as (select * from {{ ref('int_customers_described') }}),
behaviours as (select * from {{ ref('int_behaviours_segmented') }}),

typed as (
    select
        business_date,
        customer_id,
        policy_id,
        policy_version,
        tier,
        published_rank as tier_rank,
        previous_tier,
        tier_since,
        is_changed,
        computed_tier,
        tier_rank as computed_tier_rank,
        rule,
        cause,
        first_sale_date,
        orders,
        orders_12m,
        data_confidence,
        minimum_data_confidence,
        is_merged,
        is_by_policy,
        risk_flag,
        cast(loyalty_index as numeric(7, 4)) as loyalty_index,
        {% for metric in money_metrics() -%}
            cast({{ metric }} as numeric(24, 6)) as {{ metric }},
        {% endfor -%}
        contribution_score,
        score_parts,
        tier_score,
        score_rank,
        ties,
        customers_ranked,
        enter_score_better,
        exit_score,
        enter_rank,
        cut_rank,
        exit_rank,
        cap_rank,
        few_rank,
        starts_over,
        before_tier_rank,
        before_changed_on,
        before_pending_direction,
        before_pending_nights,
        confirm_up_nights,
        confirm_down_nights,
        dwell_days,
        steps_down,
        warning_codes,
        grace_cause,
        grace_nights,
        changed_on,
        pending_direction,
        pending_nights,
        spell_since,
        case
            when pending_direction is not null and coalesce(rule, '') <> 'held_weak_data'
                then greatest(
                    case pending_direction
                        when 'up' then confirm_up_nights
                        else confirm_down_nights + grace_nights
                    end - pending_nights,
                    coalesce(
                        {{ dbt.datediff(
                            'business_date', days_after('dwell_days', 'changed_on'), 'day'
                        ) }},
                        0
                    ),
                    1
                )
        end as nights_until_change,
        compared_with,
        own_move,
        others_move,
        cast(contribution_12m_before as numeric(24, 6)) as contribution_12m_before,
        {% for column in waterfall_columns() if column != 'quantity_completeness' -%}
            cast({{ column }} as numeric(24, 6)) as {{ column }},
        {% endfor -%}
        quantity_completeness,
        override_reason,
        override_approver,
        override_until,
        cast(amount_to_rise as numeric(24, 6)) as amount_to_rise,
        amount_to_rise_note,
        cast(amount_to_keep as numeric(24, 6)) as amount_to_keep,
        amount_to_keep_note,
        cast(
            cost_to_serve_12m / nullif(net_revenue_12m - contribution_12m, 0) as numeric(18, 4)
        ) as allocated_cost_share,
        case
            when coalesce(amount_to_keep, amount_to_rise) is not null
                then cast(
                    greatest(least(amount_to_keep, amount_to_rise), 0)
                    / nullif(cost_to_serve_12m, 0) as numeric(18, 4)
                )
        end as allocation_slack,
        cast(amount_at_risk as numeric(24, 6)) as amount_at_risk,
        cast(tier_confidence as numeric(5, 4)) as tier_confidence,
        is_borderline,
        rule in ('new', 'small_population') as is_provisional
    from decisions
),

{# A hand-over is told by comparing nights, so each remembers whose customer it was. #}
owned as (
    select
        typed.*,
        customers.owner_id,
        behaviours.behaviour_segment
    from typed
    left join behaviours on typed.customer_id = behaviours.customer_id
    left join customers on typed.customer_id = customers.customer_id
)

select * from owned
