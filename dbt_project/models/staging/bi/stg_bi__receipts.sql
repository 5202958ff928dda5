-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', compared_columns()) }}
)

select *
from tier_decisions
where business_date < {{ business_date() }}
