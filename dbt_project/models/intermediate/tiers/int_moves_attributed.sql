with

components as (

    select components.*
    from {{ ref('int_components_scored') }} as components

    inner join {{ ref('int_policies_applied') }} as policies
        on components.policy_id = policies.policy_id

    where policies.role = 'leading'

),

remembered as (

    select
        *,
        {{ margin('cm1', of_window=true) }} as cm1_12m

    from {{ ref('stg_bi__tier_decisions') }}
    where score_rank is not null

),

weights as (

    select * from {{ ref('score_weights') }}

),

before as (

    select
        remembered.customer_id,
        weights.component,
        {{ component_metric('weights', 'remembered') }} as metric

    from remembered

    inner join weights
        on remembered.policy_id = weights.policy_id

),

{# Every amount of the two nights, with the customers of the night before that had it. #}
amounts as (

    select
        component,
        metric,
        sum(customers_before) as customers_before

    from (
        select
            component,
            metric,
            1 as customers_before
        from before
        where metric is not null
        union all
        select
            component,
            metric,
            0 as customers_before
        from components
        where metric is not null
    ) as both_nights
    group by component, metric

),

amounts_placed as (

    select
        component,
        metric,
        sum(customers_before) over (partition by component order by metric)
        - customers_before as customers_below,
        sum(customers_before) over (partition by component) as customers_measured

    from amounts

),

{# What each customer would score tonight if all others were as the night before. #}
component_alone as (

    select
        components.customer_id,
        components.weight,
        case
            when components.component = 'loyalty' then components.metric
            else {{ percent_rank_without_self() }}
        end as score

    from components

    left join before
        on
            components.customer_id = before.customer_id
            and components.component = before.component

    left join amounts_placed
        on
            components.component = amounts_placed.component
            and components.metric = amounts_placed.metric

),

alone as (

    select
        customer_id,
        {{ weighted_score() }} as tier_score_alone

    from component_alone
    group by customer_id

),

scores as (

    select
        tier_score,
        sum(customers_before) as customers_before

    from (
        select
            tier_score,
            1 as customers_before
        from remembered
        union all
        select
            tier_score_alone as tier_score,
            0 as customers_before
        from alone
    ) as both_nights
    group by tier_score

),

scores_placed as (

    select
        tier_score,
        sum(customers_before) over (order by tier_score desc) - customers_before
            as customers_above

    from scores

),

moved as (

    select
        remembered.customer_id,
        alone.tier_score_alone,
        cast(
            scores_placed.customers_above + 1
            - case when remembered.tier_score > alone.tier_score_alone then 1 else 0 end
            as integer
        ) as score_rank_alone

    from remembered

    inner join alone
        on remembered.customer_id = alone.customer_id

    inner join scores_placed
        on alone.tier_score_alone = scores_placed.tier_score

)

select * from moved
