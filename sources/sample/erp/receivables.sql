select
    document_no::text as invoice_id,
    debtor_no::text as customer_id,
    issued_on as issued,
    due_on as due_date,
    value as amount,
    settled_value as paid_amount,
    settled_on as paid_date,
    has_dispute as disputed,
    lost_value as written_off_amount,
    currency_code as currency,
    changed_at as updated_at
from open_item
