{{ config(materialized='incremental') }}
-- empty when it is made; int_customers_touched, int_days_rebuilt and the kept tables write it,
-- each in its own transaction
with
inputs as (
    select
        kind,
        key_id,
        input_value
    from {{ ref('int_inputs_gathered') }}
    where false
)

select * from inputs
