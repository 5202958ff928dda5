{%- set columns = {
    'business_date': 'date',
    'customer_id': 'text',
    'behaviour_segment': 'text',
} -%}
-- {{ source('bi', 'tier_decision') }} is absent before the first night
with
tier_decisions as (
    {{ published_or_empty('tier_decision', columns) }}
),

{# The last night of a month is the one whose receipts are never thinned. #}
earlier as (
    select
        *,
        max(business_date) over () as newest_date
    from tier_decisions
    where
        behaviour_segment is not null
        and business_date < {{ months_before(2, month_start(business_date())) }}
),

a_quarter_ago as (
    select
        business_date,
        customer_id,
        behaviour_segment
    from earlier
    where business_date = newest_date
),

renumbered as (
    {{ as_numbered_now('a_quarter_ago', columns) }}
)

select * from renumbered
