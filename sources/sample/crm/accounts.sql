select
    account_no::text as account_id,
    title as name,
    vat_no as tax_id,
    regexp_replace(website, '^www\.', '') as domain,
    sector as industry,
    user_no as owner_id,
    erp_no::text as erp_customer_id,
    founded_on,
    potential_eur as annual_potential,
    is_strategic as strategic,
    created_at,
    replaced_by_no::text as merged_into_id,
    changed_at as updated_at
from account
