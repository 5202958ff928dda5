{{ config(materialized='kept') }}
with
product_days as (select * from {{ ref('fct_product_days') }}),
products as (select * from {{ ref('stg_erp__products') }}),
records as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),

begun as (
    select
        records.survivor_id as customer_id,
        products.product_category,
        min(product_days.day) as first_sale_date
    from product_days
    inner join products on product_days.product_id = products.product_id
    inner join records on product_days.customer_id = records.customer_id
    where
        product_days.order_lines > 0
        and products.product_category is not null
    group by records.survivor_id, products.product_category
)

select * from begun
