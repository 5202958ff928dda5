"""The sender is killed at each of its steps: nobody gets a mail twice, and nothing is hidden."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from customer_tiers import connections
from customer_tiers.connections import Smtp
from customer_tiers.outbox import ops, rows, sending
from helpers.outbox import prepare, publish, tell

pytestmark = pytest.mark.soak

OWNERS = ("O1", "O2", "O3", "O4")
AT_LEAST_KILLS = 100


class Post:
    """A mail server that counts what it accepted, by Message-ID."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        lines = envelope.content.decode().splitlines()
        (name,) = [line for line in lines if line.startswith("Message-ID: ")]
        self.accepted[name.partition("<")[2].partition("@")[0]] += 1
        return "250 OK"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Post, int]]:
    handler = Post()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    server = Smtp("127.0.0.1", port, None, None, "tiers@example.com", False, False, 5.0)
    monkeypatch.setattr(connections, "smtp", lambda: server)
    monkeypatch.setattr(ops, "_recipients", lambda source: [])
    yield handler, port
    controller.stop(no_assert=True)


@pytest.fixture
def mortal(database: str, post: tuple[Post, int]) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).parents[1] / "helpers" / "mortal_sender.py"
    with subprocess.Popen(
        [sys.executable, str(script), database, str(post[1])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def owe_again(connection: psycopg.Connection) -> None:
    connection.execute("truncate ops.outbox, ops.news_told, bi.publication")
    publish(connection)


def wait_for_the_dead(connection: psycopg.Connection) -> None:
    """A killed sender's session ends as soon as the server sees that the line is gone."""
    for _ in range(500):
        others = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).fetchone()
        if others == (0,):
            return
        time.sleep(0.01)
    raise AssertionError("the killed sender's session lives on")


def test_killed_at_each_step_no_mail_goes_out_twice_and_none_is_hidden(
    database: str, post: tuple[Post, int], mortal: subprocess.Popen[str]
) -> None:
    handler, _ = post
    assert mortal.stdin
    assert mortal.stdout
    kills, unknown, missing = 0, 0, 0
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        for owner in OWNERS:
            tell(connection, f"C-{owner}", owner)
        while True:
            owe_again(connection)
            handler.accepted.clear()
            mortal.stdin.write(f"{kills + 1}\n")
            mortal.stdin.flush()
            answer = mortal.stdout.readline().strip()
            wait_for_the_dead(connection)
            left = {row.outbox_key: row.state for row in rows.list_(connection)}
            assert set(left.values()) <= {"pending", "sending", "sent"}
            sending.send_pending(database)
            states = {row.outbox_key: row.state for row in rows.list_(connection)}
            assert len(states) == len(OWNERS)
            assert set(handler.accepted) <= set(states)
            for key, state in states.items():
                arrived = handler.accepted[key]
                assert arrived <= 1, f"twice, killed at step {kills + 1}"
                assert state == "sent" if arrived and state != "unknown" else state == "unknown"
                unknown += state == "unknown"
                missing += not arrived
            assert list(states.values()).count("unknown") <= 1, "only the one in hand"
            if answer == "ended":
                break
            kills += 1
    assert kills >= AT_LEAST_KILLS
    assert 0 < missing < unknown < kills
