{{ config(materialized='incremental') }}
with
{{ effects_measured(ref('int_products_compared')) }}

select * from summed
