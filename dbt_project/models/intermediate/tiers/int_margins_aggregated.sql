{{ config(materialized='incremental') }}
with
product_days as (select * from {{ ref('int_product_days_touched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

summed as (
    select
        product_days.customer_id,
        product_days.currency,
        product_days.cost_currency,
        sum(
            product_days.document_gross_revenue - product_days.document_discounts
            - product_days.document_returns - product_days.document_freight
        ) as document_margin,
        sum(
            product_days.document_cost_of_sales - product_days.document_cost_of_returns
        ) as document_cost
    from product_days
    inner join policy
        on
            product_days.day > policy.window_start_date
            and product_days.posted_day <= policy.business_date
    where not product_days.is_internal
    group by product_days.customer_id, product_days.currency, product_days.cost_currency
)

select * from summed
