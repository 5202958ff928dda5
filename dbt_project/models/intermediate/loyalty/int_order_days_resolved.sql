{{ config(materialized='incremental') }}
with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),

{# A day of which all goods came back, as far as is known, is no day of an order. #}
order_days as (
    select
        customers.survivor_id as customer_id,
        sales_days.day,
        sum(sales_days.orders) as orders
    from sales_days
    inner join customers on sales_days.customer_id = customers.customer_id
    where not customers.is_internal
    group by customers.survivor_id, sales_days.day
    having
        sum(sales_days.order_lines) > 0
        and sum(sales_days.units) > 0
)

select * from order_days
