with
order_days as (select * from {{ ref('int_order_days_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

summed as (
    select
        order_days.customer_id,
        cast(sum(order_days.orders) as integer) as orders,
        cast(sum(case
            when order_days.day > policy.window_start_date then order_days.orders
            else 0
        end) as integer) as orders_12m,
        min(order_days.day) as first_sale_date,
        max(order_days.day) as last_sale_date
    from order_days
    cross join policy
    group by order_days.customer_id
)

select * from summed
