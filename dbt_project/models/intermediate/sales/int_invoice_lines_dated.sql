{%- set columns = [
    'invoice_id', 'line_no', 'customer_id', 'product_id', 'order_id', 'document_type',
    'line_kind', 'quantity', 'list_amount', 'discount_amount', 'net_amount', 'cost_amount',
    'freight_amount', 'currency', 'posted_day', 'day', 'valued_day', 'is_matched',
    'is_without_sale'
] -%}
with
{# Each CTE over the lines is read once, so that PostgreSQL looks up, not scans. #}
invoices as (
    select
        *,
        invoice_date as posted_day,
        invoice_date as day,
        invoice_date as valued_day,
        false as is_matched,
        quantity < 0 and line_kind = 'goods' as is_without_sale
    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'invoice'
        and line_kind <> 'down_payment'
),

credit_notes as (select * from {{ ref('int_credit_notes_dated') }}),

dated as (
    select {{ listed(columns, 'invoices') }}
    from invoices
    {{ only_dirty_days('invoices') }}

    union all

    select {{ listed(columns, 'credit_notes') }}
    from credit_notes
    {{ only_dirty_days('credit_notes') }}
)

select * from dated
