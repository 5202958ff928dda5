{{ config(materialized='incremental') }}
with
product_days as (select * from {{ ref('int_product_days_touched') }}),
products as (select * from {{ ref('stg_erp__products') }}),

placed as (
    select
        product_days.*,
        coalesce(products.product_category, 'none') as product_category,
        {{ quarter_of('product_days.day') }} as which
    from product_days
    left join products on product_days.product_id = products.product_id
    where
        product_days.day >= {{ quarter_start(1) }}
        and product_days.day < {{ quarter_end() }}
        and product_days.posted_day <= {{ business_date() }}
        and not product_days.is_internal
),

summed as (
    select
        {% for line in lines_of_goods() -%}
            sum(document_{{ line }}) as document_{{ line }},
        {% endfor -%}
        customer_id,
        product_category,
        which,
        currency,
        cost_currency
    from placed
    where which is not null
    group by customer_id, product_category, which, currency, cost_currency
)

select * from summed
