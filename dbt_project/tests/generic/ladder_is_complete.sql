{# A ladder ends at 1, its shares rise with the rank, and each cap names one tier. #}
{% test ladder_is_complete(model) %}

    with

    steps as (

        select
            policy_id,
            max_share,
            best_if_negative,
            best_if_risk,
            given_if_few,
            lag(max_share, 1, 0) over (
                partition by policy_id
                order by tier_rank
            ) as share_before

        from {{ model }}

    )

    select policy_id
    from steps
    group by policy_id
    having
        max(max_share) <> 1
        or min(max_share - share_before) <= 0
        or sum(case when best_if_negative then 1 else 0 end) <> 1
        or sum(case when given_if_few then 1 else 0 end) <> 1
        or sum(case when best_if_risk then 1 else 0 end) <> 1

{% endtest %}
