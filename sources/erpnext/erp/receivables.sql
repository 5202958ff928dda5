-- outstanding_amount is in the customer's account currency, so it is converted like the document.
select
    d.name as invoice_id,
    d.customer as customer_id,
    d.posting_date as issued,
    coalesce(d.due_date, d.posting_date) as due_date,
    d.base_grand_total as amount,
    d.base_grand_total - d.outstanding_amount * d.conversion_rate as paid_amount,
    (
        select max(p.posting_date)
        from `tabPayment Entry Reference` as r
        inner join `tabPayment Entry` as p on r.parent = p.name
        where r.reference_name = d.name and p.docstatus = 1
    ) as paid_date,
    d.modified as updated_at
from `tabSales Invoice` as d
where d.docstatus = 1 and d.is_return = 0
