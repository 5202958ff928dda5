-- {{ source('bi', 'tier_decision_beside') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision_beside', {
        'policy_id': 'text',
        'customer_id': 'text',
        'business_date': 'date',
        'computed_tier_rank': 'integer',
        'rule': 'text',
        'changed_on': 'date',
        'pending_direction': 'text',
        'pending_nights': 'integer',
    }) }}
),

{{ last_own_night('tier_decisions') }}

select * from last_own_night
