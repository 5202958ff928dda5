{# Money is kept to a millionth, so that sums are those of the amounts as delivered; every total is
   a sum of such amounts. Readers round what they show. #}
{% macro to_money(amount) -%}
    {{ return(adapter.dispatch('to_money', 'customer_tiers')(amount)) }}
{%- endmacro %}


{% macro default__to_money(amount) -%}
    cast(round({{ amount }}, 6) as numeric(24, 6))
{%- endmacro %}


{# Its cast rounds, half away from zero, as its round does. #}
{% macro postgres__to_money(amount) -%}
    cast({{ amount }} as numeric(24, 6))
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
