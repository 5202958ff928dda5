select
    res_users.id::text as owner_id,
    res_partner.name,
    res_users.login as email,
    res_partner.lang as locale,
    res_users.active,
    greatest(res_users.write_date, res_partner.write_date) as updated_at
from res_users
inner join res_partner on res_users.partner_id = res_partner.id
where coalesce(res_users.share, false) = false
