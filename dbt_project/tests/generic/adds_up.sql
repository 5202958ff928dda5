{# In every row the expression is true; one that cannot be decided fails too. #}
{% test adds_up(model, expression) %}

    select *
    from {{ model }}
    where coalesce({{ expression }}, false) = false

{% endtest %}
