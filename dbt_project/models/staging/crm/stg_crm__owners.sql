with
owners as (select * from {{ source('crm', 'owners') }}),

renamed as (
    select
        owner_id,
        name as owner_name,
        email as owner_email,
        manager_id,
        updated_at,
        coalesce(locale, 'en') as locale,
        coalesce(active, true) as is_active
    from owners
)

select * from renamed
