with
orders as (select * from {{ ref('stg_erp__orders') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

{# What left after the business date had not left on it; who cancelled is not known. #}
deliveries as (
    select
        customers.survivor_id as customer_id,
        count(*) as orders_due,
        sum(case
            when
                orders.shipped_date <= policy.business_date
                and orders.shipped_date <= orders.requested_date then 0
            when
                coalesce(orders.shipped_date > policy.business_date, true)
                and orders.requested_date >= policy.business_date then 0
            else 1
        end) as orders_late
    from orders
    inner join customers on orders.customer_id = customers.customer_id
    inner join policy
        on
            orders.order_date <= policy.business_date
            and orders.requested_date <= policy.business_date
            and orders.requested_date > {{ months_before(3, 'policy.business_date') }}
    where
        coalesce(orders.status, 'open') = 'open'
        or (orders.status = 'shipped' and orders.shipped_date is not null)
    group by customers.survivor_id
)

select * from deliveries
