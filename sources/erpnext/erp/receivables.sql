-- Opening invoices and debit notes are owed too. Amounts are in the currency of erp.invoice_lines.
-- outstanding_amount is in the currency of the account that the invoice is booked to: that of the
-- document where the account says so, else that of the company.
-- `absent` stands in for columns that the tables of an old site lack: in a subquery a plain name is
-- a column of the nearest table that has it.
-- written_off_amount is what the document itself writes off; a journal entry counts as a payment.
-- A payment that names no invoice pays none until it is allocated to one.
select
    d.name as invoice_id,
    d.customer as customer_id,
    d.posting_date as issued,
    greatest(coalesce(d.due_date, d.posting_date), d.posting_date) as due_date,
    d.base_grand_total / d.document_rate as amount,
    (d.base_grand_total - d.outstanding - d.written_off) / d.document_rate as paid_amount,
    (
        select max(p.posting_date)
        from `tabPayment Entry Reference` as r
        inner join `tabPayment Entry` as p on r.parent = p.name
        where r.reference_name = d.name and p.docstatus = 1
    ) as paid_date,
    d.written_off / d.document_rate as written_off_amount,
    d.currency,
    d.modified as updated_at
from (
    select
        i.name,
        i.customer,
        i.posting_date,
        i.due_date,
        i.base_grand_total,
        i.modified,
        case
            when c.default_currency = '$base_currency' then 1
            else coalesce(nullif(i.conversion_rate, 0), 1)
        end as document_rate,
        case
            when c.default_currency = '$base_currency' then c.default_currency
            when coalesce(i.conversion_rate, 0) = 0 then c.default_currency
            else i.currency
        end as currency,
        i.outstanding_amount * (
            select
                case
                    when party_account_currency = i.currency then i.conversion_rate -- noqa: RF03
                    else 1
                end
            from `tabSales Invoice` as own
            where own.name = i.name
        ) as outstanding,
        (
            select coalesce(base_write_off_amount, 0) -- noqa: RF03
            from `tabSales Invoice` as own
            where own.name = i.name -- noqa: RF03
        ) as written_off
    from `tabSales Invoice` as i
    left join `tabCompany` as c on i.company = c.name
    cross join (
        select
            null as party_account_currency,
            0 as base_write_off_amount
    ) as absent
    where i.docstatus = 1 and i.is_return = 0
) as d
