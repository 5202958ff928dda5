with
surveys as (select * from {{ source('crm', 'surveys') }}),

renamed as (
    select
        survey_id,
        account_id,
        kind as survey_kind,
        score,
        sent_at,
        answered_at,
        {{ utc_date('sent_at') }} as sent_date,
        {{ utc_date('answered_at') }} as answered_date,
        updated_at
    from surveys
)

select * from renamed
