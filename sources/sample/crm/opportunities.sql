select
    deal_no::text as opportunity_id,
    account_no::text as account_id,
    lower(phase) as stage,
    deal_value as amount,
    currency_code as currency,
    win_percent / 100.0 as probability,
    opened_at,
    decision_on as expected_close,
    decided_at as closed_at,
    case outcome when 'WON' then true when 'LOST' then false end as won,
    referred_by_no::text as referred_by_account_id,
    changed_at as updated_at
from deal
