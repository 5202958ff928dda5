-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', decided_columns()) }}
),

{{ last_own_night('tier_decisions') }}

select * from last_own_night
