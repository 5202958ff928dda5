with

owners as (

    select * from {{ source('crm', 'owners') }}

),

renamed as (

    select
        owner_id,
        name as owner_name,
        email as owner_email,
        coalesce(locale, 'en') as locale,
        manager_id,
        coalesce(active, true) as is_active,
        updated_at

    from owners

)

select * from renamed
