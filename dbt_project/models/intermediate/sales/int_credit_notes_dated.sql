with
credit_notes as (select * from {{ ref('int_credit_notes_touched') }}),

sales as (
    select
        invoice_id,
        invoice_date
    from {{ ref('stg_erp__invoice_lines') }}
    where
        is_posted
        and document_type = 'invoice'
        {# so that the few that are named are looked for, not among all #}
        and invoice_id in (select credit_notes.original_invoice_id from credit_notes)
),

named_days as (
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

probable_days as (select * from {{ ref('int_returns_matched') }}),

dated as (
    select
        credit_notes.invoice_id,
        credit_notes.line_no,
        credit_notes.customer_id,
        credit_notes.product_id,
        credit_notes.order_id,
        credit_notes.document_type,
        credit_notes.line_kind,
        credit_notes.quantity,
        credit_notes.list_amount,
        credit_notes.discount_amount,
        credit_notes.net_amount,
        credit_notes.cost_amount,
        credit_notes.freight_amount,
        credit_notes.currency,
        credit_notes.invoice_date as posted_day,
        coalesce(named_days.day, probable_days.day, credit_notes.invoice_date) as day,
        {# What is only probable is not valued by it: a ledger cannot know it. #}
        coalesce(named_days.day, credit_notes.invoice_date) as valued_day,
        probable_days.day is not null as is_matched,
        coalesce(named_days.day, probable_days.day) is null
        and credit_notes.line_kind = 'goods' as is_without_sale
    from credit_notes
    left join named_days
        on
            credit_notes.invoice_id = named_days.invoice_id
            and credit_notes.line_no = named_days.line_no
    left join probable_days
        on
            credit_notes.invoice_id = probable_days.invoice_id
            and credit_notes.line_no = probable_days.line_no
)

select * from dated
