with

sales_days as (

    select * from {{ ref('fct_sales_days') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

order_days as (

    select
        customers.survivor_id as customer_id,
        sales_days.day,
        sum(sales_days.orders) as orders,
        sum(sales_days.net_revenue) as net_revenue

    from sales_days

    inner join customers
        on sales_days.customer_id = customers.customer_id

    inner join policy
        on sales_days.day <= policy.business_date

    where
        sales_days.order_lines > 0
        and not customers.is_internal

    group by
        customers.survivor_id,
        sales_days.day

)

select * from order_days
