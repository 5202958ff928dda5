{{ config(materialized='kept') }}
with
product_days as (select * from {{ ref('fct_product_days') }}),
records as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),
policy as (select * from {{ ref('int_policies_selected') }}),

bought as (
    select
        records.survivor_id as customer_id,
        product_days.product_id
    from product_days
    inner join records on product_days.customer_id = records.customer_id
    inner join policy
        on
            product_days.day > policy.window_start_date
            and product_days.day <= policy.business_date
    where product_days.order_lines > 0
    group by records.survivor_id, product_days.product_id, product_days.currency
    having sum(product_days.quantity) > 0
),

counted as (
    select
        customer_id,
        cast(count(distinct product_id) as integer) as products_held
    from bought
    group by customer_id
)

select * from counted
