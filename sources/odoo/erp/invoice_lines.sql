-- Amounts are in the document's currency, positive on refunds too; erp.fx_rates is read with them.
-- Another company with this source's currency may have other rates: its documents come converted at
-- its own ones of the day, where a rate of the company goes before one that all companies share.
-- Quantities are in the product's own unit: up to Odoo 18 a factor says how many of the unit make
-- its reference, since then (relative_factor) how many of the reference make the unit.
-- A negative quantity is goods that come back (on a refund, goods sold after all); a negative price
-- is a discount. A refund for a price that repeats the quantity looks like goods that come back:
-- the rows of the invoice cannot tell, so enter it with a product and a quantity of its own.
-- A line booked on equity carries a balance over from an older system, and sold nothing.
-- Posting or cancelling stamps the document, so the later of both moments counts. A draft has no
-- day before it is posted, and is read then.
-- The line of the order is read as JSON, where a column that a release or module lacks is null:
-- purchase_price (module sale_margin) is the cost of one unit of the order, in its currency.
with
unit as (
    select
        uom_uom.id,
        case
            when to_jsonb(uom_uom) ->> 'relative_factor' is null
                then 1 / nullif(uom_uom.factor, 0)::numeric
            else uom_uom.factor::numeric
        end as size
    from uom_uom
),

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
),

sold_line as (
    select
        account_move_line.id as line_no,
        account_move_line.product_id,
        account_move_line.quantity::numeric as quantity,
        account_move_line.price_subtotal::numeric as net_amount,
        account_move.id as invoice_id,
        account_move.commercial_partner_id as customer_id,
        account_move.invoice_date,
        account_move.move_type,
        account_move.reversed_entry_id,
        account_move.currency_id,
        sold.order_id,
        sold.purchase_price,
        coalesce(line_unit.size / product_unit.size, 1) as product_units,
        coalesce(line_unit.size / order_unit.size, 1) as order_units,
        coalesce(company_rate.rate, 1) / document_rate.rate as company_rate,
        case
            when sold.is_down_payment then 'down_payment'
            when
                account_move_line.quantity = 0
                or (account_move_line.quantity > 0 and account_move_line.price_subtotal < 0)
                then 'price'
            else 'goods'
        end as line_kind,
        account_move.state = 'posted'
        and coalesce(account_account.account_type, 'income') not like 'equity%' as posted,
        greatest(account_move_line.write_date, account_move.write_date) as updated_at
    from account_move_line
    inner join account_move on account_move_line.move_id = account_move.id
    left join account_account on account_move_line.account_id = account_account.id
    left join product_product on account_move_line.product_id = product_product.id
    left join product_template on product_product.product_tmpl_id = product_template.id
    left join unit as line_unit on account_move_line.product_uom_id = line_unit.id
    left join unit as product_unit on product_template.uom_id = product_unit.id
    left join lateral (
        select
            max(sale_order_line.order_id) as order_id,
            max((seen ->> 'purchase_price')::numeric) as purchase_price,
            max(coalesce(seen ->> 'product_uom_id', seen ->> 'product_uom')::int) as unit_id,
            bool_or((seen ->> 'is_downpayment')::boolean) as is_down_payment
        from sale_order_line_invoice_rel
        inner join sale_order_line
            on sale_order_line_invoice_rel.order_line_id = sale_order_line.id
        inner join lateral to_jsonb(sale_order_line) as seen on true
        where sale_order_line_invoice_rel.invoice_line_id = account_move_line.id
    ) as sold on true
    left join unit as order_unit on sold.unit_id = order_unit.id
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
            and coalesce(res_currency_rate.company_id, company.id) in (
                company.id, company.parent_id
            )
        order by res_currency_rate.company_id is null, res_currency_rate.name desc
        limit 1
    ) as document_rate on true
    left join lateral (
        select res_currency_rate.rate::numeric as rate
        from res_currency_rate
        where
            res_currency_rate.currency_id = company.currency_id
            and res_currency_rate.name <= account_move.invoice_date
            and coalesce(res_currency_rate.company_id, company.id) in (
                company.id, company.parent_id
            )
        order by res_currency_rate.company_id is null, res_currency_rate.name desc
        limit 1
    ) as company_rate on true
    where
        account_move.move_type in ('out_invoice', 'out_refund', 'out_receipt')
        and account_move.invoice_date is not null
        and account_move_line.display_type = 'product'
),

signed as (
    select
        sold_line.*,
        sold_line.move_type = 'out_refund'
        and (sold_line.quantity >= 0 or sold_line.line_kind <> 'goods') as is_credit,
        case
            when
                sold_line.move_type = 'out_refund'
                and sold_line.quantity < 0
                and sold_line.line_kind = 'goods'
                then -1
            else 1
        end as sign
    from sold_line
)

select
    signed.invoice_id::text as invoice_id,
    signed.line_no,
    coalesce(signed.customer_id, 0)::text as customer_id,
    coalesce(signed.product_id, 0)::text as product_id,
    signed.order_id::text as order_id,
    signed.invoice_date,
    case when signed.is_credit then 'credit_note' else 'invoice' end as document_type,
    signed.line_kind,
    case when signed.is_credit then signed.reversed_entry_id::text end as original_invoice_id,
    round(signed.sign * signed.quantity * signed.product_units, 9) as quantity,
    signed.sign * signed.net_amount * coalesce(signed.company_rate, 1) as net_amount,
    case
        when signed.line_kind = 'goods'
            then
                signed.sign * signed.quantity * signed.order_units * signed.purchase_price
                * coalesce(signed.company_rate, 1)
    end as cost_amount,
    case when signed.company_rate is null then res_currency.name else '$base_currency' end
        as currency,
    signed.posted,
    signed.updated_at
from signed
inner join res_currency on signed.currency_id = res_currency.id
