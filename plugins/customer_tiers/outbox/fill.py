"""Write the messages of a night that is being published into the outbox."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from customer_tiers import stopwatch
from customer_tiers.digest import gather, joined, model
from customer_tiers.digest.model import KINDS, Digest, Recipient
from customer_tiers.outbox import rows
from customer_tiers.publish.newest import is_old

REPLACED = "replaced by a later run of the same night before it was sent"
QUIET = "written by a backfill, which mails nobody: `tiers outbox resend` sends it"

MAY_BE_OUT = ("sending", "sent", "unknown")
NOT_OUT = ("pending", "failed")

ADD = """
    insert into ops.outbox (
        outbox_key, content_hash, kind, role, recipient_id, recipient_name, channel, address,
        locale, business_date, payload, corrects, state, last_error
    )
    values (
        %(outbox_key)s, %(content_hash)s, %(kind)s, %(role)s, %(recipient_id)s,
        %(recipient_name)s, %(channel)s, %(address)s, %(locale)s, %(business_date)s, %(payload)s,
        %(corrects)s, %(state)s, %(last_error)s
    )
    on conflict (outbox_key) do nothing
"""

REFRESH = """
    update ops.outbox
    set recipient_name = %(recipient_name)s, address = %(address)s, locale = %(locale)s,
        payload = %(payload)s, state = %(state)s, is_retryable = false,
        last_error = %(last_error)s, changed_at = clock_timestamp()
    where outbox_key = %(outbox_key)s
        and (
            state = 'pending'
            or state = 'suppressed' and last_error = any(%(revived)s)
            or state = 'failed' and address <> %(address)s
        )
"""

TOLD = """
    insert into ops.news_told (
        business_date, recipient_id, kind, customer_id, topic, cause, direction
    )
    select business_date, recipient_id, kind, customer_id, topic, cause, coalesce(direction, 'none')
    from candidate.digest_item
    where business_date = %s
