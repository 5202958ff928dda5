with
receivables as (select * from {{ source('erp', 'receivables') }}),

renamed as (
    select
        invoice_id,
        customer_id,
        issued as issued_date,
        due_date,
        paid_date,
        amount,
        coalesce(paid_amount, 0) as paid_amount,
        written_off_amount,
        coalesce(currency, '{{ var("base_currency") }}') as currency,
        coalesce(disputed, false) as is_disputed,
        updated_at
    from receivables
)

select * from renamed
