with
credit_notes as (
    select invoice_lines.*
    from {{ ref('stg_erp__invoice_lines') }} as invoice_lines
    {{ only_posted_on_touched_days('invoice_lines') }}
    where
        invoice_lines.is_posted
        and invoice_lines.document_type = 'credit_note'
        and invoice_lines.line_kind <> 'down_payment'
)

select * from credit_notes
