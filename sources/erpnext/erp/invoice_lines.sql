-- docstatus: 0 draft, 1 submitted, 2 cancelled; only submitted documents count. An amended document
-- has a name of its own, and the one that it replaces is cancelled.
-- Opening invoices carry balances over from an older system: they are owed, but sold nothing here.
-- A return carries negative quantities and amounts. A line without a quantity moves money alone: a
-- credit note for a price, or a debit note. A credit note for a price that repeats the quantity
-- looks like goods that come back; the rows cannot tell, so enter it with the quantity 0.
-- Quantities are in the item's stock unit, as its valuation rate is.
-- base_net_amount is in the currency of the company that invoices, after all discounts and without
-- tax. A company with another currency than this source's is read in the currency of the document,
-- for which erp/fx_rates.sql.off has the rates; to leave a company out, say so in a `where`.
-- Sales of a point of sale are here once consolidated; `tabPOS Invoice` would count them twice.
-- A line typed without an item is sold as item `-`.
select
    d.name as invoice_id,
    l.idx as line_no,
    d.customer as customer_id,
    coalesce(l.item_code, '-') as product_id,
    l.sales_order as order_id,
    d.posting_date as invoice_date,
    case when d.is_return = 1 then 'credit_note' else 'invoice' end as document_type,
    case when d.is_debit_note = 1 or l.qty = 0 then 'price' else 'goods' end as line_kind,
    case when d.is_return = 1 then d.return_against end as original_invoice_id,
    case when d.is_return = 1 then -1 else 1 end
    * coalesce(nullif(l.stock_qty, 0), l.qty * coalesce(l.conversion_factor, 1)) as quantity,
    case when d.is_return = 1 then -1 else 1 end * case
        when c.default_currency = '$base_currency' or coalesce(d.conversion_rate, 0) = 0
            then l.base_net_amount
        else l.base_net_amount / d.conversion_rate
    end as net_amount,
    case
        when c.default_currency = '$base_currency' then c.default_currency
        when coalesce(d.conversion_rate, 0) = 0 then c.default_currency
        else d.currency
    end as currency,
    d.docstatus = 1 and coalesce(d.is_opening, 'No') <> 'Yes' as posted,
    greatest(l.modified, d.modified) as updated_at
from `tabSales Invoice Item` as l
inner join `tabSales Invoice` as d on l.parent = d.name
left join `tabCompany` as c on d.company = c.name
