with
fx_rates as (select * from {{ source('erp', 'fx_rates') }}),

renamed as (
    select
        currency,
        valid_from as valid_from_date,
        rate,
        updated_at
    from fx_rates
)

select * from renamed
