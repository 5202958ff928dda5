{%- set facts = {
    'from_tier': 'text', 'to_tier': 'text', 'direction': 'text', 'reason_code': 'text',
    'main_driver': 'text', 'main_driver_change': 'numeric(24, 6)',
    'second_driver': 'text', 'second_driver_change': 'numeric(24, 6)',
    'contribution_12m_before': 'numeric(24, 6)', 'contribution_12m': 'numeric(24, 6)',
    'contribution_12m_change': 'numeric(24, 6)', 'loyalty_index_before': 'numeric(7, 4)',
    'loyalty_index': 'numeric(7, 4)', 'score_rank_before': 'integer', 'score_rank': 'integer',
    'customers_ranked': 'integer', 'policy_id': 'text', 'own_move': 'integer',
    'others_move': 'integer', 'tier_score': 'integer', 'strength': 'integer',
    'baseline_value': 'numeric(18, 4)', 'current_value': 'numeric(18, 4)',
    'value_unit': 'text', 'subject': 'text', 'subject_date': 'date', 'warning_cause': 'text',
    'recommended_step': 'text', 'previous_owner_id': 'text', 'compared_with': 'date',
    'nights_until_change': 'integer'
} -%}
{%- set topics = {
    'tier_change': {
        'given': ['from_tier', 'to_tier', 'direction', 'reason_code', 'main_driver',
            'main_driver_change', 'second_driver', 'second_driver_change',
            'contribution_12m_before', 'contribution_12m',
            'contribution_12m_change', 'loyalty_index_before', 'loyalty_index',
            'score_rank_before', 'score_rank', 'customers_ranked', 'policy_id', 'own_move',
            'others_move', 'tier_score', 'compared_with'],
        'cause': 'cause', 'since': 'since', 'amount': 'abs(contribution_12m_change)'
    },
    'early_warning': {
        'given': ['strength', 'baseline_value', 'current_value', 'value_unit', 'subject',
            'subject_date', 'warning_cause'],
        'cause': 'signal', 'since': 'since', 'amount': 'amount_at_risk'
    },
    'risk': {
        'given': ['recommended_step'],
        'cause': 'risk_flag', 'since': 'flagged_since', 'amount': 'abs(evidence_amount)'
    },
    'about_to_fall': {
        'given': ['from_tier', 'to_tier', 'contribution_12m', 'policy_id', 'tier_score',
            'nights_until_change'],
        'cause': "'about_to_fall'", 'since': 'spell_since', 'amount': '-amount_to_keep'
    },
    'hand_over': {
        'given': ['previous_owner_id'],
        'cause': "'hand_over'", 'since': 'business_date', 'amount': 'contribution_12m'
    },
} -%}
with
schedules as (select * from {{ ref('int_digests_scheduled') }}),

subscriptions as (
    select
        *,
        row_number() over (
            partition by role, kind, topic, cause
            order by valid_from desc
        ) as newest
    from {{ ref('digest_subscriptions') }}
    where valid_from <= {{ business_date() }}
),

decisions as (select * from {{ ref('tier_decision') }}),
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
tier_change as (select * from {{ ref('int_changes_netted') }}),

early_warning as (
    select
        warnings.*,
        warnings.cause_code as warning_cause,
        schedules.role,
        schedules.kind
    from {{ ref('early_warning') }} as warnings
    cross join schedules
),

risk as (
    select
        risks.*,
        schedules.role,
        schedules.kind
    from {{ ref('risk_customers') }} as risks
    cross join schedules
),

{# A fall that waits goes down to what the figures reach, in steps. An override holds the tier
   whatever they are; what falls tonight is told as a change, and what an edit of the policy does
   in its notice. #}
about_to_fall as (
    select
        decisions.customer_id,
        decisions.spell_since,
        decisions.tier as from_tier,
        ladder.tier as to_tier,
        decisions.contribution_12m,
        decisions.amount_to_keep,
        decisions.policy_id,
        decisions.tier_score,
        decisions.nights_until_change,
        schedules.role,
        schedules.kind
    from decisions
    inner join {{ ref('int_ladders_in_force') }} as ladder
        on
            decisions.policy_id = ladder.policy_id
            and ladder.tier_rank = least(
                greatest(decisions.exit_rank, coalesce(decisions.cap_rank, 0)),
                decisions.computed_tier_rank + decisions.steps_down
            )
    cross join schedules
    where
        decisions.pending_direction = 'down'
        and decisions.override_reason is null
        and not decisions.is_changed
        and not coalesce(decisions.is_by_policy, false)
),

hand_over as (
    select
        decisions.business_date,
        decisions.customer_id,
        decisions.contribution_12m,
        remembered.owner_id as previous_owner_id,
        schedules.role,
        schedules.kind
    from decisions
    inner join remembered
        on
            decisions.customer_id = remembered.customer_id
            and decisions.owner_id <> remembered.owner_id
    cross join schedules
),

news as (
    {% for topic, how in topics.items() -%}
        select
            role,
            kind,
            customer_id,
            '{{ topic }}' as topic,
            {{ how.cause }},
            {{ how.since }},
            {{ how.amount }} as amount_at_stake,
        {% for fact, data_type in facts.items() -%}
                {{ fact if fact in how.given
                    else 'cast(null as ' ~ data_type ~ ') as ' ~ fact }}
            {{- ',' if not loop.last }}
        {% endfor %}
        from {{ topic }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# An amount that is not known is no reason to stay silent. #}
subscribed as (
    select
        news.*,
        subscriptions.section,
        subscriptions.quiet_days
    from news
    inner join subscriptions
        on
            news.role = subscriptions.role
            and news.kind = subscriptions.kind
            and news.topic = subscriptions.topic
            and news.cause = subscriptions.cause
            and subscriptions.newest = 1
    where
        coalesce(news.amount_at_stake >= subscriptions.minimum_amount, true)
        and coalesce(news.strength >= subscriptions.minimum_strength, true)
)

select * from subscribed
