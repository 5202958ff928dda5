-- `modified` is in the site's own time zone. That is harmless for the cursor, which starts a day
-- before what was read; write convert_tz(modified, 'Asia/Shanghai', 'UTC') to have it in UTC.
select
    c.name as customer_id,
    c.customer_name as name,
    c.tax_id,
    c.territory as region,
    c.customer_group as industry,
    case
        when c.is_internal_customer = 1 then 'internal'
        when c.disabled = 1 then 'closed'
        when c.is_frozen = 1 then 'blocked'
        else 'active'
    end as status,
    date(c.creation) as customer_since,
    c.default_currency as currency,
    c.account_manager as account_manager_id,
    c.modified as updated_at
from `tabCustomer` as c
