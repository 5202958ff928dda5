with
customers as (select * from {{ ref('stg_erp__customers') }}),
decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),
policies as (select * from {{ ref('int_policies_selected') }}),

latest as (
    select
        customer_id,
        max(decision_id) as decision_id
    from decisions
    where kind in ('merge', 'split')
    group by customer_id
),

{# What a person decided goes before what the ERP says. #}
decided as (
    select
        customers.customer_id,
        customers.parent_customer_id,
        case
            when decisions.kind is null then customers.merged_into_id
            when decisions.kind = 'merge' then decisions.into_customer_id
        end as merged_into_id
    from customers
    left join latest on customers.customer_id = latest.customer_id
    left join decisions on latest.decision_id = decisions.decision_id

    union all

    {# Numbers that the ERP lists no more, such as those that it replaced. #}
    select
        decisions.customer_id,
        cast(null as {{ dbt.type_string() }}) as parent_customer_id,
        decisions.into_customer_id as merged_into_id
    from latest
    inner join decisions on latest.decision_id = decisions.decision_id
    left join customers on latest.customer_id = customers.customer_id
    where
        decisions.kind = 'merge'
        and customers.customer_id is null
),

{# Where groups are ranked, each member counts as its parent, unless that is our own company. #}
heads as (
    select customers.customer_id
    from customers
    inner join policies on policies.rollup_level = 'group'
    where coalesce(customers.status, 'active') <> 'internal'
),

merged as (
    select
        decided.customer_id,
        coalesce(decided.merged_into_id, heads.customer_id) as merged_into_id
    from decided
    left join heads on decided.parent_customer_id = heads.customer_id
)

select * from merged
