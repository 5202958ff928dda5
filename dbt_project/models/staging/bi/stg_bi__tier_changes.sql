{%- set columns = {
    'business_date': 'date',
    'customer_id': 'text',
    'from_tier': 'text',
    'to_tier': 'text',
    'direction': 'text',
    'compared_with': 'date',
    'cause': 'text',
    'reason_code': 'text',
    'main_driver': 'text',
    'main_driver_change': 'numeric(24, 6)',
    'second_driver': 'text',
    'second_driver_change': 'numeric(24, 6)',
    'contribution_12m_before': 'numeric(24, 6)',
    'contribution_12m': 'numeric(24, 6)',
    'contribution_12m_change': 'numeric(24, 6)',
    'loyalty_index_before': 'numeric(7, 4)',
    'loyalty_index': 'numeric(7, 4)',
    'score_rank_before': 'integer',
    'score_rank': 'integer',
    'customers_ranked': 'integer',
    'policy_id': 'text',
    'own_move': 'integer',
    'others_move': 'integer',
    'tier_score': 'integer',
} -%}
-- {{ source('bi', 'tier_change') }} is absent before the first night
with
tier_changes as (
    {{ published_or_empty('tier_change', columns) }}
),

earlier as (
    select
        *,
        max(business_date) over () as newest_date
    from tier_changes
    where business_date < {{ business_date() }}
),

{# Nobody looks back further: a flap has so many days, a summary a month. #}
recent as (
    select *
    from earlier
    where business_date > {{ days_after('-' ~ flap_days(), 'newest_date') }}
),

renumbered as (
    {{ as_numbered_now('recent', columns) }}
)

select * from renumbered
