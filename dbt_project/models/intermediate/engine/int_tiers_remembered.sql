{%- set columns = [
    'policy_id', 'customer_id', 'computed_tier', 'rule', 'changed_on', 'pending_direction',
    'pending_nights', 'spell_since'
] -%}
with
published as (select * from {{ ref('stg_bi__tier_decisions') }}),
merged as (select * from {{ ref('stg_bi__tier_decisions_of_merged') }}),
beside as (select * from {{ ref('stg_bi__tier_decisions_beside') }}),
beside_merged as (select * from {{ ref('stg_bi__tier_decisions_beside_of_merged') }}),

{# Who was part of another customer goes on from its own last night. #}
remembered as (
    {% for role, rows, is_paused in [
        ('leading', 'published', 'false'), ('leading', 'merged', 'true'),
        ('beside', 'beside', 'false'), ('beside', 'beside_merged', 'true')
    ] -%}
        select
            '{{ role }}' as role,
            {{ is_paused }} as is_paused,
            {{ rows }}.computed_tier_rank as tier_rank,
            {{- listed(columns, rows) }}
        from {{ rows }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from remembered
