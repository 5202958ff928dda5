-- A ticket has no state of its own: it is open until it is closed.
select
    ticket_no::text as case_id,
    account_no::text as account_id,
    case type_code
        when 'COMPLAINT' then 'complaint'
        when 'QUESTION' then 'question'
        when 'IDEA' then 'suggestion'
    end as kind,
    case priority
        when 1 then 'low'
        when 2 then 'medium'
        when 3 then 'high'
    end as severity,
    opened_at,
    answered_at as first_response_at,
    closed_at,
    case when closed_at is null then 'open' else 'closed' end as status,
    changed_at as updated_at
from ticket
