"""Mails over a real SMTP server: each at most once, and each state says what is known."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from customer_tiers import connections, mail
from customer_tiers.connections import Smtp
from customer_tiers.outbox import claims, ops, rows, sending
from customer_tiers.smtp import Outcome, Sender
from helpers.outbox import NIGHT, owe, prepare, publish, tell

REAL_SMTP = connections.smtp


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
def warehouse(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setattr(ops, "_recipients", lambda source: [])
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        yield connection


def state_of(connection: psycopg.Connection, key: str) -> tuple[str, bool, str]:
    (row,) = [row for row in rows.list_(connection) if row.outbox_key == key]
    return row.state, row.is_retryable, row.last_error or ""


def test_a_mail_arrives_whole_and_only_once(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    line = "messages: 1 sent, 0 failed, 0 unknown, 0 waiting for the next sending"
    assert str(sending.send_pending(database)) == line
    assert sending.send_pending(database).sent == 0
    ((to, message),) = post.mails
    assert to == "o1@example.com"
    assert message["To"] == "Owner O1 <o1@example.com>"
    assert message["From"] == "Customer tiers <tiers@example.com>"
    assert "1 down (Sep 30, 2026)" in message["Subject"]
    assert message["Message-ID"] == f"<{key}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Major → Regular" in text.get_content()
    assert "Nordwind GmbH" in html.get_content()
    assert state_of(warehouse, key)[0] == "sent"


def test_a_chinese_mail_with_hostile_names_keeps_its_headers(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve(enable_SMTPUTF8=False)
    hostile = '李伟"\r\nBcc: thief@example.com\r\n\r\n<script>\u202e'
    owe(warehouse, recipient_name=hostile, customer_name=hostile, locale="zh_CN")
    assert sending.send_pending(database).sent == 1
    ((to, message),) = post.mails
    assert (to, message["Bcc"]) == ("o1@example.com", None)
    assert message["To"].addresses[0].addr_spec == "o1@example.com"
    assert message["To"].addresses[0].display_name.startswith('李伟" Bcc')
    assert "1 家下降" in message["Subject"]
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
    sending.send_pending(database)
    assert seen == ["sending"]


@pytest.mark.parametrize("step", ["at_recipient", "at_end"])
def test_refused_for_now_is_tried_again_next_time(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], step: str
) -> None:
    post = serve()
    getattr(post, step)["o1@example.com"] = "451 4.3.0 mailbox busy"
    key = owe(warehouse)
    owe(warehouse, "O2")
    summary = sending.send_pending(database)
    assert (summary.sent, summary.failed, summary.waiting) == (1, 1, 1)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", True)
    assert "451 4.3.0 mailbox busy" in error
    getattr(post, step).clear()
    assert sending.send_pending(database).sent == 1
    assert post.recipients == ["o2@example.com", "o1@example.com"]


@pytest.mark.parametrize("step", ["at_recipient", "at_end"])
def test_refused_for_good_is_shown_and_not_tried_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], step: str
) -> None:
    post = serve()
    getattr(post, step)["o1@example.com"] = "550 5.1.1 no such user\x1b[31m"
    key = owe(warehouse)
    owe(warehouse, "O2")
    summary = sending.send_pending(database)
    assert (summary.sent, summary.failed, summary.waiting) == (1, 1, 0)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", False)
    assert "550 5.1.1 no such user" in error
    assert "\x1b" not in error
    getattr(post, step).clear()
    assert sending.send_pending(database).sent == 0


def test_a_connection_lost_after_the_text_began_is_unknown_and_never_sent_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "end"
    key = owe(warehouse)
    assert sending.send_pending(database).unknown == 1
    state, _, error = state_of(warehouse, key)
    assert state == "unknown"
    assert "perhaps delivered" in error
    post.hang_up_at = None
    assert sending.send_pending(database).sent == 0
    assert post.recipients == ["o1@example.com"]
    rows.resend(warehouse, rows.find(warehouse, key))
    assert sending.send_pending(database).sent == 1
    assert {message["Message-ID"] for _, message in post.mails} == {f"<{key}@example.com>"}


def test_a_server_that_hangs_up_on_each_mail_leaves_the_rest_waiting(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "end"
    for owner in ("O1", "O2", "O3", "O4"):
        owe(warehouse, owner)
    summary = sending.send_pending(database)
    assert (summary.unknown, summary.waiting) == (2, 2)
    assert "connection lost" in (summary.problem or "")


def test_a_connection_lost_before_the_text_is_tried_again(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    post.hang_up_at = "recipient"
    key = owe(warehouse)
    summary = sending.send_pending(database)
    assert (summary.failed, summary.unknown, summary.waiting) == (1, 0, 1)
    assert state_of(warehouse, key)[:2] == ("failed", True)
    post.hang_up_at = None
    assert sending.send_pending(database).sent == 1


def test_a_server_that_is_not_there_costs_one_attempt_of_one_mail(
    warehouse: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "smtp", lambda: server_at(free_port()))
    keys = [owe(warehouse, owner) for owner in ("O1", "O2", "O3")]
    summary = sending.send_pending(database)
    assert (summary.failed, summary.waiting) == (1, 3)
    assert "mail server 127.0.0.1:" in (summary.problem or "")
    assert state_of(warehouse, keys[0])[:2] == ("failed", True)
    assert sum(row.attempts for row in rows.list_(warehouse)) == 1


def test_a_mail_left_in_sending_by_a_crash_is_shown_and_not_sent(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    key = owe(warehouse)
    claims.claim(warehouse, key)
    summary = sending.send_pending(database)
    assert (summary.sent, summary.unknown) == (0, 1)
    assert state_of(warehouse, key)[0] == "unknown"
    assert post.mails == []


def test_two_senders_share_the_work_and_send_nothing_twice(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    for number in range(8):
        owe(warehouse, f"O{number}")
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(sending.send_pending, database) for _ in range(2)]
    assert sum(summary.result().sent for summary in both) == 8
    assert sorted(post.recipients) == [f"o{number}@example.com" for number in range(8)]
    assert {row.state for row in rows.list_(warehouse)} == {"sent"}


def test_a_correction_answers_the_first_mail(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve()
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    assert sending.send_pending(database).sent == 1
    warehouse.execute("update candidate.digest_item set to_tier = 'low'")
    publish(warehouse, "r2")
    assert sending.send_pending(database).sent == 1
    warehouse.execute("truncate candidate.digest_item, candidate.digest_recipient")
    publish(warehouse, "r3")
    assert sending.send_pending(database).sent == 1
    first, *corrections = [message for _, message in post.mails]
    assert first["In-Reply-To"] is None
    for correction in corrections:
        assert correction["In-Reply-To"] == correction["References"] == first["Message-ID"]
        assert correction["Message-ID"] != first["Message-ID"]
    assert len({message["Message-ID"] for _, message in post.mails}) == 3


def test_operators_learn_of_unknown_mails_in_the_same_sending(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team = {"recipient_id": "data", "recipient_name": "Data", "channel": "mail", "locale": "en"}
    address = {"address": "data@example.com"}
    monkeypatch.setattr(ops, "_recipients", lambda source: [team | address])
    post = serve()
    post.at_end["o1@example.com"] = "550 5.7.1 looks like spam"
    key = owe(warehouse)
    summary = sending.send_pending(database)
    assert (summary.sent, summary.failed) == (1, 1)
    ((to, message),) = post.mails
    assert to == "data@example.com"
    assert message["Subject"] == "customer tiers: 1 messages need a decision (source sample)"
    assert key in message.get_content()
    assert "looks like spam" in message.get_content()


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@", "@b.example", "a@b.example\r\nBcc: c@d.example", "a b@c.example"],
)
def test_an_address_that_is_none_fails_alone(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler], address: str
) -> None:
    post = serve()
    key = owe(warehouse, address=address)
    owe(warehouse, "O2")
    summary = sending.send_pending(database)
    assert (summary.sent, summary.failed) == (1, 1)
    state, is_retryable, error = state_of(warehouse, key)
    assert (state, is_retryable) == ("failed", False)
    assert "mend email in crm.owners" in error
    assert post.recipients == ["o2@example.com"]


def test_an_international_address_needs_a_server_that_knows_them(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    serve(enable_SMTPUTF8=False)
    key = owe(warehouse, address="jörg@münchen.example")
    assert sending.send_pending(database).failed == 1
    assert "SMTPUTF8" in state_of(warehouse, key)[2]
    rows.resend(warehouse, rows.find(warehouse, key))
    post = serve(enable_SMTPUTF8=True)
    assert sending.send_pending(database).sent == 1
    assert post.recipients == ["jörg@xn--mnchen-3ya.example"]


def test_only_the_asked_night_is_sent(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    serve()
    owe(warehouse)
    assert sending.send_pending(database, NIGHT + timedelta(days=1)).sent == 0
    assert sending.send_pending(database, NIGHT).sent == 1


def test_a_sender_that_is_no_address_is_the_users_to_mend(
    warehouse: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = owe(warehouse)
    monkeypatch.setattr(connections, "smtp", lambda: server_at(1, from_email="tiers"))
    assert "from_email is no mail address" in (sending.send_pending(database).problem or "")
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
    assert sending.send_pending(database).sent == 1
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
    summary = sending.send_pending(database)
    assert "refused the login (535): check login and password" in (summary.problem or "")
    assert "wrong-secret" not in str(summary)
    assert state_of(warehouse, key)[:2] == ("failed", True)


def test_a_server_without_starttls_gets_no_mail_in_the_open(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve({"starttls": True})
    owe(warehouse)
    assert "disable_tls" in (sending.send_pending(database).problem or "")
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
    assert "no TLS" in (sending.send_pending(database).problem or "")
    assert post.mails == []
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMTP",
        f"smtp://127.0.0.1:{connections.smtp().port}/?disable_ssl=true&from_email=t%40example.com"
        "&ssl_context=none",
    )
    monkeypatch.setattr(connections, "smtp", REAL_SMTP)
    assert sending.send_pending(database).sent == 1, "allowed by the connection"


def test_tls_from_the_first_byte(
    warehouse: psycopg.Connection,
    database: str,
    serve: Callable[..., Handler],
    certificate: ssl.SSLContext,
) -> None:
    post = serve({"use_ssl": True}, ssl_context=certificate)
    owe(warehouse)
    assert sending.send_pending(database).sent == 1
    assert post.recipients == ["o1@example.com"]


def test_a_server_that_never_answers_the_text_makes_it_unknown(
    warehouse: psycopg.Connection, database: str, serve: Callable[..., Handler]
) -> None:
    post = serve({"timeout": 0.5})
    post.on_mail = lambda: time.sleep(1.5)
    key = owe(warehouse)
    assert sending.send_pending(database).unknown == 1
    assert state_of(warehouse, key)[0] == "unknown"


def test_a_server_that_closes_the_service_is_tried_again(serve: Callable[..., Handler]) -> None:
    post = serve()
    post.at_recipient["o1@example.com"] = "421 4.3.2 shutting down"
    message = EmailMessage()
    sender = Sender(connections.smtp())
    outcome = sender.deliver(message, "tiers@example.com", "o1@example.com")
    expected = Outcome("failed", "refused at RCPT TO: 421 4.3.2 shutting down", True, True)
    assert outcome == expected
    assert sender.deliver(message, "tiers@example.com", "o2@example.com") == Outcome("sent")
    sender.close()


def test_the_same_row_gives_the_same_mail(warehouse: psycopg.Connection) -> None:
    owe(warehouse)
    (row,) = rows.list_(warehouse)
    sender = Address("Customer tiers", "tiers", "example.com")
    once, twice = (mail.build_message(row, sender).as_bytes() for _ in range(2))
    assert once == twice
