"""Show a mail as its recipient gets it, without sending it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from customer_tiers.digest import gather
from customer_tiers.digest.clean import clean
from customer_tiers.digest.message import fill
from customer_tiers.digest.model import ROW_FIELDS, Digest, from_row
from customer_tiers.digest.render import render
from customer_tiers.errors import UserError

SUFFIXES = (".html", ".txt", ".eml", ".csv")

NIGHT = "select max(business_date) as night from bi.publication where status = 'published'"
BUILT = "select max(business_date) as night from candidate.tier_decision"
OUTBOX = (
    "select * from ops.outbox where business_date = %s and payload ? 'items' order by created_at"
)


def find(
    connection: psycopg.Connection,
    recipient: str,
    day: date | None = None,
    kind: str | None = None,
    locale: str | None = None,
) -> Digest:
    """Return the mail of a night to a recipient.

    The newest built night is composed anew, so that it shows what is told now; an older one is
    shown from the outbox, as it was written.

    Args:
        connection: To the warehouse.
        recipient: Id, name or address.
        day: Business date of the night; None takes the newest published one.
        kind: Kind of mail, of which only that part is shown; None takes the first mail there is.
        locale: Language to show it in; None takes the recipient's.

    Raises:
        UserError: There is no such mail; says which there are.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        if day is None:
            day = (cursor.execute(NIGHT).fetchone() or {})["night"]
            if day is None:
                raise UserError("digest: no night is published yet; start one with `tiers run`")
        built = (cursor.execute(BUILT).fetchone() or {})["night"]
        if built == day:
            owed = list(gather.digests(connection, None, day))
        else:
            rows = cursor.execute(OUTBOX, [day]).fetchall()
            owed = [
                from_row(**{name: row[name] for name in ROW_FIELDS}, payload=row["payload"])
                for row in rows
            ]
    asked = recipient.strip().casefold()
    found = [one for one in owed if asked in {(n or "").casefold() for n in _names(one)}]
    if kind:
        found = [part for one in found for part in one.parts if part.kind == kind]
    if found:
        return replace(found[0], locale=locale or found[0].locale)
    wanted = f"{kind} mail" if kind else "mail"
    parts = [part for digest in owed for part in digest.parts]
    others = sorted({f"{part.recipient_id} ({part.kind})" for part in parts})
    there = f"there are mails for {', '.join(others)}" if others else "there are no mails of it"
    raise UserError(f"digest: no {wanted} of {day} for {clean(recipient)!r}; {there}")


def write(digest: Digest, path: Path, sender: str) -> None:
    """Write a mail, or the part of it that the suffix names, to a file.

    Raises:
        UserError: The suffix names nothing, or the file cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"--out {path}: end it in {', '.join(SUFFIXES)}")
    try:
        path.write_bytes(_part(digest, path.suffix, sender))
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror}") from None


def _part(digest: Digest, suffix: str, sender: str) -> bytes:
    if suffix == ".eml":
        return _message(digest, sender).as_bytes()
    content = render(digest)
    if suffix == ".csv":
        if not content.attachments:
            raise UserError("digest: this mail has no attached table")
        return content.attachments[0][1]
    return (content.html if suffix == ".html" else content.text).encode()


def _message(digest: Digest, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    name = clean(digest.recipient_name or digest.recipient_id)
    message["To"] = Address(name, addr_spec=digest.address)
    message["X-Unsent"] = "1"  # mail programs open it as a draft
    fill(message, digest, digest.key)
    return message


def _names(digest: Digest) -> tuple[str | None, ...]:
    return digest.recipient_id, digest.recipient_name, digest.address
