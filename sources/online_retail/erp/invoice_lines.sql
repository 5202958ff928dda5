-- Documents whose number begins with C take sales back; they do not name the invoice.
-- Left out: lines that repeat another in every column (439), corrections of the stock (a negative
-- quantity without a C, at no price), and what the company itself pays (AMAZONFEE, BANK CHARGES).
-- A line of no price is a sample and stays.
with line as (
    select distinct
        InvoiceNo,
        StockCode,
        Description,
        Quantity::decimal(18, 2) as quantity,
        InvoiceDate,
        UnitPrice::decimal(18, 4) as price,
        CustomerID
    from sales
)

select
    InvoiceNo as invoice_id,
    row_number() over (
        partition by InvoiceNo
        order by StockCode, quantity, price, Description, InvoiceDate
    ) as line_no,
    coalesce(split_part(CustomerID, '.', 1), 'NONE') as customer_id,
    StockCode as product_id,
    InvoiceDate[:10] as invoice_date,
    case when InvoiceNo like 'C%' then 'credit_note' else 'invoice' end as document_type,
    abs(quantity) as quantity,
    round(abs(quantity) * price, 2) as net_amount
from line
where
    (quantity > 0 or InvoiceNo like 'C%')
    and StockCode not in ('AMAZONFEE', 'BANK CHARGES')
