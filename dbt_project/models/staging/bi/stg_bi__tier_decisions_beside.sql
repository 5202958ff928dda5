-- {{ source('bi', 'tier_decision_beside') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision_beside', held_columns()) }}
),

{{ last_published_night('tier_decisions') }},

{{ last_night_as_numbered_now(held_columns()) }}

select * from known_last
