{# Without statistics a planner takes a table of one row for a thousand, and a join on
   three keys for one row, and loops. Facts that are continued have theirs; the list of
   dirty days has none of what this transaction added: a currency whose rates came late
   made a night of 18,000 lines loop for minutes. #}
{% macro gather_statistics(target) -%}
    {{ return(adapter.dispatch('gather_statistics', 'customer_tiers')(target)) }}
{%- endmacro %}


{% macro default__gather_statistics(target) -%}
    analyze {{ target }}
{%- endmacro %}


{% macro spark__gather_statistics(target) -%}
    analyze table {{ target }} compute statistics for all columns
{%- endmacro %}
