-- Posting a document stamps its lines too, so the line's own timestamp tells of both.
select
    sales_document_line.document_no::text as invoice_id,
    sales_document_line.line_no,
    sales_document.debtor_no::text as customer_id,
    sales_document_line.article_no as product_id,
    sales_document.order_no::text as order_id,
    sales_document.document_date as invoice_date,
    case sales_document.kind_code
        when 'INV' then 'invoice'
        when 'CRN' then 'credit_note'
    end as document_type,
    sales_document_line.origin_document_no::text as original_invoice_id,
    sales_document_line.origin_line_no as original_line_no,
    sales_document_line.quantity,
    sales_document_line.list_value as list_amount,
    sales_document_line.rebate_value as discount_amount,
    sales_document_line.net_value as net_amount,
    sales_document_line.cost_value as cost_amount,
    sales_document_line.freight_value as freight_amount,
    sales_document.currency_code as currency,
    sales_document.state_code = 'POSTED' as posted,
    sales_document_line.changed_at as updated_at
from sales_document_line
inner join sales_document
    on sales_document_line.document_no = sales_document.document_no
