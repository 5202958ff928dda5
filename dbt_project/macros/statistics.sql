{# The engine joins on three keys at once; without statistics a planner takes that for
   one row and loops. #}
{% macro gather_statistics() -%}
    {{ return(adapter.dispatch('gather_statistics', 'customer_tiers')()) }}
{%- endmacro %}


{% macro default__gather_statistics() -%}
    {%- if model.config.materialized != 'view' -%}analyze {{ this }}{%- endif -%}
{%- endmacro %}


{% macro spark__gather_statistics() -%}
    {%- if model.config.materialized != 'view' -%}
        analyze table {{ this }} compute statistics for all columns
    {%- endif -%}
{%- endmacro %}
