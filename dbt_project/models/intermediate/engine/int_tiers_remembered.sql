{%- set columns = [
    'policy_id', 'customer_id', 'rule', 'changed_on', 'pending_direction', 'pending_nights'
] -%}
with
published as (select * from {{ ref('stg_bi__tier_decisions') }}),
beside as (select * from {{ ref('stg_bi__tier_decisions_beside') }}),

remembered as (
    select
        'leading' as role,
        published.computed_tier_rank as tier_rank,
        {{- listed(columns, 'published') }}
    from published

    union all

    select
        'beside' as role,
        beside.computed_tier_rank as tier_rank,
        {{- listed(columns, 'beside') }}
    from beside
)

select * from remembered
