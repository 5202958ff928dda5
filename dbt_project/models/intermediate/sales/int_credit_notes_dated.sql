with
{# Only those of customers with dirty days, once there are facts. #}
credit_notes as (
    select *
    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'credit_note'
        {% if builds_only_dirty_days() -%}
            and customer_id in (
                select dirty_days.key_id
                from {{ source('ops', 'dirty_day') }} as dirty_days
                where dirty_days.fact = 'sales'
            )
        {%- endif %}
),

sales as (
    select
        invoice_id,
        invoice_date
    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'invoice'
),

sale_days as (
    select
        credit_notes.invoice_id,
        credit_notes.line_no,
        min(sales.invoice_date) as day
    from credit_notes
    inner join sales
        on
            credit_notes.original_invoice_id = sales.invoice_id
            and credit_notes.invoice_date >= sales.invoice_date
    group by credit_notes.invoice_id, credit_notes.line_no
),

dated as (
    select
        credit_notes.invoice_id,
        credit_notes.line_no,
        credit_notes.customer_id,
        credit_notes.product_id,
        credit_notes.order_id,
        credit_notes.document_type,
        credit_notes.quantity,
        credit_notes.list_amount,
        credit_notes.discount_amount,
        credit_notes.net_amount,
        credit_notes.cost_amount,
        credit_notes.freight_amount,
        credit_notes.currency,
        credit_notes.invoice_date as posted_day,
        coalesce(sale_days.day, credit_notes.invoice_date) as day
    from credit_notes
    left join sale_days
        on
            credit_notes.invoice_id = sale_days.invoice_id
            and credit_notes.line_no = sale_days.line_no
)

select * from dated
