-- An order is of the company whose contact placed it.
select
    sale_order.id::text as order_id,
    res_partner.commercial_partner_id::text as customer_id,
    sale_order.date_order::date as order_date,
    sale_order.commitment_date::date as requested_date,
    case sale_order.state when 'cancel' then 'cancelled' else 'open' end as status,
    sale_order.write_date as updated_at
from sale_order
inner join res_partner on sale_order.partner_id = res_partner.id
where sale_order.state in ('sale', 'done', 'cancel')