"""


@dataclass(frozen=True)
class _Earlier:
    """A message of the same night that an earlier run wrote."""

    outbox_key: str
    content_hash: str
    kind: str
    role: str
    recipient_id: str
    recipient_name: str
    channel: str
    address: str
    locale: str
    business_date: date
    payload: dict[str, Any]
    state: str
    changed_at: datetime


@stopwatch.part("outbox")
def enqueue(
    connection: psycopg.Connection, run_id: str, business_date: date, *, is_quiet: bool = False
) -> int:
    """Write the messages of a night that is being published; call it inside that transaction.

    The same content again adds nothing, but refreshes a row that still waits (an address, ranks).
    Other content replaces a message that has not gone out; one that has is followed by a
    correction that names it, also if nothing of it is left to tell. A night older than the newest
    published one writes nothing: nobody wants a mail about a past night that was computed again.

    Args:
        connection: To the warehouse; the night's candidates and its publication are in place.
        run_id: The run that publishes.
        business_date: The night.
        is_quiet: A backfill: what would be told for the first time is kept, but suppressed, and
            later nights may tell it. What corrects a message that went out is told.

    Returns:
        How many messages were added, suppressed ones included.

    Raises:
        UserError: The rows break the mart's promise, such as a customer in a stranger's mail.
    """
    if is_old(connection, business_date):
        return 0
    earlier = _earlier(connection, business_date)
    kept: set[str] = set()
    added = 0
    for digest in gather.digests(connection, run_id, business_date):
        before = earlier.pop(_thread(digest.kind, digest.recipient_id, digest.channel), [])
        added += _place(connection, digest, before, kept, is_quiet=is_quiet)
    for before in earlier.values():
        nothing = _of(before[-1], run_id)
        added += _place(connection, nothing, before, kept, is_quiet=True)
    _withdraw(connection, business_date, kept)
    connection.execute("delete from ops.news_told where business_date = %s", [business_date])
    if not is_quiet:
        connection.execute(TOLD, [business_date])
    return added


def add(connection: psycopg.Connection, digest: Digest) -> None:
    """Write one message that waits to be sent, unless its recipient has it already."""
    connection.execute(
        ADD,
        {
            **_values(digest),
            "outbox_key": digest.key,
            "content_hash": digest.key,
            "state": "pending",
            "last_error": None,
        },
    )


def _place(
    connection: psycopg.Connection,
    digest: Digest,
    before: list[_Earlier],
    kept: set[str],
    *,
    is_quiet: bool,
) -> int:
    """Write one message unless the recipient has it already; return how many were added."""
    out = [row for row in before if row.state in MAY_BE_OUT]
    content, key = digest.key, digest.key
    if out:
        if out[-1].content_hash == content or _said_apart(digest, out):
            return 0
        digest = digest.as_correction(out[0].outbox_key, out[0].changed_at.date())
        key = hashlib.sha256(f"{content} after {out[-1].outbox_key}".encode()).hexdigest()
    elif not digest.items:
        return 0
    is_told = bool(out) or not is_quiet
    values = {
        **_values(digest),
        "outbox_key": key[: rows.KEY_LENGTH],
        "content_hash": content,
        "state": "pending" if is_told else "suppressed",
        "last_error": None if is_told else QUIET,
        "revived": [REPLACED, QUIET] if is_told else [REPLACED],
    }
    kept.add(values["outbox_key"])
    if connection.execute(ADD, values).rowcount:
        return 1
    connection.execute(REFRESH, values)
    return 0


def _thread(kind: str, recipient_id: str, channel: str) -> tuple[str, str]:
    """Messages of the same thread follow one another: one of them replaces the one before."""
    return ("" if joined.is_joined(channel) else kind), recipient_id


def _said_apart(digest: Digest, out: list[_Earlier]) -> bool:
    """Whether all parts of a mail went out as mails of their own, as they did once."""
    sent = {row.content_hash for row in out}
    return len(digest.parts) > 1 and {part.key for part in digest.parts} <= sent


def _earlier(
    connection: psycopg.Connection, business_date: date
) -> dict[tuple[str, str], list[_Earlier]]:
    """The night's messages by thread, in the order in which they went out."""
    with connection.cursor(row_factory=class_row(_Earlier)) as cursor:
        found = cursor.execute(
            "select outbox_key, content_hash, kind, role, recipient_id, recipient_name, channel, "
            "address, locale, business_date, payload, state, changed_at from ops.outbox "
            "where business_date = %s and kind = any(%s) order by created_at, outbox_key",
            [business_date, list(KINDS)],
        ).fetchall()
    grouped: dict[tuple[str, str], list[_Earlier]] = defaultdict(list)
    for row in found:
        grouped[_thread(row.kind, row.recipient_id, row.channel)].append(row)
    return grouped


def _of(row: _Earlier, run_id: str) -> Digest:
    """The message that says that nothing of an earlier one is left."""
    digest = model.from_row(
        row.kind,
        row.recipient_id,
        row.role,
        row.recipient_name,
        row.channel,
        row.address,
        row.locale,
        row.business_date,
        row.payload,
    )
    period = Recipient(digest.recipient.period_from, digest.recipient.period_until, customers=0)
    return replace(
        digest,
        items=(),
        customers=(),
        recipient=period,
        review=None,
        run_id=run_id,
        parts_told=(),
    )


def _withdraw(connection: psycopg.Connection, business_date: date, kept: set[str]) -> None:
    connection.execute(
        "update ops.outbox set state = 'suppressed', is_retryable = false, last_error = %s, "
        "changed_at = clock_timestamp() where business_date = %s and kind = any(%s) "
        "and outbox_key <> all(%s) and state = any(%s)",
        [REPLACED, business_date, list(KINDS), list(kept), list(NOT_OUT)],
    )


def _values(digest: Digest) -> dict[str, Any]:
    return {
        "kind": digest.kind,
        "role": digest.role or "",
        "recipient_id": digest.recipient_id,
        "recipient_name": digest.recipient_name or digest.recipient_id,
        "channel": digest.channel,
        "address": digest.address,
        "locale": digest.locale or "",
        "business_date": digest.business_date,
        "payload": Jsonb(digest.payload()),
        "corrects": digest.corrects,
    }
