{# The relation has exactly so many rows. #}
{% test row_count(model, rows) %}

    select count(*) as row_count
    from {{ model }}
    having count(*) <> {{ rows }}

{% endtest %}
