{{ config(materialized='incremental') }}
with
category_days as (select * from {{ ref('int_categories_aggregated_to_days') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

bought as (
    select
        category_days.customer_id,
        category_days.product_category,
        sum(category_days.order_lines) as order_lines
    from category_days
    inner join policy on category_days.day > policy.window_start_date
    group by category_days.customer_id, category_days.product_category
)

select * from bought
