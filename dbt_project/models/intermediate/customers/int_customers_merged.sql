with
customers as (select * from {{ ref('stg_erp__customers') }}),
decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),

latest as (
    select
        customer_id,
        max(decision_id) as decision_id
    from decisions
    where kind in ('merge', 'split')
    group by customer_id
),

{# What a person decided goes before what the ERP says. #}
merged as (
    select
        customers.customer_id,
        case
            when decisions.kind is null then customers.merged_into_id
            when decisions.kind = 'merge' then decisions.into_customer_id
        end as merged_into_id
    from customers
    left join latest on customers.customer_id = latest.customer_id
    left join decisions on latest.decision_id = decisions.decision_id
)

select * from merged
