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
        'computed_tier_rank': 'integer',
        'rule': 'text',
        'changed_on': 'date',
        'pending_direction': 'text',
        'pending_nights': 'integer',
        'override_reason': 'text',
    }) }}
),

{{ last_own_night('tier_decisions') }}

select * from last_own_night
