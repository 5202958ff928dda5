{# The middle of whole days is a whole or a half, so a decimal holds it exactly. #}
{% macro median(days) -%}
    cast(percentile_cont(0.5) within group (order by {{ days }}) as numeric(9, 1))
{%- endmacro %}
