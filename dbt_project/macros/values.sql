{# Money is rounded where it arises; every total is a sum of rounded amounts. #}
{% macro to_cents(amount) -%}
    {{ return(adapter.dispatch('to_cents', 'customer_tiers')(amount)) }}
{%- endmacro %}


{% macro default__to_cents(amount) -%}
    cast(round({{ amount }}, 2) as numeric(18, 2))
{%- endmacro %}


{# Its cast rounds, half away from zero, as its round does. #}
{% macro postgres__to_cents(amount) -%}
    cast({{ amount }} as numeric(18, 2))
{%- endmacro %}


{# 'DE 123.456' and 'de-123456' are the same tax number. #}
{% macro letters_and_digits(text) -%}
    {{ return(adapter.dispatch('letters_and_digits', 'customer_tiers')(text)) }}
{%- endmacro %}


{% macro default__letters_and_digits(text) -%}
    nullif(regexp_replace(upper({{ text }}), '[^[:alnum:]]', '', 'g'), '')
{%- endmacro %}


{% macro spark__letters_and_digits(text) -%}
    nullif(regexp_replace(upper({{ text }}), '[^\\p{Alnum}]', ''), '')
{%- endmacro %}


{# A list of columns in SQL, each of the relation named, or what stands in `instead` for it. #}
{% macro listed(columns, relation, instead={}) -%}
    {%- for column in columns %}
        {{ instead.get(column, relation ~ '.' ~ column) }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# One row per number from zero on, as a list: the sums of dbt.generate_series are computed again
   for each row that is joined with them. #}
{% macro counted_from_zero(count, name) -%}
    {% for number in range(count) -%}
        select {{ number }} as {{ name }}{{ ' union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
