with
metrics as (
    select
        *,
        {{ margin('cm1', of_window=true) }} as cm1_12m
    from {{ ref('int_metrics_gathered') }}
),

policies as (select * from {{ ref('int_policies_applied') }}),
weights as (select * from {{ ref('int_weights_in_force') }}),

{# New customers are not ranked against others. #}
ranked as (
    select
        policies.policy_id,
        policies.business_date,
        metrics.customer_id,
        weights.component,
        weights.weight,
        {{ component_metric('weights', 'metrics') }} as metric
    from policies
    inner join metrics
        on
            policies.business_date = metrics.business_date
            and policies.latest_first_sale_date >= metrics.first_sale_date
            and policies.minimum_orders <= metrics.orders
    inner join weights
        on
            policies.policy_id = weights.policy_id
            and policies.business_date = weights.business_date
),

{# One row per amount, not per customer: equal amounts get equal scores. #}
amounts as (
    select
        policy_id,
        business_date,
        component,
        metric,
        count(*) as customers
    from ranked
    where metric is not null
    group by policy_id, business_date, component, metric
),

placed as (
    select
        *,
        sum(customers) over (
            partition by policy_id, business_date, component
            order by metric
        ) - customers as customers_below,
        sum(customers) over (
            partition by policy_id, business_date, component
        ) as customers_measured
    from amounts
),

scored as (
    select
        ranked.*,
        cast(
            case
                when ranked.component = 'loyalty' then ranked.metric
                when placed.customers_measured = 1 then 100
                else 100.0 * placed.customers_below / (placed.customers_measured - 1)
            end as numeric(7, 4)
        ) as score
    from ranked
    left join placed
        on
            ranked.policy_id = placed.policy_id
            and ranked.business_date = placed.business_date
            and ranked.component = placed.component
            and ranked.metric = placed.metric
)

select * from scored
