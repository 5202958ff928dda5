{%- set only_dirty_days = builds_only_dirty_days() -%}
with

{% if only_dirty_days -%}
    dirty_days as (

        select
            key_id as customer_id,
            day

        from {{ source('ops', 'dirty_day') }}
        where fact = 'sales'

    ),

{% endif -%}
{# Each CTE over the lines is read once, so that PostgreSQL looks up, not scans. #}
invoices as (

    select
        invoice_lines.*,
        invoice_lines.invoice_date as day

    from {{ ref('stg_erp__invoice_lines') }} as invoice_lines

    {% if only_dirty_days -%}
        inner join dirty_days
            on
                invoice_lines.customer_id = dirty_days.customer_id
                and invoice_lines.invoice_date = dirty_days.day

    {% endif -%}
    where
        invoice_lines.is_posted
        and invoice_lines.document_type = 'invoice'

),

original_lines as (

    select
        invoice_id,
        invoice_date

    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'invoice'

),

credit_note_lines as (

    select *
    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'credit_note'
        {% if only_dirty_days -%}
            and customer_id in (select dirty_days.customer_id from dirty_days)
        {%- endif %}

),

originals as (

    select
        credit_note_lines.invoice_id,
        credit_note_lines.line_no,
        min(original_lines.invoice_date) as original_date

    from credit_note_lines

    inner join original_lines
        on credit_note_lines.original_invoice_id = original_lines.invoice_id

    group by
        credit_note_lines.invoice_id,
        credit_note_lines.line_no

),

credit_notes as (

    select
        credit_note_lines.*,
        coalesce(originals.original_date, credit_note_lines.invoice_date) as day

    from credit_note_lines

    left join originals
        on
            credit_note_lines.invoice_id = originals.invoice_id
            and credit_note_lines.line_no = originals.line_no

),

dated as (

    select
        invoice_id,
        line_no,
        customer_id,
        product_id,
        order_id,
        original_invoice_id,
        document_type,
        quantity,
        list_amount,
        discount_amount,
        net_amount,
        cost_amount,
        freight_amount,
        currency,
        day

    from invoices

    union all

    select
        credit_notes.invoice_id,
        credit_notes.line_no,
        credit_notes.customer_id,
        credit_notes.product_id,
        credit_notes.order_id,
        credit_notes.original_invoice_id,
        credit_notes.document_type,
        credit_notes.quantity,
        credit_notes.list_amount,
        credit_notes.discount_amount,
        credit_notes.net_amount,
        credit_notes.cost_amount,
        credit_notes.freight_amount,
        credit_notes.currency,
        credit_notes.day

    from credit_notes

    {% if only_dirty_days -%}
        inner join dirty_days
            on
                credit_notes.customer_id = dirty_days.customer_id
                and credit_notes.day = dirty_days.day
    {%- endif %}

)

select * from dated
