{# Schemas are named as they are written: candidate for models, policy for seeds. A
   simulation keeps its own copy of all in one schema, since it must touch nothing else. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if target.schema == 'candidate' -%}
        {{ (custom_schema_name or target.schema) | trim }}
    {%- else -%}
        {{ target.schema }}
    {%- endif -%}
{%- endmacro %}
