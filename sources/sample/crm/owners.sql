select
    user_no as owner_id,
    full_name as name,
    email,
    locale,
    reports_to as manager_id,
    is_enabled as active,
    changed_at as updated_at
from app_user
