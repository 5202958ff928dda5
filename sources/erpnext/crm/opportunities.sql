-- Opportunities of leads that are no customers yet belong to no account and are left out.
select
    o.name as opportunity_id,
    o.party_name as account_id,
    o.sales_stage as stage,
    o.opportunity_amount as amount,
    o.currency,
    o.probability / 100 as probability,
    o.creation as opened_at,
    o.expected_closing as expected_close,
    case when o.status in ('Converted', 'Lost', 'Closed') then o.modified end as closed_at,
    case o.status when 'Converted' then 1 when 'Lost' then 0 when 'Closed' then 0 end as won,
    o.modified as updated_at
from `tabOpportunity` as o
where o.opportunity_from = 'Customer'
