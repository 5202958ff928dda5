select
    sale_order.id::text as order_id,
    sale_order.partner_id::text as customer_id,
    sale_order.date_order::date as order_date,
    sale_order.commitment_date::date as requested_date,
    case sale_order.state when 'cancel' then 'cancelled' else 'open' end as status,
    sale_order.write_date as updated_at
from sale_order
where sale_order.state in ('sale', 'done', 'cancel')
