with
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
identities as (select * from {{ ref('stg_bi__customer_identities') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),

{# Customers of the last night that have since been merged into another one, or that a
   number has come to or left: a merge, a split, or either undone. #}
mergers as (
    select customers.survivor_id as customer_id
    from remembered
    inner join customers on remembered.customer_id = customers.customer_id
    where customers.customer_id <> customers.survivor_id

    union

    select customers.survivor_id as customer_id
    from identities
    inner join customers on identities.record_id = customers.customer_id
    where identities.customer_id <> customers.survivor_id

    union

    select identities.customer_id
    from identities
    inner join customers on identities.record_id = customers.customer_id
    where identities.customer_id <> customers.survivor_id
)

select * from mergers
