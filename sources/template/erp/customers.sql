-- One row per customer of the ERP.
-- key: customer_id; a key may occur once only
-- required: a source without it cannot be read
select
    -- text, never empty: Customer number of the ERP.
    your_column as customer_id,
    -- text: Tax or registration number as entered.
    -- your_column as tax_id,
    -- text: Country.
    -- your_column as country,
    -- text: Region or state.
    -- your_column as region,
    -- text: Industry as the ERP names it.
    -- your_column as industry,
    -- text: active, blocked, closed or internal.
    -- your_column as status,
    -- date: Day the customer was opened.
    -- your_column as customer_since,
    -- text: Currency the customer is invoiced in.
    -- your_column as currency,
    -- numeric: Credit limit. (currency)
    -- your_column as credit_limit,
    -- integer: Agreed days to pay. (days)
    -- your_column as payment_terms_days,
    -- text: Customer number of the group's head.
    -- your_column as parent_customer_id,
    -- text: Owner as the ERP knows it.
    -- your_column as account_manager_id,
    -- text: Customer number that replaced this one.
    -- your_column as merged_into_id,
    -- timestamp: Last change of the row at the source.
    -- your_column as updated_at,
    -- text, never empty: Name as invoiced.
    your_column as name
from your_table
