"""The rows of `ops.outbox`, and what a person may do with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from customer_tiers.digest import model
from customer_tiers.digest.model import Digest
from customer_tiers.errors import UserError

OPS = "ops"
"""Kind of the messages that say that the pipeline itself needs somebody."""

STATES = ("pending", "sending", "sent", "unknown", "failed", "suppressed")

GIVEN_UP = "given up by hand"

KEY_LENGTH = 32


@dataclass(frozen=True)
class OutboxRow:
    """One message; the fields are columns of `ops.outbox`."""

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
    corrects: str | None
    state: str
    is_retryable: bool
    attempts: int
    last_error: str | None
    created_at: datetime
    changed_at: datetime

    @property
    def kinds(self) -> str:
        """The kinds of its parts, as in `daily+weekly`."""
        parts = self.payload.get("parts_told") or [{"kind": self.kind}]
        return "+".join(part["kind"] for part in parts)

    @property
    def digest(self) -> Digest:
        """What the message says; messages of kind `ops` have none."""
        return model.from_row(
            self.kind,
            self.recipient_id,
            self.role,
            self.recipient_name,
            self.channel,
            self.address,
            self.locale,
            self.business_date,
            self.payload,
        )


COLUMNS = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(OutboxRow))


def list_(
    connection: psycopg.Connection,
    business_date: date | None = None,
    states: Collection[str] | None = None,
) -> list[OutboxRow]:
    """Return the messages, newest night first, optionally of one night or of some states."""
    statement = sql.SQL(
        "select {} from ops.outbox where (%s::date is null or business_date = %s) "
        "and (%s::text[] is null or state = any(%s)) "
        "order by business_date desc, kind, recipient_id, created_at"
    ).format(COLUMNS)
    wanted = list(states) if states is not None else None
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        return cursor.execute(statement, [business_date, business_date, wanted, wanted]).fetchall()


def find(connection: psycopg.Connection, start_of_key: str) -> OutboxRow:
    """Return the message whose key begins like that.

    Raises:
        UserError: None or several do.
    """
    statement = sql.SQL("select {} from ops.outbox where starts_with(outbox_key, %s) limit 2")
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        found = cursor.execute(statement.format(COLUMNS), [start_of_key]).fetchall()
    if len(found) == 1:
        return found[0]
    fault = "several messages have a key that begins with" if found else "no message has the key"
    raise UserError(f"outbox: {fault} {start_of_key!r}; `tiers outbox list` shows the keys")


def resend(connection: psycopg.Connection, row: OutboxRow) -> None:
    """Let a message be sent that failed, is unknown or was suppressed: a person has decided so.

    Raises:
        UserError: It is in another state.
    """
    _decide(connection, row, "pending", None, ("unknown", "failed", "suppressed"))


def give_up(connection: psycopg.Connection, row: OutboxRow) -> None:
    """Never send a message that waits, failed or is unknown: a person has decided so.

    Raises:
        UserError: It is in another state.
    """
    _decide(connection, row, "suppressed", GIVEN_UP, ("pending", "failed", "unknown"))


def _decide(
    connection: psycopg.Connection,
    row: OutboxRow,
    state: str,
    note: str | None,
    allowed: Collection[str],
) -> None:
    changed = connection.execute(
        "update ops.outbox set state = %s, last_error = %s, is_retryable = false, attempts = 0, "
        "changed_at = clock_timestamp() where outbox_key = %s and state = any(%s)",
        [state, note, row.outbox_key, list(allowed)],
    )
    if changed.rowcount != 1:
        raise UserError(
            f"outbox: message {row.outbox_key} is {row.state}; "
            f"this is for messages that are {', '.join(allowed)}"
        )
