with
customers as (select * from {{ ref('int_customers_scored') }}),
metrics as (select * from {{ ref('int_metrics_gathered') }}),

{# Customers with the same score are one row, so no order of rows can part them. #}
scores as (
    select
        customers.policy_id,
        customers.business_date,
        customers.tier_score,
        count(*) as ties,
        sum(
            case
                when metrics.contribution_12m > 0 then metrics.contribution_12m else 0
            end
        ) as profit
    from customers
    inner join metrics
        on
            customers.business_date = metrics.business_date
            and customers.customer_id = metrics.customer_id
    group by customers.policy_id, customers.business_date, customers.tier_score
),

placed as (
    select
        *,
        sum(ties) over (
            partition by policy_id, business_date order by tier_score desc
        ) - ties as customers_above,
        sum(ties) over (partition by policy_id, business_date) as customers_ranked,
        sum(profit) over (
            partition by policy_id, business_date order by tier_score desc
        ) - profit as profit_above,
        sum(profit) over (partition by policy_id, business_date) as profit_pool
    from scores
),

typed as (
    select
        policy_id,
        business_date,
        tier_score,
        cast(ties as integer) as ties,
        cast(customers_above + 1 as integer) as score_rank,
        cast(customers_ranked as integer) as customers_ranked,
        cast(1.0 * customers_above / customers_ranked as numeric(14, 10))
            as customer_share_above,
        cast(profit_above / nullif(profit_pool, 0) as numeric(14, 10))
            as profit_share_above
    from placed
)

select * from typed
