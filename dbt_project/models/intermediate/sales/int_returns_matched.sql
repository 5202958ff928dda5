with
unlinked as (
    select *
    from {{ ref('int_credit_notes_touched') }}
    where {{ is_return_without_link() }}
),

matched as (
    {{ probable_sale_days('unlinked') }}
)

select * from matched
