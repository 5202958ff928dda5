from __future__ import annotations

import email
import email.policy
import os
import signal
import smtplib
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from customer_tiers.embedded import files

Start = Callable[[], tuple[int, subprocess.Popen[bytes]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a sink that keeps its mails in tmp_path/mail."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> tuple[int, subprocess.Popen[bytes]]:
        port = files.choose_port(tmp_path / "port", 20025)
        module = "customer_tiers.embedded.mail_sink"
        command = [sys.executable, "-m", module, "--port", str(port)]
        process = subprocess.Popen([*command, "--folder", str(tmp_path / "mail")])
        started.append(process)
        deadline = time.monotonic() + 30
        while files.is_free(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return port, process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def mail(
    subject: str, text: str = "Hello.", recipient: str = "owner@company.example"
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "tiers@company.example"
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(text)
    return message


def kept(folder: Path) -> list[EmailMessage]:
    paths = sorted((folder / "mail").glob("*.eml"))
    policy = email.policy.default
    return [email.message_from_bytes(path.read_bytes(), policy=policy) for path in paths]


def test_mails_are_kept_in_the_order_they_arrive(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(20):
            server.send_message(mail(f"number {number}", "A line.\n.\n..two dots\n"))
            assert len(kept(tmp_path)) == number + 1, "a mail that is acknowledged is kept"
    found = kept(tmp_path)
    assert [message["Subject"] for message in found] == [f"number {n}" for n in range(20)]
    assert found[0].get_content().splitlines() == ["A line.", ".", "..two dots"]
    paths = list((tmp_path / "mail").iterdir())
    assert {path.suffix for path in paths} == {".eml"}, "no unfinished file is left"
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_the_envelope_is_kept_with_blind_copies(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(
            mail("blind"), "bounce@company.example", ["a@company.example", "b@company.example"]
        )
    message = kept(tmp_path)[0]
    assert message["Return-Path"] == "<bounce@company.example>"
    assert message.get_all("Delivered-To") == ["a@company.example", "b@company.example"]


def test_addresses_in_any_script_are_accepted(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(mail("客户", "等级 ↑", recipient="经理@例子.example"))
    message = kept(tmp_path)[0]
    assert message["To"] == "经理@例子.example"
    assert message["Subject"] == "客户"
    assert message.get_content().strip() == "等级 ↑"


def test_a_big_mail_is_kept_whole(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    body = os.urandom(20 * 2**20)
    message = mail("big")
    message.add_attachment(body, maintype="application", subtype="octet-stream", filename="big")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(message)
    attachment = next(iter(kept(tmp_path)[0].iter_attachments()))
    assert attachment.get_content() == body


def test_a_restarted_sink_goes_on_after_the_last_mail(start: Start, tmp_path: Path) -> None:
    port, process = start()
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(mail("first"))
    late = tmp_path / "mail" / "09999999999999999999.eml"
    next((tmp_path / "mail").glob("*.eml")).rename(late)  # as if the clock had been ahead
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    port, _ = start()
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(mail("second"))
    assert [message["Subject"] for message in kept(tmp_path)] == ["first", "second"]


def test_a_mail_that_cannot_be_kept_is_refused(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    (tmp_path / "mail").rmdir()
    (tmp_path / "mail").touch()
    with smtplib.SMTP("127.0.0.1", port) as server, pytest.raises(smtplib.SMTPDataError) as caught:
        server.send_message(mail("lost"))
    assert caught.value.smtp_code == 451
