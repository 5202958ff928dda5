{# Without statistics a planner takes a table of one row for a thousand, and a join on
   three keys for one row, and loops. Facts that are continued have theirs. #}
{% macro gather_statistics() -%}
    {{ return(adapter.dispatch('gather_statistics', 'customer_tiers')()) }}
{%- endmacro %}


{% macro default__gather_statistics() -%}
    {%- if model.config.materialized == 'table' -%}analyze {{ this }}{%- endif -%}
{%- endmacro %}


{% macro spark__gather_statistics() -%}
    {%- if model.config.materialized == 'table' -%}
        analyze table {{ this }} compute statistics for all columns
    {%- endif -%}
{%- endmacro %}
