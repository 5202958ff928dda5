{{
    config(
        materialized='incremental',
        indexes=[
            {'columns': ['customer_id', 'day', 'product_category'], 'unique': true},
        ],
        pre_hook=[
            "{{ widen_dirty_days_by_prices() }}",
            "{{ delete_dirty_days_from(this) }}",
        ],
    )
}}
-- after {{ ref('int_prices_dated') }},
-- {{ ref('int_prices_remembered') }}
-- and {{ ref('stg_erp__invoice_lines') }}, which tell the days that new prices touch

with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_dated') }}

),

products as (

    select * from {{ ref('stg_erp__products') }}

),

aggregated as (

    select
        invoice_lines.customer_id,
        invoice_lines.day,
        products.product_category,
        cast(count(*) as integer) as order_lines

    from invoice_lines

    inner join products
        on invoice_lines.product_id = products.product_id

    where
        invoice_lines.document_type = 'invoice'
        and products.product_category is not null

    group by
        invoice_lines.customer_id,
        invoice_lines.day,
        products.product_category

)

select * from aggregated
