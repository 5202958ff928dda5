-- What a document still owes, in the currency of erp.invoice_lines; refunds are no receivables of
-- their own. A payment that names no invoice pays none until it is reconciled with one.
with
converting_company as (
    select
        res_company.id,
        res_company.parent_id,
        res_company.currency_id
    from res_company
    inner join res_currency on res_company.currency_id = res_currency.id
    where res_currency.name = '$base_currency'
    order by res_company.id
    offset 1
)

select
    account_move.id::text as invoice_id,
    coalesce(account_move.commercial_partner_id, 0)::text as customer_id,
    account_move.invoice_date as issued,
    greatest(account_move.invoice_date_due, account_move.invoice_date) as due_date,
    account_move.amount_total
    * coalesce(coalesce(company_rate.rate, 1) / document_rate.rate, 1) as amount,
    (account_move.amount_total - account_move.amount_residual)
    * coalesce(coalesce(company_rate.rate, 1) / document_rate.rate, 1)
        as paid_amount,
    paid.paid_date,
    case when document_rate.rate is null then res_currency.name else '$base_currency' end
        as currency,
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
left join converting_company as company
    on
        account_move.company_id = company.id
        and account_move.currency_id <> company.currency_id
left join lateral (
    select res_currency_rate.rate::numeric as rate
    from res_currency_rate
    where
        res_currency_rate.currency_id = account_move.currency_id
        and res_currency_rate.name <= account_move.invoice_date
        and coalesce(res_currency_rate.company_id, company.id) in (company.id, company.parent_id)
    order by res_currency_rate.company_id is null, res_currency_rate.name desc
    limit 1
) as document_rate on true
left join lateral (
    select res_currency_rate.rate::numeric as rate
    from res_currency_rate
    where
        res_currency_rate.currency_id = company.currency_id
        and res_currency_rate.name <= account_move.invoice_date
        and coalesce(res_currency_rate.company_id, company.id) in (company.id, company.parent_id)
    order by res_currency_rate.company_id is null, res_currency_rate.name desc
    limit 1
) as company_rate on true
where
    account_move.move_type in ('out_invoice', 'out_receipt')
    and account_move.state = 'posted'
    and account_move.amount_total >= 0
