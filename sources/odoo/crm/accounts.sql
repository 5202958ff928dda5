-- One table of partners serves both systems, so an account is its own customer, if it is one.
-- A lead may name a contact: its company is the account.
select
    res_partner.id::text as account_id,
    res_partner.name,
    res_partner.vat as tax_id,
    substring(res_partner.email from '@(.+)$') as domain,
    res_partner.user_id::text as owner_id,
    res_partner.id::text as erp_customer_id,
    res_partner.create_date as created_at,
    res_partner.write_date as updated_at
from res_partner
where
    res_partner.id = res_partner.commercial_partner_id
    and (
        res_partner.customer_rank > 0
        or exists (
            select 1 from crm_lead
            inner join res_partner as contact on crm_lead.partner_id = contact.id
            where contact.commercial_partner_id = res_partner.id
        )
    )
