{# A change that waited is explained against the last night before its spell: what moved it lies
   there, not in the night on which it comes. #}

{# Tonight's changes of computed tiers that waited, with the first night of their spell. What a
   person decides, or a tier cut afresh, does not wait. #}
{% macro waited_changes(decisions, last_night) -%}
        select
            decided.customer_id,
            decided.policy_id,
            decided.spell_since
        from {{ decisions }} as decided
        inner join {{ last_night }} as last_night
            on decided.customer_id = last_night.customer_id
        where
            decided.role = 'leading'
            and decided.tier_rank <> decided.before_tier_rank
            and not decided.starts_over
            and decided.spell_since <= last_night.business_date
            and decided.override_reason is null
            and last_night.override_reason is null
{%- endmacro %}


{# First nights of tonight's spells, each with the newest night before it whose receipts are kept.
   Asked beforehand, so that the receipts are found by their key and not by reading all. #}
{% macro nights_before_spells() -%}
    {%- set decisions = fact_relation('int_tiers_decided') if execute -%}
    {%- set last_night = fact_relation('stg_bi__tier_decisions') if execute -%}
    {%- set receipts = adapter.get_relation(
        database=target.database, schema='bi', identifier='tier_decision'
    ) if execute -%}
    {%- if not (decisions and last_night and receipts) -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set nights = run_query(
        "select spell_since, (select max(kept.business_date) from " ~ receipts
        ~ " as kept where kept.business_date < spells.spell_since) as compared_with from ("
        ~ "select distinct spell_since from (" ~ waited_changes(decisions, last_night)
        ~ ") as waited) as spells order by spell_since"
    ) -%}
    {{ return(nights.rows | rejectattr(1, 'none') | list) }}
{%- endmacro %}


{# Nights that tonight's spells are compared with. #}
{% macro nights_recalled() -%}
    {%- set spells = fact_relation('int_spells_found') if execute -%}
    {{ return(run_query(
        "select distinct compared_with from " ~ spells ~ " order by compared_with"
    ).columns[0].values() | list if spells else []) }}
{%- endmacro %}
