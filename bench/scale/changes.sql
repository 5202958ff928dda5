-- The rest of a night's changed lines: documents of the last year, most of them of the last weeks, whose lines
-- were corrected.
create temporary table corrected on commit drop as
select document_no
from sales_document
where kind_code = 'INV' and document_no < 100000000 + {first_document}
    and (document_date > '{through}'::date - 60
         or document_date > '{through}'::date - 365 and hashint8extended(document_no, {salt}) % 10 = 0)
order by hashint8extended(document_no, {salt} + 1)
limit {corrections};

update sales_document_line
set rebate_value = least(list_value, rebate_value + 0.01),
    net_value = list_value - least(list_value, rebate_value + 0.01), changed_at = evening('{through}')
where document_no in (select document_no from corrected);

update open_item
set settled_value = value, settled_on = '{through}', changed_at = evening('{through}')
where settled_on is null and lost_value = 0 and due_on = '{through}'::date - 5;

update sample_company set current_day = '{through}';
