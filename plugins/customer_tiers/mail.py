"""Send the mails of the outbox: each at most once, with nothing hidden.

`sending` is committed before a mail server hears of the mail. Whatever happens then, the row says
what is known: sent, refused, or perhaps sent. Nothing that may have been sent is sent again unless
a person says so (`outbox.release`).
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import parseaddr

import psycopg

from customer_tiers import connections, outbox
from customer_tiers.digest.clean import clean
from customer_tiers.digest.render import render
from customer_tiers.errors import UserError
from customer_tiers.outbox import OutboxRow
from customer_tiers.smtp import Outcome, Sender

LOCK = "customer_tiers.send_pending"
"""Name of the advisory lock that one sender holds per warehouse."""

LOSSES_IN_A_ROW = 2
"""After so many mails in a row over which the connection was lost, the rest wait: a server that
hangs up on each mail would otherwise turn all of them into `unknown`."""

ADDRESS = re.compile(r"[^\s@<>()\[\],:;\\\"\x00-\x1f\x7f]+@[^\s@<>()\[\],:;\\\"\x00-\x1f\x7f]+")
"""A plain address; quoted names and address literals are not for people's mails."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """What one sending did, in mails.

    Attributes:
        sent: Accepted by the mail server.
        failed: Refused; `waiting` counts those that will be tried again as well.
        unknown: Perhaps delivered, including those that an earlier sender left behind.
        waiting: Due at the next sending.
        problem: Why the sending ended early, or None.
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problem: str | None = None

    def __str__(self) -> str:
        counts = (
            f"mails: {self.sent} sent, {self.failed} failed, {self.unknown} unknown, "
            f"{self.waiting} waiting for the next sending"
        )
        return f"{counts}; {self.problem}" if self.problem else counts


def send_pending(warehouse_url: str, business_date: date | None = None) -> Summary:
    """Send the mails that are due.

    Args:
        warehouse_url: libpq URL of a company's warehouse.
        business_date: Send the mails of that night only; None sends all, also those that an
            earlier night could not get rid of.

    Raises:
        UserError: The SMTP connection is malformed, or the warehouse cannot be reached.
    """
    server = connections.smtp()
    sender = _sender(server.from_email)
    with _connect(warehouse_url) as connection:
        if not _lock(connection):
            waiting = len(outbox.due(connection, business_date))
            return Summary(waiting=waiting, problem="another sending is going on")
        left_behind = outbox.settle_crashed(connection)
        with Sender(server) as post:
            summary = _send_all(connection, post, sender, business_date)
        return replace(
            summary,
            unknown=summary.unknown + left_behind,
            waiting=len(outbox.due(connection, business_date)),
        )


def build_message(row: OutboxRow, sender: Address) -> EmailMessage:
    """Make the mail of an outbox row; the same row always gives the same mail.

    Raises:
        UserError: The recipient's address is none.
        ValueError: No mail exists for the kind.
    """
    content = render(row.digest)
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = sender
    message["To"] = _recipient(row)
    message["Subject"] = clean(content.subject, 200)
    message["Date"] = row.created_at
    message["Message-ID"] = f"<{row.outbox_key}@{_ascii_domain(sender.domain)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message["X-Auto-Response-Suppress"] = "All"
    # Quoted-printable keeps European text readable in the raw mail; Chinese is shorter in base64.
    encoding = "quoted-printable" if _mostly_ascii(content.text) else "base64"
    message.set_content(content.text, cte=encoding)
    message.add_alternative(content.html, subtype="html", cte=encoding)
    message.set_boundary(f"=_{row.outbox_key}")  # the library's own would be random
    return message


def _send_all(
    connection: psycopg.Connection, post: Sender, sender: Address, business_date: date | None
) -> Summary:
    counts: Counter[str] = Counter()
    losses = 0
    problem = None
    for key in outbox.due(connection, business_date):
        row = outbox.claim(connection, key)  # autocommit: on disk before the server hears of it
        if row is None:
            continue
        outcome = _send(post, row, sender)
        outbox.mark(connection, key, outcome.state, outcome.error, outcome.is_retryable)
        counts[outcome.state] += 1
        log.info("mail %s to %s: %s", key, row.recipient_id, outcome.error or outcome.state)
        losses = losses + 1 if outcome.is_lost else 0
        if outcome.is_unusable or losses == LOSSES_IN_A_ROW:
            problem = outcome.error
            break
    return Summary(
        sent=counts["sent"], failed=counts["failed"], unknown=counts["unknown"], problem=problem
    )


def _send(post: Sender, row: OutboxRow, sender: Address) -> Outcome:
    try:
        message = build_message(row, sender)
        recipient = _recipient(row).addr_spec
    except UserError as fault:
        return Outcome("failed", str(fault))
    except Exception as fault:
        # One mail that cannot be written must not keep all others from being sent.
        log.exception("mail %s cannot be written", row.outbox_key)
        return Outcome("failed", clean(f"cannot be written: {fault}", 300))
    return post.deliver(message, sender.addr_spec, recipient)


def _recipient(row: OutboxRow) -> Address:
    address = _address(row.recipient_name, row.recipient_email)
    if address is None:
        raise UserError(
            f"recipient {row.recipient_id} has no valid address: mend email in crm.owners"
        )
    return address


def _sender(from_email: str) -> Address:
    address = _address(*parseaddr(from_email))
    if address is None:
        raise UserError(
            "AIRFLOW_CONN_SMTP: from_email is no mail address; write it as tiers@example.com"
        )
    return address


def _address(name: str, spec: str) -> Address | None:
    if not ADDRESS.fullmatch(spec.strip()):
        return None
    user, _, domain = spec.strip().rpartition("@")
    try:
        return Address(clean(name), user, _ascii_domain(domain))
    except ValueError:  # no domain name can be spelled like that
        return None


def _ascii_domain(domain: str) -> str:
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def _mostly_ascii(text: str) -> bool:
    return sum(character.isascii() for character in text) > len(text) * 0.8


def _connect(warehouse_url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(warehouse_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        reason = clean(error, 300)
        raise UserError(f"warehouse: cannot connect to send mails: {reason}") from None


def _lock(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select pg_try_advisory_lock(hashtextextended(%s, 0))", [LOCK]
    ).fetchone()
    return bool(row and row[0])
