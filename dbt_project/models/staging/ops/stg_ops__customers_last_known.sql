with
customers_last_known as (
    select
        customer_id,
        name as customer_name,
        gone_since
    from {{ source('ops', 'customer_last_known') }}
)

select * from customers_last_known
