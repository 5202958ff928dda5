{{ config(materialized='touched') }}
with
product_days as (select * from {{ ref('fct_product_days') }}),
customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),

resolved as (
    select
        customers.survivor_id as customer_id,
        customers.is_internal,
        product_days.day,
        product_days.posted_day,
        product_days.product_id,
        product_days.currency,
        product_days.cost_currency,
        product_days.order_lines,
        product_days.quantity,
        product_days.document_gross_revenue,
        product_days.document_discounts,
        product_days.document_cost_of_sales,
        product_days.document_returns,
        product_days.document_cost_of_returns,
        product_days.document_freight
    from product_days
    inner join customers on product_days.customer_id = customers.customer_id
)

select * from resolved
