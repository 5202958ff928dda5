-- {documents} invoices of five lines, a credit note of one line for every 25th, their orders and open items, on
-- {workdays} workdays from the one with the number {first_workday} on, numbered and written in their order.
insert into sales_document
select
    100000000 + n, 'INV', 100000 + customer,
    200000000 + n, day, debtor.currency_code, 'POSTED', evening(day)
from generate_series({first_document}::bigint, {first_document}::bigint + {documents} - 1) as n
cross join lateral (
    select workday({first_workday} + {workdays} * (n - {first_document}) / {documents}) as day
) as days
cross join lateral (
    select
        case
            when dice(n, 9) < {largest_share} then 0
            else floor({customers} * power(dice(n, 1), 3))::bigint
        end as customer
) as buyer
inner join debtor on debtor.debtor_no = 100000 + customer
order by n;

insert into sales_document_line
select
    sold.document_no, sold.line_no, sold.article_no, sold.quantity, sold.list_value, rebate.value,
    sold.list_value - rebate.value, round(sold.quantity * sold.standard_cost, 2),
    round(sold.list_value * 0.03, 2), null, null, sold.changed_at
from (
    select
        document.document_no, line_no, article.article_no, article.standard_cost, quantity,
        round(quantity * article.standard_cost / 0.61, 2) as list_value,
        case when document.debtor_no % 33 = 0 then 0.45 else document.debtor_no % 20 / 100.0 end
            as rebate_share,
        document.changed_at
    from sales_document as document
    cross join generate_series(1, 5) as line_no
    cross join lateral (
        select
            'A' || lpad(
                floor({articles} * power(dice(document.document_no * 8 + line_no, 4), 2))::text, 5, '0'
            ) as article_no,
            1 + floor(20 * power(dice(document.document_no * 8 + line_no, 5), 2))::numeric as quantity
    ) as chosen
    inner join article on article.article_no = chosen.article_no
    where document.kind_code = 'INV' and document.document_no >= 100000000 + {first_document}
) as sold
cross join lateral (select round(sold.list_value * sold.rebate_share, 2) as value) as rebate
order by sold.document_no, sold.line_no;

insert into sales_document
select
    900000000 + document_no - 100000000, 'CRN', debtor_no, null, back.day, currency_code, 'POSTED',
    evening(back.day)
from sales_document
cross join lateral (
    select workday(greatest(0, least(
        {first_workday} + {workdays} - 1,
        (document_date - date '{first_day}') / 7 * 5 + (document_date - date '{first_day}') % 7
        + 1 + floor(20 * dice(document_no, 6))
    ))) as day
) as back
where kind_code = 'INV' and document_no % 25 = 7 and document_no >= 100000000 + {first_document};

insert into sales_document_line
select
    note.document_no, 1, line.article_no, line.quantity, line.list_value, line.rebate_value,
    line.net_value, line.cost_value, 0,
    case when note.debtor_no > 100000 or {largest_share} = 0 then line.document_no end,
    case when note.debtor_no > 100000 or {largest_share} = 0 then line.line_no end, note.changed_at
from sales_document as note
inner join sales_document_line as line
    on line.document_no = note.document_no - 800000000 and line.line_no = 1 + note.document_no % 5
where note.kind_code = 'CRN' and note.document_no >= 900000000 + {first_document};

insert into sales_order
select
    order_no, debtor_no, document_date - 3, document_date + (document_no % 3)::integer - 1,
    document_date, 'DONE', (array['TEL', 'WEB', 'EDI', 'REP'])[1 + document_no % 4], changed_at
from sales_document
where order_no >= 200000000 + {first_document};

insert into open_item
select
    document_no, debtor_no, issued_on, due_on, value,
    case when paid_on <= '{through}' then value else 0 end,
    case when paid_on <= '{through}' then paid_on end, document_no % 97 = 0,
    case when paid_on is null and due_on + 120 <= '{through}' then value else 0 end, currency_code,
    evening(case when paid_on <= '{through}' then greatest(paid_on, issued_on) else issued_on end)
from (
    select
        document.document_no, debtor.debtor_no, document.document_date as issued_on,
        document.document_date + term.net_days as due_on, document.currency_code, owed.value,
        case when document.document_no % 499 <> 0 then
            document.document_date + term.net_days
            + floor(-9 + 10 * dice(document.debtor_no, 7) + 30 * dice(document.document_no, 8))::integer
        end as paid_on
    from (
        select document_no, sum(net_value) as value from sales_document_line
        where document_no between 100000000 + {first_document} and 899999999
        group by document_no
    ) as owed
    inner join sales_document as document on document.document_no = owed.document_no
    inner join debtor on debtor.debtor_no = document.debtor_no
    inner join payment_term as term on term.payment_term = debtor.payment_term
) as items;
