with
order_days as (select * from {{ ref('int_order_days_resolved') }}),

summed as (
    select
        customer_id,
        cast(sum(orders) as integer) as orders,
        min(day) as first_sale_date,
        max(day) as last_sale_date
    from order_days
    group by customer_id
)

select * from summed
