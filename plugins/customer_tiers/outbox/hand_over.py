"""Keep what waits in the outbox with whom it belongs to: the owner as of the send date.

A mail can wait for days, if the mail server refuses it for now. What it says about a customer that
was handed over meanwhile goes to the new owner; addresses follow the people.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from customer_tiers.digest import joined
from customer_tiers.digest.model import KINDS, Digest
from customer_tiers.outbox import fill, rows

HANDED_OVER = "its customers were handed over before it was sent; what it said goes to their owners"

FOLLOW = """
    update ops.outbox
    set recipient_name = people.recipient_name, channel = people.channel,
        address = people.address, locale = people.locale,
        state = 'pending', is_retryable = false, last_error = null,
        changed_at = clock_timestamp()
    from (
        select distinct recipient_id, recipient_name, channel, address, locale
        from candidate.int_audiences_found
    ) as people
    where outbox.recipient_id = people.recipient_id
        and outbox.kind = any(%(kinds)s) and outbox.state = any(%(waiting)s)
        and (outbox.channel, outbox.address) is distinct from (people.channel, people.address)
"""

MOVED = """
    select box.outbox_key, item ->> 'customer_id' as customer_id, readers.recipient_id,
        readers.recipient_name, readers.channel, readers.address, readers.locale, readers.role
    from ops.outbox as box
    cross join lateral jsonb_array_elements(box.payload -> 'items') as item
    join candidate.int_customers_described as customer
        on customer.customer_id = item ->> 'customer_id'
    left join candidate.int_audiences_found as readers
        on readers.owner_id = coalesce(customer.owner_id, '')
        and readers.role in ('owner', 'fallback')
    where box.state = any(%(waiting)s) and box.kind = any(%(kinds)s)
        and box.business_date < %(night)s and item ->> 'role' in ('owner', 'fallback')
        and not exists (
            select from candidate.int_audiences_found as same
            where same.owner_id = coalesce(customer.owner_id, '')
                and same.role in ('owner', 'fallback') and same.recipient_id = box.recipient_id
        )
    order by box.outbox_key, readers.recipient_id
"""


def readdress(connection: psycopg.Connection, business_date: date) -> None:
    """Follow the people and the customers of tonight with what still waits from earlier nights.

    Call it in the publishing transaction of the newest night.
    """
    values = {"waiting": list(fill.NOT_OUT), "kinds": list(KINDS), "night": business_date}
    connection.execute(FOLLOW, values)
    with connection.cursor(row_factory=dict_row) as cursor:
        moved = cursor.execute(MOVED, values).fetchall()
    by_message: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in moved:
        by_message[row["outbox_key"]].append(row)
    for key, those in by_message.items():
        _split(connection, key, those)


def _split(connection: psycopg.Connection, key: str, moved: list[dict[str, Any]]) -> None:
    """Replace a waiting message by one for each person whom a part of it is now for."""
    digest = rows.find(connection, key).digest
    gone = {row["customer_id"] for row in moved}
    _add(connection, joined.only(digest, [i for i in digest.items if i.customer_id not in gone]))
    readers = {row["recipient_id"]: row for row in moved if row["recipient_id"]}
    for reader, person in readers.items():
        theirs = {row["customer_id"] for row in moved if row["recipient_id"] == reader}
        addressed = replace(
            digest,
            role=person["role"],
            recipient_id=reader,
            recipient_name=person["recipient_name"],
            channel=person["channel"],
            address=person["address"],
            locale=person["locale"],
            corrects=None,
            corrects_sent_on=None,
        )
        items = [item for item in digest.items if item.customer_id in theirs]
        _add(connection, joined.only(addressed, items, person["role"]))
    connection.execute(
        "update ops.outbox set state = 'suppressed', is_retryable = false, last_error = %s, "
        "changed_at = clock_timestamp() where outbox_key = %s",
        [HANDED_OVER, key],
    )


def _add(connection: psycopg.Connection, digest: Digest | None) -> None:
    if digest is not None:
        fill.add(connection, digest)
