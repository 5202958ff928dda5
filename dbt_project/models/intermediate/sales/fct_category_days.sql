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
-- after {{ ref('int_prices_dated') }}
-- and {{ ref('stg_erp__invoice_lines') }}, which tell the days that new prices touch

with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_costed') }}

),

aggregated as (

    select
        customer_id,
        day,
        product_category,
        cast(count(*) as integer) as order_lines

    from invoice_lines
    where
        not is_return
        and product_category is not null

    group by
        customer_id,
        day,
        product_category

)

select * from aggregated
