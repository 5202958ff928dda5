"""The outbox: which mails a published night owes to whom, and what became of each.

Rows are written in the transaction that publishes, so a mail exists exactly if its night does. The
key is a hash of the content: publishing the same night again adds nothing. Sending is in `mail`.

    pending -> sending -> sent
                       -> failed    refused; is_retryable says whether the next sending tries again
                       -> unknown   perhaps delivered: shown, never sent again by itself
    pending or failed -> suppressed  a later run of the same night replaced it
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from customer_tiers.digest import compose
from customer_tiers.digest.compose import Digest
from customer_tiers.errors import UserError
from customer_tiers.publish.newest import is_old

MAX_ATTEMPTS = 20
"""A mail that was refused for now this often is not tried again: three weeks of nights."""

REPLACED = "replaced by a later run of the same night before it was sent"
LEFT_IN_SENDING = "the sender ended while handing it over: perhaps delivered, not sent again"

MAY_BE_OUT = ("sending", "sent", "unknown")
NOT_OUT = ("pending", "failed")


@dataclass(frozen=True)
class OutboxRow:
    """One mail; the fields are columns of `ops.outbox`."""

    outbox_key: str
    kind: str
    recipient_id: str
    recipient_name: str
    recipient_email: str
    locale: str
    business_date: date
    payload: dict[str, Any]
    state: str
    is_retryable: bool
    attempts: int
    last_error: str | None
    created_at: datetime
    changed_at: datetime

    @property
    def digest(self) -> Digest:
        """What the mail says."""
        return compose.from_payload(
            self.kind,
            self.recipient_id,
            self.recipient_name,
            self.recipient_email,
            self.locale,
            self.business_date,
            self.payload,
        )


COLUMNS = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(OutboxRow))

ITEMS = sql.SQL("select {} from candidate.digest_item where business_date = %s").format(
    sql.SQL(", ").join(map(sql.Identifier, compose.ITEM_FIELDS))
)

ADD = """
    insert into ops.outbox (
        outbox_key, kind, recipient_id, recipient_name, recipient_email, locale, business_date,
        payload
    )
    values (
        %(outbox_key)s, %(kind)s, %(recipient_id)s, %(recipient_name)s, %(recipient_email)s,
        %(locale)s, %(business_date)s, %(payload)s
    )
    on conflict (outbox_key) do nothing
"""

REFRESH = """
    update ops.outbox
    set recipient_name = %(recipient_name)s, recipient_email = %(recipient_email)s,
        locale = %(locale)s, payload = %(payload)s, state = 'pending', is_retryable = false,
        last_error = null, changed_at = clock_timestamp()
    where outbox_key = %(outbox_key)s
        and (
            state = 'pending'
            or state = 'suppressed' and last_error = %(replaced)s
            or state = 'failed' and recipient_email <> %(recipient_email)s
        )
