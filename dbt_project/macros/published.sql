{# The published table, or no rows of the same columns before the first night. #}
{% macro published_or_empty(table, columns) -%}
    {%- set published = adapter.get_relation(
        database=target.database, schema='bi', identifier=table
    ) if execute -%}
{%- if published %}
        select
            {% for column in columns -%}
                {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ published }}
    {%- else %}
        select
            {% for column, data_type in columns.items() -%}
cast(null as {{ data_type }}) as {{ column }}{{ ',' if not loop.last }}
{% endfor %}
        where false
{%- endif %}
{%- endmacro %}
