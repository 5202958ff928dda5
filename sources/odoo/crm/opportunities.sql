-- A lost lead is archived, a won one stands at 100 %. Leads without a partner belong to nobody yet.
-- An amount is in the currency of the lead's company; without one, it is taken in this source's.
select
    crm_lead.id::text as opportunity_id,
    res_partner.commercial_partner_id::text as account_id,
    coalesce(crm_stage.name ->> 'en_US', crm_lead.stage_id::text) as stage,
    crm_lead.expected_revenue as amount,
    res_currency.name as currency,
    crm_lead.probability / 100.0 as probability,
    crm_lead.create_date as opened_at,
    crm_lead.date_deadline as expected_close,
    case
        when not crm_lead.active or crm_lead.probability >= 100 then crm_lead.date_closed
    end as closed_at,
    case when not crm_lead.active then false when crm_lead.probability >= 100 then true end as won,
    crm_lead.write_date as updated_at
from crm_lead
inner join res_partner on crm_lead.partner_id = res_partner.id
left join crm_stage on crm_lead.stage_id = crm_stage.id
left join res_company on crm_lead.company_id = res_company.id
left join res_currency on res_company.currency_id = res_currency.id
where crm_lead.type = 'opportunity'
