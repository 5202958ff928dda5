{{ config(materialized='incremental') }}
with
product_days as (select * from {{ ref('int_product_days_touched') }}),
products as (select * from {{ ref('stg_erp__products') }}),

begun as (
    select
        product_days.customer_id,
        products.product_category,
        min(product_days.day) as first_sale_date
    from product_days
    inner join products on product_days.product_id = products.product_id
    where
        product_days.order_lines > 0
        and products.product_category is not null
    group by product_days.customer_id, products.product_category
)

select * from begun
