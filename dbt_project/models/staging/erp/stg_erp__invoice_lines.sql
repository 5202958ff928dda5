with

invoice_lines as (

    select
        *,
        case when document_type = 'credit_note' then -1 else 1 end as document_sign

    from {{ source('erp', 'invoice_lines') }}

),

renamed as (

    select
        invoice_id,
        line_no,
        customer_id,
        product_id,
        order_id,
        invoice_date,
        document_type,
        original_invoice_id,
        original_line_no,
        document_sign * quantity as quantity,
        document_sign * list_amount as list_amount,
        document_sign * discount_amount as discount_amount,
        document_sign * net_amount as net_amount,
        document_sign * cost_amount as cost_amount,
        document_sign * freight_amount as freight_amount,
        coalesce(currency, '{{ var("base_currency") }}') as currency,
        coalesce(posted, true) as is_posted,
        updated_at

    from invoice_lines

)

select * from renamed
