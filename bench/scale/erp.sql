-- The ERP of the company at scale, over the tables of the sample company: what it is besides its documents.
-- Whatever looks random is a hash of the row's number, so the same sizes give the same company.
create function dice(n bigint, salt integer) returns double precision
language sql immutable parallel safe as
'select (hashint8extended(n, salt) & 1073741823) / 1073741824.0';

create function workday(n double precision) returns date
language sql immutable parallel safe as
'select date ''{first_day}'' + floor(n)::integer / 5 * 7 + floor(n)::integer % 5';

create function evening(day date) returns timestamptz
language sql immutable parallel safe as
'select (day + time ''20:00'') at time zone ''UTC''';

insert into sample_company values (
    true, 1, {customers}, 36, '{through}', '{first_day}', '{through}'
);

insert into article
select
    'A' || lpad(n::text, 5, '0'), 'Article ' || n,
    (array['OXY', 'NIT', 'ARG', 'CO2', 'ACE', 'HEL', 'MIX', 'RNT', 'ICE', 'HDW'])[1 + n % 10],
    'piece', round((3 + n * 37 % 600)::numeric * 0.61, 4), evening('{first_day}')
from generate_series(0, {articles} - 1) as n;

insert into article_cost
select article_no, '{first_day}', standard_cost, null, changed_at from article;

insert into exchange_rate
select
    currency, day, round((base * (0.95 + 0.1 * dice(extract(epoch from day)::bigint, salt)))::numeric, 6),
    evening('{first_day}')
from
    generate_series(
        date '{first_day}' - 7, date '{through}' + 28, interval '7 days'
    ) as weeks (moment)
cross join lateral (select moment::date as day) as days
cross join (values ('USD', 0.92, 1), ('GBP', 1.16, 2), ('CHF', 1.04, 3)) as c (currency, base, salt);

insert into debtor
select
    100000 + n, 'Firm ' || left(md5(n::text), 6) || ' ' || left(md5((-n)::text), 6) || ' GmbH',
    'DE' || (100000000 + n), 'Street ' || n % 977 || ' ' || n % 113, lpad((n % 90000)::text, 5, '0'),
    'City ' || n % 2000, '+49 30 ' || (1000000 + n), 'office@f' || n || '.example', 'DE',
    'Region ' || n % 16, (array['METAL', 'GLASS', 'FOOD', 'MED', 'LAB'])[1 + n % 5], 'A',
    date '{first_day}' - (dice(n, 11) * 2000)::integer,
    case when n % 25 = 0 then 'USD' when n % 25 = 1 then 'GBP' when n % 25 = 2 then 'CHF' else 'EUR' end,
    5000, (array['N14', 'N30', 'N60'])[1 + n % 3], null,
    'U' || lpad((1 + n % {owners})::text, 4, '0'), null, evening('{first_day}')
from generate_series(0, {customers} - 1) as n;