"""


def enqueue(connection: psycopg.Connection, run_id: str, business_date: date) -> int:
    """Write the mails of a night that is being published; call it inside that transaction.

    Reads `candidate.digest_item` of the business date. One row per recipient and kind of mail,
    none for a recipient without changes. The same content again adds nothing, but refreshes a row
    that still waits (a moved owner's address, ranks). Other content replaces a mail that has not
    gone out, and follows one that has, marked as its replacement. A night older than the newest
    published one writes nothing: nobody wants a mail about a past night that was computed again.

    Returns:
        How many mails were added.

    Raises:
        UserError: The rows break the mart's promise, such as a customer in a stranger's mail.
    """
    if is_old(connection, business_date):
        return 0
    digests = _compose(connection, run_id, business_date)
    with connection.cursor(row_factory=dict_row) as cursor:
        earlier = cursor.execute(
            "select outbox_key, kind, recipient_id, state from ops.outbox where business_date = %s",
            [business_date],
        ).fetchall()
    _withdraw(connection, earlier, {digest.key for digest in digests})
    known = {row["outbox_key"] for row in earlier}
    told = {(row["kind"], row["recipient_id"]) for row in earlier if row["state"] in MAY_BE_OUT}
    added = 0
    for digest in digests:
        if (digest.kind, digest.recipient_id) in told:
            digest = digest.as_correction()
        values = _values(digest)
        if digest.key in known:
            connection.execute(REFRESH, {**values, "replaced": REPLACED})
        else:
            added += connection.execute(ADD, values).rowcount
    return added


def due(connection: psycopg.Connection, business_date: date | None = None) -> list[str]:
    """Return the keys of the mails to send now: pending ones and failed ones to try again.

    Those tried least come first, so that a mail over which the server stumbles cannot hold up the
    others; then the oldest night.
    """
    rows = connection.execute(
        "select outbox_key from ops.outbox "
        "where (state = 'pending' or state = 'failed' and is_retryable and attempts < %s) "
        "and (%s::date is null or business_date = %s) "
        "order by attempts, business_date, kind, recipient_id, created_at",
        [MAX_ATTEMPTS, business_date, business_date],
    ).fetchall()
    return [row[0] for row in rows]


def claim(connection: psycopg.Connection, outbox_key: str) -> OutboxRow | None:
    """Move a mail that is due to `sending`; None if it is due no more.

    The caller commits before it talks to a mail server: after a crash the state then says that
    the mail may be out.
    """
    statement = sql.SQL(
        "update ops.outbox set state = 'sending', attempts = attempts + 1, last_error = null, "
        "changed_at = clock_timestamp() "
        "where outbox_key = %s and (state = 'pending' or state = 'failed' and is_retryable) "
        "returning {}"
    ).format(COLUMNS)
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        return cursor.execute(statement, [outbox_key]).fetchone()


def mark(
    connection: psycopg.Connection,
    outbox_key: str,
    state: str,
    error: str | None = None,
    is_retryable: bool = False,
) -> None:
    """Note what became of a mail that was claimed.

    Raises:
        ValueError: The mail is not `sending`, so somebody else has dealt with it.
    """
    changed = connection.execute(
        "update ops.outbox set state = %s, last_error = %s, is_retryable = %s, "
        "changed_at = clock_timestamp() where outbox_key = %s and state = 'sending'",
        [state, error, is_retryable, outbox_key],
    )
    if changed.rowcount != 1:
        raise ValueError(f"outbox: mail {outbox_key} is not in state sending")


def settle_crashed(connection: psycopg.Connection) -> int:
    """Turn mails that a dead sender left in `sending` into `unknown`; return how many.

    Only for a caller that knows that nobody is sending.
    """
    return connection.execute(
        "update ops.outbox set state = 'unknown', last_error = %s, changed_at = clock_timestamp() "
        "where state = 'sending'",
        [LEFT_IN_SENDING],
    ).rowcount


def release(connection: psycopg.Connection, outbox_key: str) -> None:
    """Let an `unknown` or `failed` mail be sent again, because a person has decided so.

    Raises:
        UserError: There is no such mail, or it is in another state.
    """
    changed = connection.execute(
        "update ops.outbox set state = 'pending', is_retryable = false, attempts = 0, "
        "changed_at = clock_timestamp() "
        "where outbox_key = %s and state in ('unknown', 'failed')",
        [outbox_key],
    )
    if changed.rowcount != 1:
        raise UserError(
            f"outbox: no unknown or failed mail has the key {outbox_key}; "
            "`tiers outbox` lists the mails and their states"
        )


def list_(
    connection: psycopg.Connection,
    business_date: date | None = None,
    states: Collection[str] | None = None,
) -> list[OutboxRow]:
    """Return the mails, newest night first, optionally of one night or of some states."""
    statement = sql.SQL(
        "select {} from ops.outbox where (%s::date is null or business_date = %s) "
        "and (%s::text[] is null or state = any(%s)) "
        "order by business_date desc, kind, recipient_id, created_at"
    ).format(COLUMNS)
    wanted = list(states) if states is not None else None
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        return cursor.execute(statement, [business_date, business_date, wanted, wanted]).fetchall()


def _compose(connection: psycopg.Connection, run_id: str, business_date: date) -> list[Digest]:
    publication = connection.execute(
        "select source, base_currency from bi.publication where run_id = %s", [run_id]
    ).fetchone()
    source, base_currency = publication or (None, None)
    with connection.cursor(row_factory=dict_row) as cursor:
        items = cursor.execute(ITEMS, [business_date]).fetchall()
    try:
        return compose.compose(items, business_date, base_currency, source, run_id)
    except ValueError as error:
        raise UserError(f"{error}; mend the model digest_item and publish again") from error


def _withdraw(
    connection: psycopg.Connection, earlier: list[dict[str, Any]], keys: set[str]
) -> None:
    outdated = [
        row["outbox_key"]
        for row in earlier
        if row["state"] in NOT_OUT and row["outbox_key"] not in keys
    ]
    connection.execute(
        "update ops.outbox set state = 'suppressed', is_retryable = false, last_error = %s, "
        "changed_at = clock_timestamp() where outbox_key = any(%s) and state = any(%s)",
        [REPLACED, outdated, list(NOT_OUT)],
    )


def _values(digest: Digest) -> dict[str, Any]:
    return {
        "outbox_key": digest.key,
        "kind": digest.kind,
        "recipient_id": digest.recipient_id,
        "recipient_name": digest.recipient_name or digest.recipient_id,
        "recipient_email": digest.recipient_email,
        "locale": digest.locale or "",
        "business_date": digest.business_date,
        "payload": Jsonb(digest.payload()),
    }
