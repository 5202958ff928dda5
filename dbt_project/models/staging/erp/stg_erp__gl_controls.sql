with
gl_controls as (select * from {{ source('erp', 'gl_controls') }}),

renamed as (
    select
        period as month_start_date,
        account_kind,
        amount,
        updated_at
    from gl_controls
)

select * from renamed
