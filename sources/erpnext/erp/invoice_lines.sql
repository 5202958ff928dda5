-- docstatus: 0 draft, 1 submitted, 2 cancelled; only submitted documents count. A return carries
-- negative quantities and amounts. base_ amounts are in the company's currency.
-- A line typed without an item is sold as item `-`.
select
    d.name as invoice_id,
    l.idx as line_no,
    d.customer as customer_id,
    coalesce(l.item_code, '-') as product_id,
    l.sales_order as order_id,
    d.posting_date as invoice_date,
    case when d.is_return = 1 then 'credit_note' else 'invoice' end as document_type,
    d.return_against as original_invoice_id,
    case when d.is_return = 1 then -l.qty else l.qty end as quantity,
    case when d.is_return = 1 then -l.base_net_amount else l.base_net_amount end as net_amount,
    d.docstatus = 1 as posted,
    greatest(l.modified, d.modified) as updated_at
from `tabSales Invoice Item` as l
inner join `tabSales Invoice` as d on l.parent = d.name
where l.qty <> 0
