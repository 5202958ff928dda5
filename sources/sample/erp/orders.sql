select
    order_no::text as order_id,
    debtor_no::text as customer_id,
    ordered_on as order_date,
    wanted_on as requested_date,
    shipped_on as shipped_date,
    case state_code
        when 'OPEN' then 'open'
        when 'DONE' then 'shipped'
        when 'VOID' then 'cancelled'
    end as status,
    case entry_channel
        when 'TEL' then 'phone'
        when 'WEB' then 'portal'
        when 'EDI' then 'edi'
        when 'REP' then 'visit'
    end as channel,
    changed_at as updated_at
from sales_order
