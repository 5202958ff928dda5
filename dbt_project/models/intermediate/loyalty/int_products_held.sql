with
product_days as (select * from {{ ref('fct_product_days') }}),
raised as (select * from {{ ref('int_products_raised') }}),
counted as (select * from {{ ref('int_products_counted') }}),
records as (select * from {{ ref('int_customers_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

bought as (
    select
        records.survivor_id as customer_id,
        sum(case
            when product_days.day > policy.window_start_date then product_days.quantity
            else 0
        end) as quantity_now,
        sum(case
            when product_days.day > policy.window_start_date then 0
            else product_days.quantity
        end) as quantity_before,
        sum(case
            when product_days.day > policy.window_start_date then 0
            else product_days.document_gross_revenue
        end) as amount_before
    from product_days
    inner join raised
        on
            product_days.product_id = raised.product_id
            and product_days.currency = raised.currency
    inner join records on product_days.customer_id = records.customer_id
    inner join policy
        on
            product_days.day > policy.window_before_start_date
            and product_days.day <= policy.business_date
    where product_days.order_lines > 0
    group by records.survivor_id, product_days.product_id, product_days.currency
),

{# What it bought of them before, and how much of that it goes on buying. #}
accepted as (
    select
        customer_id,
        cast(
            sum(amount_before * least(1, quantity_now / quantity_before))
            / nullif(sum(amount_before), 0)
            as numeric(7, 6)
        ) as price_acceptance
    from bought
    where quantity_before > 0
    group by customer_id
)

select
    accepted.price_acceptance,
    coalesce(counted.customer_id, accepted.customer_id) as customer_id,
    coalesce(counted.products_held, 0) as products_held
from counted
full outer join accepted on counted.customer_id = accepted.customer_id
