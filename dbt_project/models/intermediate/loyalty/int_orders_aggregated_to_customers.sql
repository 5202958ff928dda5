with

order_days as (

    select * from {{ ref('int_order_days_resolved') }}

),

summed as (

    select
        customer_id,
        min(day) as first_sale_date,
        max(day) as last_sale_date,
        cast(sum(orders) as integer) as orders

    from order_days
    group by customer_id

)

select * from summed
