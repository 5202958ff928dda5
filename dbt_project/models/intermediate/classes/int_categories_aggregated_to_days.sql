with
product_days as (select * from {{ ref('fct_product_days') }}),
products as (select * from {{ ref('stg_erp__products') }}),
customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),
policy as (select * from {{ ref('int_policies_selected') }}),

{# Of both windows; what is older is asked by nobody. #}
aggregated as (
    select
        customers.survivor_id as customer_id,
        products.product_category,
        product_days.day,
        cast(sum(product_days.order_lines) as integer) as order_lines
    from product_days
    inner join products on product_days.product_id = products.product_id
    inner join customers on product_days.customer_id = customers.customer_id
    inner join policy
        on product_days.day > least(policy.window_start_date, policy.loyalty_start_date)
    where
        product_days.order_lines > 0
        and product_days.day <= {{ business_date() }}
        and products.product_category is not null
        and not customers.is_internal
    group by customers.survivor_id, products.product_category, product_days.day
)

select * from aggregated
