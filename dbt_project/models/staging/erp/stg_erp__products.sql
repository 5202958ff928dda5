with
products as (select * from {{ source('erp', 'products') }}),

renamed as (
    select
        product_id,
        name as product_name,
        category as product_category,
        unit,
        standard_cost,
        updated_at
    from products
)

select * from renamed
