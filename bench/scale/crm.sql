-- The CRM of the company at scale: an account for six of ten customers, which names it.
create function dice(n bigint, salt integer) returns double precision
language sql immutable parallel safe as
'select (hashint8extended(n, salt) & 1073741823) / 1073741824.0';

insert into app_user
select
    'U' || lpad(n::text, 4, '0'), 'Manager ' || n, 'manager' || n || '@example.com', 'en',
    case when n > 1 then 'U' || lpad((1 + n % 20)::text, 4, '0') end, true,
    timestamptz '{first_day} 20:00+00'
from generate_series(1, {owners}) as n;
update app_user set reports_to = null where reports_to = user_no;

insert into account
select
    500000 + n, 'Account ' || left(md5(n::text), 6), 'DE' || (100000000 + n), 'www.f' || n || '.example',
    null, lpad((n % 90000)::text, 5, '0'), 'City ' || n % 2000, 'DE', null, 'Industry ' || n % 5,
    'U' || lpad((1 + n % {owners})::text, 4, '0'), 100000 + n, date '1990-01-01' + n % 9000,
    case when n % 3 > 0 then date '{first_day}' + 365 * (3 + n % 5)::integer end,
    case when n % 3 = 0 then 10000 + n % 400 * 1000 end, n % 200 = 0,
    timestamptz '{first_day} 09:00+00', null, timestamptz '{first_day} 20:00+00'
from generate_series(0, {customers} - 1) as n
where n % 10 < 6;

insert into activity
select
    n, account.account_no, account.user_no,
    (array['CALL', 'VISIT', 'MEETING', 'MAIL', 'EVENT'])[1 + n % 5], at, 15 + n % 90,
    (array['STAFF', 'MANAGEMENT', 'BOARD'])[1 + n % 3], at
from account
cross join generate_series(0, 3) as copy
cross join lateral (select account.account_no * 4 + copy as n) as numbered
cross join lateral (
    select timestamptz '{first_day} 10:00+00' + {days} * dice(n, 21) * interval '1 day' as at
) as moments;

insert into ticket
select
    n, account_no, (array['COMPLAINT', 'QUESTION', 'IDEA'])[1 + n % 3], 1 + n % 3, at,
    at + interval '4 hours', case when n % 20 > 0 then at + interval '3 days' end,
    case when n % 20 > 0 then at + interval '3 days' else at end
from account
cross join lateral (select account_no as n) as numbered
cross join lateral (
    select timestamptz '{first_day} 10:00+00' + ({days} - 4) * dice(n, 22) * interval '1 day' as at
) as moments;

insert into survey
select
    account_no, account_no, case when account_no % 2 = 0 then 'CSAT' else 'NPS' end, at,
    at + interval '2 days', 1 + account_no % 5, at + interval '2 days'
from account
cross join lateral (
    select timestamptz '{first_day} 10:00+00' + ({days} - 4) * dice(account_no, 23) * interval '1 day' as at
) as moments;

insert into deal
select
    account_no, account_no, 'OFFER', 1000 + account_no % 90 * 500, 'EUR', 10 + account_no % 9 * 10, at,
    date '{through}' + 60, null, null, null, at
from account
cross join lateral (
    select timestamptz '{first_day} 10:00+00' + {days} * dice(account_no, 24) * interval '1 day' as at
) as moments
where account_no % 3 = 0;
