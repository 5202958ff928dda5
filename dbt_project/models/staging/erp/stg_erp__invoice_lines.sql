-- Without CTEs: PostgreSQL merges such a view into the query that reads it and so finds
-- the lines of a dirty day through an index. A view with CTEs it would read whole.
select
    invoice_lines.invoice_id,
    invoice_lines.line_no,
    invoice_lines.customer_id,
    invoice_lines.product_id,
    invoice_lines.order_id,
    invoice_lines.invoice_date,
    invoice_lines.document_type,
    {# what is said, else what can only be money: an amount for no units, or against its invoice #}
    case
        when invoice_lines.line_kind <> 'goods' then invoice_lines.line_kind
        when invoice_lines.quantity = 0 then 'price'
        when
            invoice_lines.document_type = 'invoice'
            and invoice_lines.net_amount < 0
            and invoice_lines.quantity > 0
            then 'price'
        else 'goods'
    end as line_kind,
    invoice_lines.original_invoice_id,
    invoice_lines.original_line_no,
    invoice_lines.updated_at,
    invoice_lines.document_sign * invoice_lines.quantity as quantity,
    invoice_lines.document_sign * invoice_lines.list_amount as list_amount,
    invoice_lines.document_sign * invoice_lines.discount_amount as discount_amount,
    invoice_lines.document_sign * invoice_lines.net_amount as net_amount,
    invoice_lines.document_sign * invoice_lines.cost_amount as cost_amount,
    invoice_lines.document_sign * invoice_lines.freight_amount as freight_amount,
    coalesce(invoice_lines.currency, '{{ var("base_currency") }}') as currency,
    coalesce(invoice_lines.posted, true) as is_posted

from (
    select
        *,
        case when document_type = 'credit_note' then -1 else 1 end as document_sign
    from {{ source('erp', 'invoice_lines') }}
) as invoice_lines
