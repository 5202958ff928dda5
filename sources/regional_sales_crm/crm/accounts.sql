select
    Accounts.AccountSeq as account_id,
    Accounts."Account Name" as name,
    nullif(Industries.Industry, 'n/a') as industry,
    Accounts.AccountOwnerSeq as owner_id,
    Accounts.AccountSeq as erp_customer_id
from Accounts
left join Industries on Accounts.IndustrySeq = Industries.IndustrySeq
