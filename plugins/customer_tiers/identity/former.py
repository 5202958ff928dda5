"""Customer numbers that the ERP lists no more, and who might go on under another number."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg.rows import dict_row

from customer_tiers.identity import blocks, compare
from customer_tiers.identity.blocks import Index
from customer_tiers.identity.records import record

REMEMBER = """
insert into ops.customer_last_known (
    customer_id, name, tax_id, domain, phone, address, postal_code, city, country, stands_alone,
    loaded_at
)
select
    customer_id, name, tax_id, domain, phone, address, postal_code, city, country,
    merged_into_id is null and coalesce(status, 'active') <> 'internal', _loaded_at
from raw.erp_customers
where _loaded_at >= coalesce(
    (select max(loaded_at) from ops.customer_last_known), '-infinity'::timestamptz
)
on conflict (customer_id) do update set
    name = excluded.name, tax_id = excluded.tax_id, domain = excluded.domain,
    phone = excluded.phone, address = excluded.address, postal_code = excluded.postal_code,
    city = excluded.city, country = excluded.country, stands_alone = excluded.stands_alone,
    loaded_at = excluded.loaded_at, gone_since = null
where customer_last_known.loaded_at < excluded.loaded_at
    or customer_last_known.gone_since is not null
"""
"""Only what was loaded since the last time is read."""

NOTE_GONE = """
update ops.customer_last_known as known
set gone_since = transaction_timestamp()
where gone_since is null and not exists (
    select from raw.erp_customers as listed where listed.customer_id = known.customer_id
)
"""

GONE = """
select
    customer_id as record_id, name, tax_id, domain, phone, address, postal_code, city, country
from ops.customer_last_known
where gone_since is not null and stands_alone
order by customer_id
"""

LATER = """
select
    listed.customer_id as record_id, listed.name, listed.tax_id, listed.domain, listed.phone,
    listed.address, listed.postal_code, listed.city, listed.country
from raw.erp_customers as listed
inner join ops.customer_key as held
    on held.system = 'erp' and held.record_id = listed.customer_id
where
    listed.merged_into_id is null and coalesce(listed.status, 'active') <> 'internal'
    and held.first_run_id <> (
        select first_run_id from ops.customer_key where system = 'erp'
        order by customer_key limit 1
    )
order by listed.customer_id
"""
"""Customers that came after the first load: no other number can have taken the place of one."""

IS_RENUMBERING = """
select
    new_key.first_seen_at > coalesce(
        old_key.first_seen_at,
        (select min(known_from) from bi.customer_tier_history where customer_id = %(old)s)
    )
    and new_key.first_run_id is distinct from old_key.first_run_id
    and new_key.first_seen_at > coalesce(
        (
            select gone_since from ops.customer_last_known where customer_id = %(old)s
        ) - interval '31 days',
        '-infinity'::timestamptz
    )
    and not exists (
        select from ops.identity_decision
        where into_customer_id = %(new)s and is_renumbering and undone_at is null
    )
from ops.customer_key as new_key
left join ops.customer_key as old_key
    on old_key.system = 'erp' and old_key.record_id = %(old)s
where new_key.system = 'erp' and new_key.record_id = %(new)s
    and not exists (select from raw.erp_customers where customer_id = %(old)s)
"""
"""Whether a number has taken the place of another one: it came later, and at most a month before
that one went. Two customers that were both there for longer are merged; their tiers are two."""

EVER_KNOWN = """
select 1 from ops.customer_key where system = 'erp' and record_id = %(number)s
union all
select 1 from bi.customer_tier_history where customer_id = %(number)s
limit 1
"""


def remember(connection: psycopg.Connection) -> None:
    """Keep how the ERP describes its customers now, and since when it lists one no more."""
    connection.execute(REMEMBER)
    connection.execute(NOTE_GONE)


def evidence(connection: psycopg.Connection, common: set[int]) -> Iterator[compare.Evidence]:
    """What speaks for customers of now being numbers that are gone.

    Args:
        connection: To the warehouse.
        common: What too many records have in common to tell anything, as `blocks.shared` finds it.

    Yields:
        The number that is gone, the customer that may be it, kind and value.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        gone = [record(row) for row in cursor.execute(GONE)]
        later = [record(row) for row in cursor.execute(LATER)] if gone else []
    if not later:
        return
    for rows in (gone, later):
        blocks.forget(rows, common)
    for customer_id, gone_id, kind, value in compare.between(
        later, Index(gone, blocks.strong_keys)
    ):
        yield gone_id, customer_id, kind, value


def is_renumbering(connection: psycopg.Connection, old: str, new: str) -> bool:
    """Whether the ERP replaced one number by the other, so that its history goes on."""
    row = connection.execute(IS_RENUMBERING, {"old": old, "new": new}).fetchone()
    return bool(row and row[0])


def was_known(connection: psycopg.Connection, number: str) -> bool:
    """Whether the number was a customer once, listed or not."""
    return connection.execute(EVER_KNOWN, {"number": number}).fetchone() is not None
