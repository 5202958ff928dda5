"""Webhooks and chats over real HTTP on loopback: signed, typed, repeated with patience."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import jsonschema
import psycopg
import pytest
import yaml

from customer_tiers import settings
from customer_tiers.outbox import claims, ops, rows, sending, webhook
from helpers.outbox import NIGHT, owe, prepare, publish, tell

SECRET = "s3cret/+"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "webhook.schema.json").read_text())


class Receiver:
    """A machine that keeps what it is posted and answers as it is told, else with 204."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.posts: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posts.append((headers | {"path": self.path}, content))
                status, extra = receiver.answers.pop(0) if receiver.answers else (204, {})
                if status == 0:
                    self.close_connection = True
                    return  # hangs up without a word
                self.send_response(status)
                for name, value in {"content-length": "0", **extra}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    found = Receiver()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(
        "AIRFLOW_CONN_EVENTS", f"http://:s3cret%2F%2B@127.0.0.1:{found.port}/hooks/tiers"
    )
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the sender would have waited between its attempts."""
    waited: list[float] = []
    patient = lambda name: webhook.Webhook(name, pause=waited.append)  # noqa: E731
    monkeypatch.setattr(sending, "TRANSPORTS", {**sending.TRANSPORTS, "webhook": patient})
    return waited


@pytest.fixture
def warehouse(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setattr(ops, "_recipients", lambda source: [])
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        yield connection


def owe_machine(connection: psycopg.Connection, recipient: str = "crm") -> str:
    return owe(connection, recipient, channel="webhook", address="events")


def state(connection: psycopg.Connection) -> tuple[str, bool, str]:
    (row,) = rows.list_(connection)
    return row.state, row.is_retryable, row.last_error or ""


def test_a_message_is_signed_typed_and_follows_the_schema(
    warehouse: psycopg.Connection, database: str, receiver: Receiver
) -> None:
    tell(warehouse, "C1", "O1", recipient_id="crm", role="system", customer_name="Ω <b>")
    causes = {"early_warning": "cadence_lapse", "risk": "bad", "hand_over": "hand_over"}
    for topic, cause in causes.items():
        tell(warehouse, "C2", "O1", recipient_id="crm", role="system", topic=topic, cause=cause)
    warehouse.execute("update candidate.digest_recipient set channel='webhook', address='events'")
    publish(warehouse)
    assert sending.send_pending(database).sent == 1
    ((headers, content),) = receiver.posts
    (row,) = rows.list_(warehouse)
    said = json.loads(content)
    jsonschema.validate(said, SCHEMA)
    assert said["type"] == "news.daily"
    assert sorted(event["type"] for event in said["data"]["events"]) == [
        *("early_warning.cadence_lapse", "hand_over", "risk.bad", "tier_change.own_change")
    ]
    assert headers["path"] == "/hooks/tiers"
    assert headers["idempotency-key"] == headers["webhook-id"] == row.outbox_key
    signed = f"{row.outbox_key}.{headers['webhook-timestamp']}.".encode() + content
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_the_schema_knows_every_topic_and_cause() -> None:
    folder = settings.DBT_PROJECT / "seeds"
    told = (folder / "digest_subscriptions.csv").read_text().splitlines()[1:]
    types = {
        topic if topic == cause else f"{topic}.{cause}"
        for _, _, topic, cause, *_ in (line.split(",") for line in told)
    }
    assert types == set(SCHEMA["$defs"]["event"]["properties"]["type"]["enum"])
    model = yaml.safe_load((settings.DBT_PROJECT / "models/marts/digest_item.yml").read_text())
    columns = {column["name"] for column in model["models"][0]["columns"]}
    assert set(SCHEMA["$defs"]["event"]["properties"]) <= columns | {"type"}


@pytest.mark.parametrize("status", [429, 500, 503, 408, 0])
def test_a_receiver_that_cannot_now_is_asked_again_with_the_same_key(
    warehouse: psycopg.Connection,
    database: str,
    receiver: Receiver,
    pauses: list[float],
    status: int,
) -> None:
    receiver.answers = [(status, {})] * 3
    owe_machine(warehouse)
    assert sending.send_pending(database).sent == 1
    assert pauses == [1, 2, 4]
    assert len({(h["idempotency-key"], content) for h, content in receiver.posts}) == 1
    assert len(receiver.posts) == 4


def test_patience_ends_and_the_next_sending_goes_on(
    warehouse: psycopg.Connection, database: str, receiver: Receiver, pauses: list[float]
) -> None:
    receiver.answers = [(503, {"retry-after": "7"})] * webhook.ATTEMPTS
    owe_machine(warehouse)
    assert sending.send_pending(database).failed == 1
    assert pauses == [7, 7, 7, 8]
    assert state(warehouse) == ("failed", True, "webhook answered 503:")
    receiver.answers = [(429, {"retry-after": "3600"})]
    assert sending.send_pending(database).waiting == 1
    assert len(pauses) == 4, "an hour is too long to wait"
    assert sending.send_pending(database).sent == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 301])
def test_a_refusal_is_final_and_shown(
    warehouse: psycopg.Connection,
    database: str,
    receiver: Receiver,
    pauses: list[float],
    status: int,
) -> None:
    receiver.answers = [(status, {"location": "http://127.0.0.1:1/"})]
    owe_machine(warehouse)
    assert sending.send_pending(database).failed == 1
    assert (len(receiver.posts), pauses) == (1, [])
    assert state(warehouse)[:2] == ("failed", False)
    assert str(status) in state(warehouse)[2]
    assert sending.send_pending(database).waiting == 0


def test_what_a_dead_sender_had_in_hand_is_simply_sent_again(
    warehouse: psycopg.Connection, database: str, receiver: Receiver
) -> None:
    key = owe_machine(warehouse)
    with psycopg.connect(database, autocommit=True) as dead:
        assert claims.claim(dead, key)
    assert sending.send_pending(database).sent == 1
    assert [headers["webhook-id"] for headers, _ in receiver.posts] == [key]


def test_a_missing_connection_holds_up_nobody_else(
    warehouse: psycopg.Connection,
    database: str,
    receiver: Receiver,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owe(warehouse, "a", channel="webhook", address="nowhere")
    owe(warehouse, "b", channel="webhook", address="unsigned")
    owe_machine(warehouse)
    monkeypatch.setenv("AIRFLOW_CONN_UNSIGNED", f"http://127.0.0.1:{receiver.port}/")
    summary = sending.send_pending(database)
    assert (summary.sent, summary.failed, summary.waiting) == (1, 0, 2)
    assert "AIRFLOW_CONN_NOWHERE is not set" in (summary.problem or "")
    assert "AIRFLOW_CONN_UNSIGNED has no secret" in (summary.problem or "")


def test_operators_can_be_told_by_webhook(
    warehouse: psycopg.Connection,
    database: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pager = {"recipient_id": "pager", "recipient_name": "Pager", "locale": "en"}
    where = {"channel": "webhook", "address": "events"}
    monkeypatch.setattr(ops, "_recipients", lambda source: [pager | where])
    warehouse.execute("insert into ops.run (run_id, state) values ('r1', 'running')")
    assert ops.tell_refused(warehouse, "r1", NIGHT, "the ERP is down") == 1
    assert sending.send_pending(database, only_ops=True).sent == 1
    ((_, content),) = receiver.posts
    said = json.loads(content)
    jsonschema.validate(said, SCHEMA)
    assert said["type"] == "ops.night_refused"
    assert said["data"]["ops"]["message"] == "the ERP is down"


def test_a_chat_service_gets_the_text_by_apprise(
    warehouse: psycopg.Connection,
    database: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_CHAT", f"json://127.0.0.1:{receiver.port}/room")
    owe(warehouse, "team", channel="chat", address="team_chat", customer_name="Nordwind GmbH")
    receiver.answers = [(500, {})]
    assert sending.send_pending(database).unknown == 1
    (row,) = rows.list_(warehouse)
    assert sending.send_pending(database).waiting == 0, "a chat may have shown it"
    rows.resend(warehouse, row)
    assert sending.send_pending(database).sent == 1
    said = json.loads(receiver.posts[-1][1])
    assert "1 down" in said["title"]
    assert "Nordwind GmbH" in said["message"]
