"""Mails over a real SMTP server: each at most once, and each state says what is known."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from customer_tiers import connections, mail, outbox, settings
from customer_tiers.connections import Smtp
from customer_tiers.digest import compose
from customer_tiers.errors import UserError
from customer_tiers.smtp import Outcome, Sender

NIGHT = date(2026, 9, 30)


@dataclass
class Handler:
    """A mail server that keeps mails and answers as it is told."""

    at_recipient: dict[str, str] = field(default_factory=dict)
    at_end: dict[str, str] = field(default_factory=dict)
    hang_up_at: str | None = None
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    on_mail: Callable[[], None] = lambda: None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, _: Any) -> str:
        if self.hang_up_at == "recipient":
            server.transport.abort()
        if to in self.at_recipient:
            return self.at_recipient[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.on_mail()
        (to,) = envelope.rcpt_tos
        if to in self.at_end:
            return self.at_end[to]
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((to, message))
        if self.hang_up_at == "end":
            server.transport.abort()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.mails]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def server_at(port: int, **options: Any) -> Smtp:
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "login": None,
        "password": None,
        "from_email": "Customer tiers <tiers@example.com>",
        "use_ssl": False,
        "starttls": False,
        "timeout": 5.0,
    }
    return Smtp(**(known | options))


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Handler]]:
    """Start a mail server and make it the SMTP connection."""
    started = []

    def start(client: dict[str, Any] | None = None, **options: Any) -> Handler:
        handler = Handler()
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        started.append(controller)
        server = server_at(controller.port, **(client or {}))
        monkeypatch.setattr(connections, "smtp", lambda: server)
        return handler

    yield start
    for controller in started:
        controller.stop(no_assert=True)


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
        connection.execute(schema.read_text("utf-8"))
        yield connection


def owe(connection: psycopg.Connection, owner: str = "O1", **values: Any) -> str:
    """Put a mail into the outbox and return its key."""
    item: dict[str, Any] = dict.fromkeys(compose.ITEM_FIELDS)
    item.update(
        kind=compose.OWNER_DIGEST,
        recipient_id=owner,
        recipient_name=f"Owner {owner}",
        recipient_email=f"{owner.lower()}@example.com",
        customer_id="C1",
        customer_name="Nordwind GmbH",
        owner_id=owner,
        from_tier="major",
        to_tier="regular",
        direction="down",
    )
    (digest,) = compose.compose([item | values], NIGHT, "EUR", "sample", "r1")
    connection.execute(outbox.ADD, outbox._values(digest))
    return digest.key


def state_of(connection: psycopg.Connection, key: str) -> tuple[str, bool, str]:
    (row,) = [row for row in outbox.list_(connection) if row.outbox_key == key]
    return row.state, row.is_retryable, row.last_error or ""


def test_a_mail_arrives_whole_and_only_once(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    assert str(mail.send_pending(database)).startswith("mails: 1 sent, 0 failed, 0 unknown, 0 wait")
    assert mail.send_pending(database).sent == 0
    ((to, message),) = post.mails
    assert to == "o1@example.com"
    assert message["To"] == "Owner O1 <o1@example.com>"
    assert message["From"] == "Customer tiers <tiers@example.com>"
    assert message["Subject"] == "1 customer changed tier: 1 down (Sep 30, 2026)"
    assert message["Message-ID"] == f"<{key}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Major → Regular" in text.get_content()
    assert "<strong>Nordwind GmbH</strong>" in html.get_content()
    assert state_of(warehouse, key)[0] == "sent"


def test_a_chinese_mail_with_hostile_names_keeps_its_headers(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve(enable_SMTPUTF8=False)
    hostile = '李伟"\r\nBcc: thief@example.com\r\n\r\n<script>\u202e'
    owe(warehouse, recipient_name=hostile, customer_name=hostile, locale="zh_CN")
    assert mail.send_pending(database).sent == 1
    ((to, message),) = post.mails
    assert (to, message["Bcc"]) == ("o1@example.com", None)
    assert message["To"].addresses[0].addr_spec == "o1@example.com"
    assert message["To"].addresses[0].display_name.startswith('李伟" Bcc')
    assert message["Subject"].startswith("1 位客户层级发生变化")
    assert message.is_multipart()


def test_the_row_says_sending_before_the_server_hears_of_the_mail(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    seen = []

    def look() -> None:
        with psycopg.connect(database) as other:
            seen.append(state_of(other, key)[0])

    post.on_mail = look
    mail.send_pending(database)
    assert seen == ["sending"]


@pytest.mark.parametrize("step", ["at_recipient", "at_end"])
def test_refused_for_now_is_tried_again_next_time(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], step: str
) -> None:
    post = serve()
    getattr(post, step)["o1@example.com"] = "451 4.3.0 mailbox busy"
    key = owe(warehouse)
    owe(warehouse, "O2")
    summary = mail.send_pending(database)
    assert (summary.sent, summary.failed, summary.waiting) == (1, 1, 1)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", True)
    assert "451 4.3.0 mailbox busy" in error
    getattr(post, step).clear()
    assert mail.send_pending(database).sent == 1
    assert post.recipients == ["o2@example.com", "o1@example.com"]


@pytest.mark.parametrize("step", ["at_recipient", "at_end"])
def test_refused_for_good_is_shown_and_not_tried_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], step: str
) -> None:
    post = serve()
    getattr(post, step)["o1@example.com"] = "550 5.1.1 no such user\x1b[31m"
    key = owe(warehouse)
    owe(warehouse, "O2")
    summary = mail.send_pending(database)
    assert (summary.sent, summary.failed, summary.waiting) == (1, 1, 0)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", False)
    assert "550 5.1.1 no such user" in error
    assert "\x1b" not in error
    getattr(post, step).clear()
    assert mail.send_pending(database).sent == 0


def test_a_connection_lost_after_the_text_began_is_unknown_and_never_sent_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "end"
    key = owe(warehouse)
    assert mail.send_pending(database).unknown == 1
    state, _, error = state_of(warehouse, key)
    assert state == "unknown"
    assert "perhaps delivered" in error
    post.hang_up_at = None
    assert mail.send_pending(database).sent == 0
    assert post.recipients == ["o1@example.com"]
    outbox.release(warehouse, key)
    assert mail.send_pending(database).sent == 1
    assert {message["Message-ID"] for _, message in post.mails} == {f"<{key}@example.com>"}


def test_a_server_that_hangs_up_on_each_mail_leaves_the_rest_waiting(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "end"
    for owner in ("O1", "O2", "O3", "O4"):
        owe(warehouse, owner)
    summary = mail.send_pending(database)
    assert (summary.unknown, summary.waiting) == (2, 2)
    assert "connection lost" in (summary.problem or "")


def test_a_connection_lost_before_the_text_is_tried_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "recipient"
    key = owe(warehouse)
    summary = mail.send_pending(database)
    assert (summary.failed, summary.unknown, summary.waiting) == (1, 0, 1)
    assert state_of(warehouse, key)[:2] == ("failed", True)
    post.hang_up_at = None
    assert mail.send_pending(database).sent == 1


def test_a_server_that_is_not_there_costs_one_attempt_of_one_mail(
    warehouse: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "smtp", lambda: server_at(free_port()))
    keys = [owe(warehouse, owner) for owner in ("O1", "O2", "O3")]
    summary = mail.send_pending(database)
    assert (summary.failed, summary.waiting) == (1, 3)
    assert "mail server 127.0.0.1:" in (summary.problem or "")
    assert state_of(warehouse, keys[0])[:2] == ("failed", True)
    assert sum(row.attempts for row in outbox.list_(warehouse)) == 1


def test_a_mail_left_in_sending_by_a_crash_is_shown_and_not_sent(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    outbox.claim(warehouse, key)
    summary = mail.send_pending(database)
    assert (summary.sent, summary.unknown) == (0, 1)
    assert state_of(warehouse, key)[0] == "unknown"
    assert post.mails == []


def test_two_senders_do_not_meet(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    seen: list[mail.Summary] = []
    post.on_mail = lambda: seen.append(mail.send_pending(database))
    assert mail.send_pending(database).sent == 1
    assert seen[0].problem == "another sending is going on"
    assert post.recipients == ["o1@example.com"]
    assert state_of(warehouse, key)[0] == "sent"


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@", "@b.example", "a@b.example\r\nBcc: c@d.example", "a b@c.example"],
)
def test_an_address_that_is_none_fails_alone(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], address: str
) -> None:
    post = serve()
    key = owe(warehouse, recipient_email=address)
    owe(warehouse, "O2")
    summary = mail.send_pending(database)
    assert (summary.sent, summary.failed) == (1, 1)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", False)
    assert "mend email in crm.owners" in error
    assert post.recipients == ["o2@example.com"]


def test_an_international_address_needs_a_server_that_knows_them(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    serve(enable_SMTPUTF8=False)
    key = owe(warehouse, recipient_email="jörg@münchen.example")
    assert mail.send_pending(database).failed == 1
    assert "SMTPUTF8" in state_of(warehouse, key)[2]
    outbox.release(warehouse, key)
    post = serve(enable_SMTPUTF8=True)
    assert mail.send_pending(database).sent == 1
    assert post.recipients == ["jörg@xn--mnchen-3ya.example"]


def test_only_the_asked_night_is_sent(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    serve()
    owe(warehouse)
    assert mail.send_pending(database, NIGHT + timedelta(days=1)).sent == 0
    assert mail.send_pending(database, NIGHT).sent == 1


def test_a_sender_that_is_no_address_is_the_users_to_mend(
    warehouse: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = owe(warehouse)
    monkeypatch.setattr(connections, "smtp", lambda: server_at(1, from_email="tiers"))
    with pytest.raises(UserError, match="from_email is no mail address"):
        mail.send_pending(database)
    assert state_of(warehouse, key)[0] == "pending"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server certificate for 127.0.0.1 that the client trusts by SSL_CERT_FILE."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server under test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "server.pem", tmp_path / "server.key"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, private)
    return context


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_right = (data.login, data.password) == (b"tiers", b"p@ss")
    return AuthResult(success=is_right, handled=False)


def test_starttls_then_login(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    certificate: ssl.SSLContext,
) -> None:
    client = {"starttls": True, "login": "tiers", "password": "p@ss"}
    options = {"require_starttls": True, "auth_required": True, "authenticator": authenticate}
    post = serve(client, tls_context=certificate, **options)
    owe(warehouse)
    assert mail.send_pending(database).sent == 1
    assert post.recipients == ["o1@example.com"]


def test_a_refused_login_fails_for_now_and_never_shows_the_password(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    certificate: ssl.SSLContext,
) -> None:
    client = {"starttls": True, "login": "tiers", "password": "wrong-secret"}
    serve(client, tls_context=certificate, authenticator=authenticate)
    key = owe(warehouse)
    summary = mail.send_pending(database)
    assert "refused the login (535): check login and password" in (summary.problem or "")
    assert "wrong-secret" not in str(summary)
    assert state_of(warehouse, key)[:2] == ("failed", True)


def test_a_server_without_starttls_gets_no_mail_in_the_open(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve({"starttls": True})
    owe(warehouse)
    assert "disable_tls" in (mail.send_pending(database).problem or "")
    assert post.mails == []


def test_an_untrusted_certificate_gets_no_mail(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    certificate: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    post = serve({"starttls": True}, tls_context=certificate)
    owe(warehouse)
    assert "no TLS" in (mail.send_pending(database).problem or "")
    assert post.mails == []


def test_tls_from_the_first_byte(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    certificate: ssl.SSLContext,
) -> None:
    post = serve({"use_ssl": True}, ssl_context=certificate)
    owe(warehouse)
    assert mail.send_pending(database).sent == 1
    assert post.recipients == ["o1@example.com"]


def test_a_server_that_never_answers_the_text_makes_it_unknown(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve({"timeout": 0.5})
    post.on_mail = lambda: time.sleep(1.5)
    key = owe(warehouse)
    assert mail.send_pending(database).unknown == 1
    assert state_of(warehouse, key)[0] == "unknown"


def test_a_server_that_closes_the_service_is_tried_again(serve: Callable[..., Handler]) -> None:
    post = serve()
    post.at_recipient["o1@example.com"] = "421 4.3.2 shutting down"
    message = EmailMessage()
    with Sender(connections.smtp()) as sender:
        outcome = sender.deliver(message, "tiers@example.com", "o1@example.com")
        expected = Outcome("failed", "refused at RCPT TO: 421 4.3.2 shutting down", True, True)
        assert outcome == expected
        assert sender.deliver(message, "tiers@example.com", "o2@example.com") == Outcome("sent")


def test_the_same_row_gives_the_same_mail(warehouse: psycopg.Connection) -> None:
    owe(warehouse)
    (row,) = outbox.list_(warehouse)
    sender = Address("Customer tiers", "tiers", "example.com")
    once, twice = (mail.build_message(row, sender).as_bytes() for _ in range(2))
    assert once == twice
