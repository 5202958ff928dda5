-- One row per line of an invoice or credit note.
-- key: invoice_id, line_no; a key may occur once only
-- required: a source without it cannot be read
select
    -- text, never empty: Document number.
    your_column as invoice_id,
    -- integer, never empty: Line within the document.
    your_column as line_no,
    -- text, never empty: Customer invoiced.
    your_column as customer_id,
    -- text, never empty: Product sold.
    your_column as product_id,
    -- text: Order the line bills.
    -- your_column as order_id,
    -- date, never empty: Posting date.
    your_column as invoice_date,
    -- text, never empty: invoice or credit_note.
    your_column as document_type,
    -- text: goods (also if empty), price (money without goods: deduction, surcharge, price credit,
    -- debit note) or down_payment (an advance, or its deduction).
    -- your_column as line_kind,
    -- text: Invoice that a credit note takes back.
    -- your_column as original_invoice_id,
    -- integer: Line of that invoice.
    -- your_column as original_line_no,
    -- numeric: Units of goods, positive on invoices and on credit notes; ignored, and 0 or empty,
    -- where no goods move.
    your_column as quantity,
    -- numeric: Quantity x list price, positive on both document types; of goods only. (currency)
    -- your_column as list_amount,
    -- numeric: Discount on the line, positive; of goods only. (currency)
    -- your_column as discount_amount,
    -- numeric: Cost of the goods; empty means the product's cost at that date. (currency)
    -- your_column as cost_amount,
    -- numeric: Outbound freight paid by us for the line. (currency)
    -- your_column as freight_amount,
    -- text: Currency of the amounts; empty means base currency.
    -- your_column as currency,
    -- boolean: Only posted documents count; empty means posted.
    -- your_column as posted,
    -- timestamp: Last change of the row at the source.
    -- your_column as updated_at,
    -- numeric, never empty: Amount without tax: positive if an invoice charges or a credit note
    -- gives back, negative if the line goes against its document. (currency)
    your_column as net_amount
from your_table
