with
customers as (select * from {{ ref('int_customers_resolved') }}),
sales_days as (select * from {{ ref('int_sales_days_known') }}),

excluded as (
    select
        customers.customer_id,
        customers.survivor_id,
        'internal' as reason,
        coalesce(sum(sales_days.order_lines), 0) as order_lines,
        coalesce(sum(sales_days.net_revenue), 0) as net_revenue,
        coalesce(sum(sales_days.cogs), 0) as cogs
    from customers
    left join sales_days on customers.customer_id = sales_days.customer_id
    where customers.is_internal
    group by customers.customer_id, customers.survivor_id
)

select * from excluded
