{# The sums of the model's expressions equal the sums over another relation. #}
{% test same_sum(
    model, columns, compare_to, compare_columns=none, compare_where='true'
) %}
    {%- set others = compare_columns or columns %}

    with

    ours as (

        select
            {% for column in columns -%}
                coalesce(sum({{ column }}), 0) as sum_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ model }}

    ),

    theirs as (

        select
            {% for column in others -%}
                coalesce(sum({{ column }}), 0) as sum_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ compare_to }}
        where {{ compare_where }}

    )

    select ours.*
    from ours
    cross join theirs
    where
        false
        {% for column in columns -%}
            or ours.sum_{{ loop.index }} <> theirs.sum_{{ loop.index }}
        {% endfor %}

{% endtest %}
