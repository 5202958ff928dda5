select
    activity_no::text as activity_id,
    account_no::text as account_id,
    user_no as owner_id,
    lower(type_code) as kind,
    happened_at as at,
    duration_minutes as minutes,
    case met_with
        when 'STAFF' then 'staff'
        when 'MANAGEMENT' then 'manager'
        when 'BOARD' then 'executive'
    end as contact_level,
    changed_at as updated_at
from activity
