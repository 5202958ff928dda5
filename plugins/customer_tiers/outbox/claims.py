"""Which sender hands over which message: a claim is a lease, and the dead hold none.

A sender is a database session that holds the advisory lock (`SENDERS`, its own pid). The lock goes
with the session, so a sender that was killed is known to be dead at once; a lease that has run out
tells the same of one whose machine has vanished from the network.
"""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from customer_tiers.outbox.rows import COLUMNS, OutboxRow

MAX_ATTEMPTS = 20
"""A message that was refused for now this often is not tried again: three weeks of nights."""

LEASE = timedelta(minutes=15)
"""Longer than any hand-over takes: each of its steps ends with the connection's own timeout."""

SENDERS = 1_413_829_460
"""First part of the advisory locks by which senders show that they live; any number will do."""

LEFT_IN_SENDING = "the sender ended while handing it over: perhaps delivered, not sent again"
LEFT_IN_REPEATABLE = (
    "the sender ended while handing it over; the receiver knows a repeat by its key"
)

IS_DUE = "(state = 'pending' or state = 'failed' and is_retryable and attempts < %(attempts)s)"

DUE = f"""
    select outbox_key, channel, address from ops.outbox
    where {IS_DUE} and (%(night)s::date is null or business_date = %(night)s)
        and (kind = 'ops' or not %(only_ops)s)
    order by attempts, business_date, kind, recipient_id, created_at
"""  # noqa: S608

CLAIM = f"""
    update ops.outbox set state = 'sending', attempts = attempts + 1, last_error = null,
        claimed_by = pg_backend_pid(), claimed_until = clock_timestamp() + %(lease)s,
        changed_at = clock_timestamp()
    where outbox_key = (
        select outbox_key from ops.outbox where outbox_key = %(key)s and {IS_DUE}
        for update skip locked
    )
    returning """  # noqa: S608

SETTLE = """
    update ops.outbox
    set state = case channel when 'webhook' then 'pending' else 'unknown' end,
        last_error = case channel when 'webhook' then %(repeatable)s else %(left)s end,
        changed_at = clock_timestamp()
    where state = 'sending' and (
        claimed_until < clock_timestamp()
        or claimed_by is null
        or not exists (
            select from pg_locks
            where locktype = 'advisory' and objsubid = 2 and granted
                and classid = %(senders)s and objid = ops.outbox.claimed_by
                and database = (select oid from pg_database where datname = current_database())
        )
    )
    returning state
"""


def show_alive(connection: psycopg.Connection) -> None:
    """Take the lock by which others see that this session's sender lives; once per session."""
    connection.execute("select pg_advisory_lock(%s, pg_backend_pid())", [SENDERS])


def due(
    connection: psycopg.Connection, business_date: date | None = None, *, only_ops: bool = False
) -> list[tuple[str, str, str]]:
    """Return key, channel and address of the messages to send now, new and to be tried again.

    Those tried least come first, so that a message over which a server stumbles cannot hold up the
    others; then the oldest night.
    """
    values = {"attempts": MAX_ATTEMPTS, "night": business_date, "only_ops": only_ops}
    return connection.execute(DUE, values).fetchall()


def claim(
    connection: psycopg.Connection, outbox_key: str, lease: timedelta = LEASE
) -> OutboxRow | None:
    """Move a message that is due to `sending`; None if it is due no more, or another has it.

    The caller commits before it talks to a server: after a crash the state then says that the
    message may be out.
    """
    statement = sql.SQL(CLAIM) + COLUMNS
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        return cursor.execute(
            statement, {"key": outbox_key, "attempts": MAX_ATTEMPTS, "lease": lease}
        ).fetchone()


def mark(
    connection: psycopg.Connection,
    outbox_key: str,
    state: str,
    error: str | None = None,
    is_retryable: bool = False,
) -> None:
    """Note what became of a message that this session claimed.

    Also if its lease ran out meanwhile and others call it unknown: who sent it knows better.

    Raises:
        ValueError: It was never claimed here, or somebody else has dealt with it.
    """
    changed = connection.execute(
        "update ops.outbox set state = %s, last_error = %s, is_retryable = %s, "
        "claimed_by = null, claimed_until = null, changed_at = clock_timestamp() "
        "where outbox_key = %s and state in ('sending', 'unknown') "
        "and claimed_by = pg_backend_pid()",
        [state, error, is_retryable, outbox_key],
    )
    if changed.rowcount != 1:
        raise ValueError(f"outbox: message {outbox_key} is not claimed by this sender")


def settle_left_behind(connection: psycopg.Connection) -> int:
    """Settle the messages that dead senders left in `sending`; return how many are now unknown.

    A webhook's receiver knows a repeat by its key, so those are simply sent again.
    """
    settled = connection.execute(
        SETTLE,
        {"left": LEFT_IN_SENDING, "repeatable": LEFT_IN_REPEATABLE, "senders": SENDERS},
    )
    return sum(state == "unknown" for (state,) in settled.fetchall())
