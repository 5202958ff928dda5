-- The ledger keeps revenue as a credit, a negative; the contract wants it positive.
select
    month_start as period,
    case account_no
        when '4000' then 'revenue'
        when '5000' then 'cogs'
        when '5400' then 'freight'
    end as account_kind,
    case account_no when '4000' then -balance else balance end as amount,
    changed_at as updated_at
from ledger_total
