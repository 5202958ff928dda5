with
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
order_days as (select * from {{ ref('int_order_days_resolved') }}),
sales_days as (select * from {{ ref('int_sales_days_known') }}),
survivors as (select * from {{ ref('int_customers_resolved') }}),

policy as (
    select
        *,
        {{ months_before(6, 'business_date') }} as half_start_date,
        {{ months_before(12, 'business_date') }} as year_start_date
    from {{ ref('int_policies_selected') }}
),

orders as (
    select
        order_days.customer_id,
        count(*) as order_days,
        sum(case
            when order_days.day > policy.window_start_date then order_days.orders
            else 0
        end) as orders_12m
    from order_days
    cross join policy
    group by order_days.customer_id
),

revenues as (
    select
        survivors.survivor_id as customer_id,
        greatest(sum(case
            when sales_days.day > policy.half_start_date then sales_days.net_revenue
            else 0
        end), 0) as net_revenue_now,
        greatest(sum(case
            when sales_days.day > policy.half_start_date then 0
            else sales_days.net_revenue
        end), 0) as net_revenue_before
    from sales_days
    inner join survivors on sales_days.customer_id = survivors.customer_id
    inner join policy on sales_days.day > policy.year_start_date
    group by survivors.survivor_id
),

{# Two order days have one interval, which is no habit yet. A customer who was not there
   for both halves of the year has no trend. #}
measured as (
    select
        customers.customer_id,
        customers.orders,
        cast(orders.orders_12m as integer) as orders_12m,
        cast(
            {{ dbt.datediff(
                'customers.first_sale_date', 'policy.business_date', 'day'
            ) }} * 12 / 365.25 as numeric(9, 2)
        ) as tenure_months,
        {{ dbt.datediff('customers.last_sale_date', 'policy.business_date', 'day') }}
            as recency_days,
        case
            when orders.order_days >= 3
                then cast(
                    1.0
                    * {{ dbt.datediff(
                        'customers.last_sale_date', 'policy.business_date', 'day'
                    ) }}
                    * (orders.order_days - 1)
                    / {{ dbt.datediff(
                        'customers.first_sale_date', 'customers.last_sale_date', 'day'
                    ) }} as numeric(9, 2)
                )
        end as recency_intervals,
        case
            when customers.first_sale_date <= policy.year_start_date
                then cast(
                    (revenues.net_revenue_now - revenues.net_revenue_before)
                    / nullif(revenues.net_revenue_now + revenues.net_revenue_before, 0)
                    as numeric(7, 4)
                )
        end as trend
    from customers
    cross join policy
    inner join orders on customers.customer_id = orders.customer_id
    left join revenues on customers.customer_id = revenues.customer_id
)

select * from measured
