-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', dict(decided_columns(), **{
        'tier_score': 'integer',
        'score_rank': 'integer',
        'contribution_score': 'numeric(7, 4)',
        'loyalty_index': 'numeric(7, 4)',
        'orders': 'integer',
        'risk_flag': 'text',
        'owner_id': 'text',
        'contribution_12m': 'numeric(18, 2)',
        'contribution_12m_at_window_rates': 'numeric(18, 2)',
        'net_revenue_12m': 'numeric(18, 2)',
        'returns_12m': 'numeric(18, 2)',
        'cogs_12m': 'numeric(18, 2)',
        'freight_12m': 'numeric(18, 2)',
        'cost_to_serve_12m': 'numeric(18, 2)',
        'financing_12m': 'numeric(18, 2)',
        'bad_debt_12m': 'numeric(18, 2)',
    })) }}
),

{{ last_published_night('tier_decisions') }}

select * from last_night
