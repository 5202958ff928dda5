-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', compared_columns()) }}
),

{{ last_published_night('tier_decisions') }},

{{ last_night_as_numbered_now(compared_columns()) }}

select * from known_last
