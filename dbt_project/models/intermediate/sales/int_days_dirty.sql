{{
    config(
        materialized='view',
        pre_hook=[
            "{{ planned_without_loops() }}",
            "{{ widen_dirty_days_by_returns() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
        ],
    )
}}
-- after {{ ref('int_returns_dirty') }} and {{ ref('stg_erp__invoice_lines') }},
-- which tell the days that returns touch, and so after those that new prices touch
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
