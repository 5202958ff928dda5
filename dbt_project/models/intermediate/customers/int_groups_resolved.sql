with
customers as (select * from {{ ref('int_customers_resolved') }}),
listed as (select * from {{ ref('stg_erp__customers') }}),

survivors as (
    select *
    from customers
    where
        customer_id = survivor_id
        and not is_internal
),

{# A head that was merged away is the customer that is left of it; one that is nobody, or
   our own company, heads no group. #}
parents as (
    select
        survivors.customer_id,
        heads.customer_id as merged_into_id
    from survivors
    left join listed on survivors.customer_id = listed.customer_id
    left join customers as named on listed.parent_customer_id = named.customer_id
    left join survivors as heads on named.survivor_id = heads.customer_id
),

groups as (
    {{ resolve_merges('parents', 'customer_id') }}
),

resolved as (
    select
        record_id as customer_id,
        survivor_id as group_id,
        count(*) over (partition by survivor_id) as group_customers
    from groups
)

select * from resolved
