with
activities as (select * from {{ source('crm', 'activities') }}),

renamed as (
    select
        activities.activity_id,
        activities.account_id,
        activities.owner_id,
        activities.kind as activity_kind,
        activities.contact_level,
        activities.minutes,
        activities.at as took_place_at,
        {{ utc_date('activities.at') }} as took_place_date,
        activities.updated_at
    from activities
)

select * from renamed
