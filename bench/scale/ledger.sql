-- The ledger's totals of the months from {since} on, from the documents as they stand: a credit note at the
-- rate of the sale that it takes back, each line rounded to the cent.
delete from ledger_total where month_start >= '{since}';

insert into ledger_total
select month_start, account_no, sum(sign * amount), evening('{through}')
from (
    select
        date_trunc('month', document.document_date)::date as month_start, account_no,
        case when document.kind_code = 'CRN' then -1 else 1 end
        * case account_no when '4000' then -1 else 1 end as sign,
        round(value * coalesce(rate.eur_per_unit, 1), 2) as amount
    from sales_document as document
    inner join sales_document_line as line on line.document_no = document.document_no
    left join sales_document as sale on sale.document_no = line.origin_document_no
    left join exchange_rate as rate
        on rate.currency_code = document.currency_code
        and rate.valid_from = date '{first_day}' - 7
        + (coalesce(sale.document_date, document.document_date) - (date '{first_day}' - 7)) / 7 * 7
    cross join lateral (values
        ('4000', line.net_value), ('5000', line.cost_value), ('5400', line.freight_value)
    ) as accounts (account_no, value)
    where document.document_date >= '{since}'
) as postings
group by month_start, account_no;
