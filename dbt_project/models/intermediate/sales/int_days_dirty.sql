{{
    config(
        materialized='view',
        pre_hook=[
            "{{ widen_dirty_days_by_prices() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
            "{{ widen_dirty_days_by_returns() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
        ],
    )
}}
-- after {{ ref('int_prices_dated') }},
-- {{ ref('int_prices_remembered') }}, {{ ref('stg_erp__receivables') }}
-- and {{ ref('stg_erp__invoice_lines') }}, which tell the days that new prices and returns touch
with
dirty_days as (select * from {{ source('ops', 'dirty_day') }}),

of_sales as (
    select
        key_id as customer_id,
        day
    from dirty_days
    where fact = 'sales'
)

select * from of_sales
