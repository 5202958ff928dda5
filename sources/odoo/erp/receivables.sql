-- What a document still owes, in the document's currency; refunds are no receivables of their own.
select
    account_move.id::text as invoice_id,
    account_move.commercial_partner_id::text as customer_id,
    account_move.invoice_date as issued,
    coalesce(account_move.invoice_date_due, account_move.invoice_date) as due_date,
    account_move.amount_total as amount,
    account_move.amount_total - account_move.amount_residual as paid_amount,
    paid.paid_date,
    res_currency.name as currency,
    account_move.write_date as updated_at
from account_move
inner join res_currency on account_move.currency_id = res_currency.id
left join lateral (
    select max(account_partial_reconcile.max_date) as paid_date
    from account_move_line
    inner join account_partial_reconcile
        on account_move_line.id = account_partial_reconcile.debit_move_id
    where account_move_line.move_id = account_move.id
) as paid on true
where account_move.move_type = 'out_invoice' and account_move.state = 'posted'
