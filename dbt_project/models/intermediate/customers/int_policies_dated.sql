with
tier_policies as (select * from {{ ref('tier_policies') }}),

dated as (
    {{ newest_rows('tier_policies', ['policy_id'], business_date()) }}
)

select * from dated
