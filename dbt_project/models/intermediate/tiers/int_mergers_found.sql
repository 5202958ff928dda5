with

remembered as (

    select * from {{ ref('stg_bi__tier_decisions') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

{# Customers of the last night that have since been merged into another one. #}
mergers as (

    select distinct customers.survivor_id as customer_id

    from remembered

    inner join customers
        on remembered.customer_id = customers.customer_id

    where customers.customer_id <> customers.survivor_id

)

select * from mergers
