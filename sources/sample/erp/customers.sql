select
    debtor.debtor_no::text as customer_id,
    debtor.name1 as name,
    debtor.vat_no as tax_id,
    debtor.street as address,
    debtor.postcode as postal_code,
    debtor.city,
    debtor.phone,
    split_part(debtor.invoice_mail, '@', 2) as domain,
    debtor.country_code as country,
    debtor.region_name as region,
    debtor.branch_code as industry,
    case debtor.state_code
        when 'A' then 'active'
        when 'B' then 'blocked'
        when 'C' then 'closed'
        when 'I' then 'internal'
    end as status,
    debtor.opened_on as customer_since,
    debtor.currency_code as currency,
    debtor.credit_limit,
    payment_term.net_days as payment_terms_days,
    debtor.head_office_no::text as parent_customer_id,
    debtor.rep_no as account_manager_id,
    debtor.replaced_by_no::text as merged_into_id,
    debtor.changed_at as updated_at
from debtor
-- terms never change, so a debtor's own timestamp is enough
inner join payment_term on debtor.payment_term = payment_term.payment_term
