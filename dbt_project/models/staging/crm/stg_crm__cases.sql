with
cases as (select * from {{ source('crm', 'cases') }}),

renamed as (
    select
        case_id,
        account_id,
        kind as case_kind,
        severity,
        status,
        opened_at,
        first_response_at,
        closed_at,
        {{ utc_date('opened_at') }} as opened_date,
        updated_at
    from cases
)

select * from renamed
