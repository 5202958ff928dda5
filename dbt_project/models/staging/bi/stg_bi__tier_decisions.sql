-- {{ source('bi', 'tier_decision') }} is absent before the first night
with

tier_decisions as (

    {{ published_or_empty('tier_decision', {
        'customer_id': 'text',
        'business_date': 'date',
        'policy_id': 'text',
        'tier': 'text',
        'tier_rank': 'integer',
        'tier_since': 'date',
        'tier_score': 'integer',
        'score_rank': 'integer',
        'contribution_score': 'numeric(7, 4)',
        'loyalty_index': 'numeric(7, 4)',
        'rule': 'text',
        'risk_flag': 'text',
        'contribution_12m': 'numeric(18, 2)',
        'net_revenue_12m': 'numeric(18, 2)',
        'returns_12m': 'numeric(18, 2)',
        'cogs_12m': 'numeric(18, 2)',
        'freight_12m': 'numeric(18, 2)',
        'cost_to_serve_12m': 'numeric(18, 2)',
        'financing_12m': 'numeric(18, 2)',
        'bad_debt_12m': 'numeric(18, 2)',
    }) }}

),

earlier_nights as (

    select *
    from tier_decisions
    where business_date < {{ business_date() }}

),

newest_night as (

    select max(business_date) as business_date
    from earlier_nights

),

last_night as (

    select earlier_nights.*
    from earlier_nights

    inner join newest_night
        on earlier_nights.business_date = newest_night.business_date

)

select * from last_night
