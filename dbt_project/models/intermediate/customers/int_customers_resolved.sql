with
customers as (select * from {{ ref('stg_erp__customers') }}),
sales_days as (select * from {{ ref('int_sales_days_known') }}),

survivors as (
    {{ resolve_merges(ref('int_customers_merged'), 'customer_id') }}
),

customers_sold_to as (
    select distinct customer_id
    from sales_days
),

{# A sale to a number that the ERP does not list is kept under that number. #}
all_customers as (
    select
        coalesce(survivors.record_id, customers_sold_to.customer_id) as customer_id,
        coalesce(survivors.survivor_id, customers_sold_to.customer_id) as survivor_id
    from survivors
    full outer join customers_sold_to on survivors.record_id = customers_sold_to.customer_id
),

resolved as (
    select
        all_customers.customer_id,
        all_customers.survivor_id,
        customers.tax_id,
        customers.country,
        customers.region,
        customers.industry,
        customers.account_manager_id,
        customers.customer_id is not null as is_listed,
        coalesce(customers.customer_name, all_customers.survivor_id)
            as customer_name,
        coalesce(customers.status, 'active') = 'internal' as is_internal
    from all_customers
    left join customers on all_customers.survivor_id = customers.customer_id
)

select * from resolved
