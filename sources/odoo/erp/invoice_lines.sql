-- Amounts are in the document's currency, positive on refunds too; erp.fx_rates is read with them.
-- Posting or cancelling stamps the document, so the later of both moments counts.
-- purchase_price (module sale_margin) is the cost of a unit in the order's currency, which is the
-- invoice's; without the module remove the lateral join and cost_amount.
select
    account_move.id::text as invoice_id,
    account_move_line.id as line_no,
    account_move.commercial_partner_id::text as customer_id,
    coalesce(account_move_line.product_id, 0)::text as product_id,
    sold.order_id::text as order_id,
    account_move.invoice_date,
    case account_move.move_type
        when 'out_invoice' then 'invoice'
        when 'out_refund' then 'credit_note'
    end as document_type,
    account_move.reversed_entry_id::text as original_invoice_id,
    account_move_line.quantity,
    account_move_line.price_subtotal as net_amount,
    sold.purchase_price * account_move_line.quantity as cost_amount,
    res_currency.name as currency,
    account_move.state = 'posted' as posted,
    greatest(account_move_line.write_date, account_move.write_date) as updated_at
from account_move_line
inner join account_move on account_move_line.move_id = account_move.id
inner join res_currency on account_move.currency_id = res_currency.id
left join lateral (
    select
        max(sale_order_line.order_id) as order_id,
        max(sale_order_line.purchase_price) as purchase_price
    from sale_order_line_invoice_rel
    inner join sale_order_line
        on sale_order_line_invoice_rel.order_line_id = sale_order_line.id
    where sale_order_line_invoice_rel.invoice_line_id = account_move_line.id
) as sold on true
where
    account_move.move_type in ('out_invoice', 'out_refund')
    and account_move.invoice_date is not null
    and account_move_line.display_type = 'product'
    and account_move_line.quantity <> 0
