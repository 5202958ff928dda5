-- An issue is a question unless its type says that it is a complaint; a warranty claim is one.
select
    concat('ISS ', i.name) as case_id,
    i.customer as account_id,
    case when lower(i.issue_type) like '%complaint%' then 'complaint' else 'question' end as kind,
    case i.priority when 'Low' then 'low' when 'High' then 'high' else 'medium' end as severity,
    i.creation as opened_at,
    i.first_responded_on as first_response_at,
    case when i.status in ('Resolved', 'Closed') then i.modified end as closed_at,
    case when i.status in ('Resolved', 'Closed') then 'closed' else 'open' end as status,
    i.modified as updated_at
from `tabIssue` as i
where i.customer is not null
union all
select
    concat('WAR ', w.name) as case_id,
    w.customer as account_id,
    'complaint' as kind,
    'medium' as severity,
    w.creation as opened_at,
    null as first_response_at,
    w.resolution_date as closed_at,
    case when w.status in ('Closed', 'Cancelled') then 'closed' else 'open' end as status,
    w.modified as updated_at
from `tabWarranty Claim` as w
where w.customer is not null
