{# The column adds up to the total, in each group if one is given. #}
{% test sums_to(
    model, column, total, group_by=none, tolerance=0.000001
) %}

    select sum({{ column }}) as column_total
    from {{ model }}
{% if group_by %}group by {{ group_by }}{% endif %}
    having abs(sum({{ column }}) - {{ total }}) > {{ tolerance }}

{% endtest %}
