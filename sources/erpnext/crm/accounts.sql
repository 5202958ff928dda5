-- One table of customers serves both systems, so an account is its own customer.
select
    c.name as account_id,
    c.customer_name as name,
    c.tax_id,
    c.account_manager as owner_id,
    c.name as erp_customer_id,
    c.creation as created_at,
    c.modified as updated_at
from `tabCustomer` as c
