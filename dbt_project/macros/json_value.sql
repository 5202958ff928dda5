{# A value of a JSON object as text. #}
{% macro json_value(object, name) -%}
    {{ return(adapter.dispatch('json_value', 'customer_tiers')(object, name)) }}
{%- endmacro %}


{% macro default__json_value(object, name) -%}
    ({{ object }} ->> '{{ name }}')
{%- endmacro %}


{% macro spark__json_value(object, name) -%}
    get_json_object({{ object }}, '$.{{ name }}')
{%- endmacro %}
