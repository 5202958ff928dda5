with
customers as (select * from {{ source('erp', 'customers') }}),

renamed as (
    select
        customer_id,
        name as customer_name,
        tax_id,
        domain,
        phone,
        address,
        postal_code,
        city,
        country,
        region,
        industry,
        coalesce(status, 'active') as status,
        customer_since as customer_since_date,
        coalesce(currency, '{{ var("base_currency") }}') as currency,
        credit_limit,
        payment_terms_days,
        parent_customer_id,
        account_manager_id,
        merged_into_id,
        updated_at
    from customers
)

select * from renamed
