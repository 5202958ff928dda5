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
