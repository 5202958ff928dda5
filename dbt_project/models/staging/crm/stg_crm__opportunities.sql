with
opportunities as (select * from {{ source('crm', 'opportunities') }}),

renamed as (
    select
        opportunity_id,
        account_id,
        stage,
        amount,
        coalesce(currency, '{{ var("base_currency") }}') as currency,
        probability,
        expected_close as expected_close_date,
        opened_at,
        closed_at,
        {{ utc_date('opened_at') }} as opened_date,
        {{ utc_date('closed_at') }} as closed_date,
        won as is_won,
        referred_by_account_id,
        updated_at
    from opportunities
)

select * from renamed
