{# A replay judges published nights again, by their receipts, under another policy. #}
{% macro is_replay() -%}
    {{ return(var('replay_from', none) is not none) }}
{%- endmacro %}


{% macro replay_from() -%}
    cast('{{ var("replay_from") }}' as date)
{%- endmacro %}


{% macro replay_to() -%}
    cast('{{ var("replay_to") }}' as date)
{%- endmacro %}


{% macro published_table(name) -%}
    bi.{{ name }}
{%- endmacro %}


{# The policy that decides what is published is the one that the source, or a simulation,
   names; if none is named, the latest of the role `leading`. #}
{% macro leads(policies) -%}
    {%- set named = var('leading_policy', none) -%}
    {%- if named -%}
        {{ policies }}.policy_id = '{{ named }}'
    {%- else -%}
        {{ policies }}.role = 'leading'
    {%- endif -%}
{%- endmacro %}
