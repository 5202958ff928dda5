{{ config(materialized='incremental') }}
with
{# All customers' when another month is over, which int_product_days_touched does not have. #}
product_days as (select * from {{ ref('fct_product_days') }}),

customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),

products as (select * from {{ ref('stg_erp__products') }}),

placed as (
    select
        product_days.*,
        customers.survivor_id,
        coalesce(products.product_category, 'none') as product_category,
        {{ quarter_of('product_days.day') }} as which
    from product_days
    inner join customers on product_days.customer_id = customers.customer_id
    left join products on product_days.product_id = products.product_id
    where
        product_days.day >= {{ quarter_start(1) }}
        and product_days.day < {{ quarter_end() }}
        and product_days.posted_day <= {{ business_date() }}
        and not customers.is_internal
),

summed as (
    select
        {% for line in lines_of_goods() -%}
            sum(document_{{ line }}) as document_{{ line }},
        {% endfor -%}
        survivor_id as customer_id,
        product_category,
        which,
        currency,
        cost_currency
    from placed
    where which is not null
    group by survivor_id, product_category, which, currency, cost_currency
)

select * from summed
