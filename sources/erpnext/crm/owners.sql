select
    u.name as owner_id,
    u.full_name as name,
    u.email,
    u.language as locale,
    u.enabled = 1 as active,
    u.modified as updated_at
from `tabUser` as u
where u.user_type = 'System User'
