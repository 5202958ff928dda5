{#- Each customer beside all others of the night that it is compared with. -#}
with
compared as (select * from {{ ref('int_receipts_compared') }}),

{# All that is known of those nights: the last one, and those before spells. #}
remembered as (
    {% for nights in ['stg_bi__tier_decisions', 'int_receipts_recalled'] -%}
        select
            *,
            {{ margin('cm1', of_window=true) }} as cm1_12m
        from {{ ref(nights) }}
        where score_rank is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# Every amount of the two nights; those of the night before are what is measured by. #}
both_nights as (
    select
        compared.business_date as compared_with,
        components.customer_id,
        components.component,
        components.weight,
        components.metric,
        0 as is_before
    from {{ ref('int_components_scored') }} as components
    inner join {{ ref('int_policies_applied') }} as policies
        on
            components.policy_id = policies.policy_id
            and policies.role = 'leading'
    inner join compared on components.customer_id = compared.customer_id

    union all

    select
        remembered.business_date as compared_with,
        remembered.customer_id,
        weights.component,
        weights.weight,
        {{ component_metric('weights', 'remembered') }} as metric,
        1 as is_before
    from remembered
    inner join {{ ref('int_weights_in_force') }} as weights
        on remembered.policy_id = weights.policy_id
),

counted as (
    select
        *,
        case when metric is not null then is_before else 0 end as is_measured,
        max(case when is_before = 1 then metric end) over (
            partition by compared_with, component, customer_id
        ) as own_metric_before
    from both_nights
),

placed as (
    select
        *,
        sum(is_measured) over (partition by compared_with, component order by metric)
        - sum(is_measured) over (partition by compared_with, component, metric)
            as customers_below,
        sum(is_measured) over (partition by compared_with, component) as customers_measured
    from counted
),

{# What each customer would score tonight if all others were as the night before. #}
alone as (
    select
        compared_with,
        customer_id,
        component,
        weight,
        case
            when component = 'loyalty' or metric is null then metric
            else {{ percent_rank_without_self() }}
        end as score
    from placed
    where is_before = 0
),

both_scores as (
    select
        compared_with,
        customer_id,
        {{ weighted_score() }} as tier_score,
        0 as is_before
    from alone
    group by compared_with, customer_id

    union all

    select
        business_date as compared_with,
        customer_id,
        tier_score,
        1 as is_before
    from remembered
),

scores_placed as (
    select
        *,
        sum(is_before) over (partition by compared_with order by tier_score desc)
        - sum(is_before) over (partition by compared_with, tier_score) as customers_above,
        max(case when is_before = 1 then tier_score end) over (
            partition by compared_with, customer_id
        ) as own_score_before
    from both_scores
),

moved as (
    select
        customer_id,
        tier_score as tier_score_alone,
        cast(
            customers_above + 1
            - case when own_score_before > tier_score then 1 else 0 end as integer
        ) as score_rank_alone
    from scores_placed
    where
        is_before = 0
        and own_score_before is not null
)

select * from moved
