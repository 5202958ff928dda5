select
    OpportunitySeq as opportunity_id,
    AccountSeq as account_id,
    "Sales Stage" as stage,
    "Value" as amount,
    Probability as probability,
    "Opportunity Created On" as opened_at,
    case when Status = 'Open' then CloseDate end as expected_close,
    case when Status <> 'Open' then CloseDate end as closed_at,
    case Status when 'Won' then true when 'Lost' then false end as won
from Opportunities
