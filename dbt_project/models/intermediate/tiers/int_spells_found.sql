{%- set nights = nights_before_spells() -%}
with
decisions as (select * from {{ ref('int_tiers_decided') }}),
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),

waited as (
    {{ waited_changes('decisions', 'remembered') }}
),

nights as (
    {% for spell_since, compared_with in nights -%}
        select
            cast('{{ spell_since }}' as date) as spell_since,
            cast('{{ compared_with }}' as date) as compared_with
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            cast(null as date) as spell_since,
            cast(null as date) as compared_with
        where false
    {% endfor %}
),

found as (
    select
        waited.*,
        nights.compared_with
    from waited
    inner join nights on waited.spell_since = nights.spell_since
)

select * from found
