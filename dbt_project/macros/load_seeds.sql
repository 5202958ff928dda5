{# The rows of a seed in one statement. dbt's own asks the adapter for a sign to bind with for each
   cell, a fifteenth of a night's models. #}
{% macro postgres__load_csv_rows(model, agate_table) -%}
    {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
    {%- set row = '(' ~ (['%s'] * agate_table.column_names | length) | join(', ') ~ ')' -%}
    {%- set bindings = [] -%}
    {%- for values in agate_table.rows -%}
        {%- do bindings.extend(values) -%}
    {%- endfor -%}
    {%- set statement -%}
        insert into {{ this }} ({{ columns }})
        values {{ ([row] * agate_table.rows | length) | join(', ') }}
    {%- endset -%}
    {%- do adapter.add_query(statement, bindings=bindings, abridge_sql_log=true) -%}
    {{ return(statement) }}
{%- endmacro %}
