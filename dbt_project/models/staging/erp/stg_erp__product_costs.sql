with
product_costs as (select * from {{ source('erp', 'product_costs') }}),

renamed as (
    select
        product_id,
        valid_from as valid_from_date,
        valid_to as valid_to_date,
        unit_cost,
        coalesce(currency, '{{ var("base_currency") }}') as currency,
        updated_at
    from product_costs
)

select * from renamed
