"""Hand one mail at a time to a mail server, and say truly what became of it.

smtplib's own `sendmail` hides how far a lost connection had got; here each step is taken by hand,
because a mail that was lost after its text had begun to flow may have been delivered.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from customer_tiers.connections import Smtp
from customer_tiers.digest.clean import clean

REASON_LENGTH = 300
"""Longest answer of a server that is kept."""

SERVICE_CLOSING = 421
"""Reply code with which a server ends the connection, at any step."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a mail.

    Attributes:
        state: sent, failed or unknown, as in `ops.outbox`.
        error: Why, unless sent.
        is_retryable: A failed mail that may succeed later.
        is_lost: The connection was lost over this mail.
        is_unusable: The server cannot be used at all, so the next mail would fare alike.
    """

    state: str
    error: str | None = None
    is_retryable: bool = False
    is_lost: bool = False
    is_unusable: bool = False


SENT = Outcome("sent")


class Refused(Exception):
    """The server answered a step with a refusal."""

    def __init__(self, step: str, code: int, answer: bytes) -> None:
        self.code = code
        text = f"{code} {answer.decode('utf-8', 'replace')}"
        super().__init__(clean(f"refused at {step}: {text}", REASON_LENGTH))


class Unusable(Exception):
    """The server cannot be used at all: unreachable, without TLS, or it refused the login."""


class Sender:
    """One connection to the mail server, opened when the first mail needs it.

    A lost connection is opened again for the next mail.
    """

    def __init__(self, server: Smtp) -> None:
        self._server = server
        self._client: smtplib.SMTP | None = None

    def close(self) -> None:
        """Say goodbye, if the server still listens."""
        if self._client is not None:
            try:
                self._client.quit()
            except (smtplib.SMTPException, OSError) as fault:
                log.debug("mail server did not say goodbye: %s", fault)
        self._drop()

    def deliver(self, message: EmailMessage, sender: str, recipient: str) -> Outcome:
        """Hand over one mail.

        Args:
            message: The mail with all its headers.
            sender: Envelope sender, a bare address.
            recipient: Envelope recipient, a bare address.
        """
        try:
            client = self._connected()
            content = self._introduce(client, message, sender, recipient)
        except Unusable as fault:
            return Outcome("failed", str(fault), is_retryable=True, is_unusable=True)
        except Refused as refusal:
            return self._refused(refusal)
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            reason = f"connection lost before the mail was handed over: {_text(fault)}"
            return Outcome("failed", reason, is_retryable=True, is_lost=True)
        return self._hand_over(client, content)

    def _connected(self) -> smtplib.SMTP:
        if self._client is None:
            self._client = _connect(self._server)
        return self._client

    def _introduce(
        self, client: smtplib.SMTP, message: EmailMessage, sender: str, recipient: str
    ) -> bytes:
        """Name sender and recipient; return the mail as it goes over the wire."""
        needs_utf8 = not (sender + recipient).isascii()
        if needs_utf8 and not client.has_extn("smtputf8"):
            raise Refused("MAIL FROM", 553, b"the server takes ASCII addresses only (no SMTPUTF8)")
        content = message.as_bytes(policy=SMTPUTF8 if needs_utf8 else SMTP)
        options = ("SMTPUTF8", "BODY=8BITMIME") if needs_utf8 else ()
        code, answer = client.mail(sender, options)
        if code != 250:
            raise Refused("MAIL FROM", code, answer)
        code, answer = client.rcpt(recipient)
        if code not in (250, 251):
            raise Refused("RCPT TO", code, answer)
        return content

    def _hand_over(self, client: smtplib.SMTP, content: bytes) -> Outcome:
        try:
            code, answer = client.data(content)
        except smtplib.SMTPDataError as fault:
            said = fault.smtp_error
            answer = said if isinstance(said, bytes) else said.encode()
            return self._refused(Refused("DATA", fault.smtp_code, answer))
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            reason = f"connection lost while handing it over: {_text(fault)}; perhaps delivered"
            return Outcome("unknown", reason, is_lost=True)
        if code != 250:
            return self._refused(Refused("the end of the mail", code, answer))
        return SENT

    def _refused(self, refusal: Refused) -> Outcome:
        is_closing = refusal.code == SERVICE_CLOSING
        try:
            if is_closing:
                self._drop()
            elif self._client is not None:
                self._client.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()
        return Outcome(
            "failed",
            str(refusal),
            is_retryable=400 <= refusal.code < 500,
            is_lost=is_closing,
        )

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _connect(server: Smtp) -> smtplib.SMTP:
    """Open a connection as the Airflow Connection says; never fall back to an open text line."""
    where = f"mail server {server.host}:{server.port}"
    client: smtplib.SMTP | None = None
    try:
        if server.use_ssl:
            client = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout, context=_tls(server)
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        client.ehlo_or_helo_if_needed()
        if server.starttls and not server.use_ssl:
            client.starttls(context=_tls(server))
            client.ehlo()
        if server.login:
            client.login(server.login, server.password or "")
        return client
    except (smtplib.SMTPException, OSError) as fault:
        if client is not None:
            client.close()
        raise Unusable(f"{where}: {_why_unusable(fault)}") from fault


def _tls(server: Smtp) -> ssl.SSLContext:
    """Check the server's certificate, unless the connection says that it need not be checked."""
    context = ssl.create_default_context()
    if not server.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _why_unusable(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        advice = "check login and password of AIRFLOW_CONN_SMTP"
        return f"it refused the login ({fault.smtp_code}): {advice}"
    if isinstance(fault, smtplib.SMTPNotSupportedError):
        return f"{_text(fault)}: set disable_tls=true or leave the login out in AIRFLOW_CONN_SMTP"
    if isinstance(fault, ssl.SSLError):
        return (
            f"no TLS: {_text(fault)}; SSL_CERT_FILE may name a certificate authority of your own, "
            "ssl_context=none in AIRFLOW_CONN_SMTP takes any certificate"
        )
    return f"cannot be used: {_text(fault)}"


def _text(fault: Exception) -> str:
    return clean(str(fault) or type(fault).__name__, REASON_LENGTH)
