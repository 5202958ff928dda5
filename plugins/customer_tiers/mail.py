"""Messages as mails: from an outbox row to a mail, and to the mail server."""

from __future__ import annotations

import logging
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import parseaddr

from customer_tiers import connections
from customer_tiers.digest import message as content
from customer_tiers.digest.clean import clean
from customer_tiers.errors import UserError
from customer_tiers.outbox import ops
from customer_tiers.outbox.rows import OPS, OutboxRow
from customer_tiers.smtp import Outcome, Sender

ADDRESS = re.compile(r"[^\s@<>()\[\],:;\\\"\x00-\x1f\x7f]+@[^\s@<>()\[\],:;\\\"\x00-\x1f\x7f]+")
"""A plain address; quoted names and address literals are not for people's mails."""

log = logging.getLogger(__name__)


class Mail:
    """Sends messages to the mail server, over one connection."""

    def __init__(self) -> None:
        server = connections.smtp()
        self._from = _sender(server.from_email)
        self._post = Sender(server)

    def deliver(self, row: OutboxRow) -> Outcome:
        """Send one mail."""
        try:
            message = build_message(row, self._from)
            recipient = _recipient(row).addr_spec
        except UserError:
            raise
        except Exception as fault:
            # One mail that cannot be written must not keep all others from being sent.
            log.exception("mail %s cannot be written", row.outbox_key)
            return Outcome("failed", clean(f"cannot be written: {fault}", 300))
        return self._post.deliver(message, self._from.addr_spec, recipient)

    def close(self) -> None:
        """Say goodbye to the mail server."""
        self._post.close()


def build_message(row: OutboxRow, sender: Address) -> EmailMessage:
    """Make the mail of an outbox row; the same row always gives the same mail.

    Raises:
        UserError: The recipient's address is none.
        ValueError: No mail exists for the kind.
    """
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = sender
    message["To"] = _recipient(row)
    message["Date"] = row.created_at
    message["Message-ID"] = _message_id(row.outbox_key, sender)
    if row.corrects:
        message["In-Reply-To"] = message["References"] = _message_id(row.corrects, sender)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message["X-Auto-Response-Suppress"] = "All"
    if row.kind == OPS:
        subject, text = ops.text(row)
        message["Subject"] = clean(subject, content.SUBJECT_LENGTH)
        message.set_content(text, cte="quoted-printable")
    else:
        content.fill(message, row.digest, row.outbox_key)
    return message


def _message_id(key: str, sender: Address) -> str:
    return f"<{key}@{_ascii_domain(sender.domain)}>"


def _recipient(row: OutboxRow) -> Address:
    address = _address(row.recipient_name, row.address)
    if address is None:
        raise UserError(
            f"recipient {row.recipient_id} has no valid address: mend email in crm.owners, "
            "or address in the seed digest_recipients"
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
