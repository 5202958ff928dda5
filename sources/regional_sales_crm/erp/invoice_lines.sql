-- The nearest to an invoice that a CRM has: an opportunity that was won, on the day it was closed.
-- How many units it is for is not said, so each is one. Value is taken as what was agreed, after
-- Discount: nothing in the export says which, and the report it comes from sums it as it is.
select
    OpportunitySeq as invoice_id,
    1 as line_no,
    AccountSeq as customer_id,
    ProductSeq as product_id,
    CloseDate as invoice_date,
    'invoice' as document_type,
    1 as quantity,
    "Value" as net_amount
from Opportunities
where Status = 'Won'
