{{ config(materialized='incremental') }}
with
product_days as (select * from {{ ref('int_product_days_touched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

bought as (
    select
        product_days.customer_id,
        product_days.product_id
    from product_days
    inner join policy
        on
            product_days.day > policy.window_start_date
            and product_days.day <= policy.business_date
    where product_days.order_lines > 0
    group by product_days.customer_id, product_days.product_id, product_days.currency
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
