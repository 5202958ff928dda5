select
    Accounts.AccountSeq as customer_id,
    Accounts."Account Name" as name,
    Accounts.Country as country,
    Accounts."State or Province" as region,
    nullif(Industries.Industry, 'n/a') as industry,
    Accounts.AccountOwnerSeq as account_manager_id
from Accounts
left join Industries on Accounts.IndustrySeq = Industries.IndustrySeq
