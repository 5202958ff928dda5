with
orders as (select * from {{ source('erp', 'orders') }}),

renamed as (
    select
        order_id,
        customer_id,
        order_date,
        requested_date,
        shipped_date,
        status,
        channel,
        updated_at
    from orders
)

select * from renamed
