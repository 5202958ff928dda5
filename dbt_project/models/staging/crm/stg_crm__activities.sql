with

activities as (

    select * from {{ source('crm', 'activities') }}

),

renamed as (

    select
        activity_id,
        account_id,
        owner_id,
        kind as activity_kind,
        contact_level,
        minutes,
        activities.at as took_place_at,
        {{ utc_date('activities.at') }} as took_place_date,
        updated_at

    from activities

)

select * from renamed
