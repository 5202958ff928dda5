with
customer_keys as (
    select
        customer_key,
        system as source_system,
        record_id
    from {{ source('ops', 'customer_key') }}
)

select * from customer_keys
