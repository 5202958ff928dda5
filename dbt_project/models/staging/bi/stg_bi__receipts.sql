-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', compared_columns()) }}
),

renumbered as (
    {{ as_numbered_now('tier_decisions', compared_columns()) }}
)

select *
from renumbered
where business_date < {{ business_date() }}
