"""The outbox on a real PostgreSQL: written with the publication; a night twice adds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from customer_tiers.errors import UserError
from customer_tiers.outbox import claims, fill, hand_over, ops, rows
from customer_tiers.publish import publication
from helpers.outbox import NIGHT, dying_sender, insert, prepare, publish, tell

NEXT = NIGHT + timedelta(days=1)


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        claims.show_alive(connection)
        yield connection


def states(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return [(row.recipient_id, row.state) for row in rows.list_(connection)]


def send(connection: psycopg.Connection, state: str = "sent", **values: object) -> list[str]:
    keys = [key for key, _, _ in claims.due(connection)]
    for key in keys:
        assert claims.claim(connection, key)
        claims.mark(connection, key, state, **values)  # type: ignore[arg-type]
    return keys


def change(connection: psycopg.Connection, what: str, customer: str = "C1") -> None:
    connection.execute(
        f"update candidate.digest_item set {what} where customer_id = %s", [customer]
    )


def test_one_row_per_recipient_and_night_holds_the_whole_message(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C2", "O1", customer_amount=Decimal(50000))
    tell(warehouse, "C1", "O1", kind="weekly")
    tell(warehouse, "C9", "O9", business_date=NIGHT - timedelta(days=1))
    assert publish(warehouse) == 1
    [row] = rows.list_(warehouse)
    assert (row.kind, row.kinds) == ("daily", "daily+weekly")
    assert (row.state, row.attempts) == ("pending", 0)
    assert row.address == "o1@example.com"
    digest = row.digest
    assert (digest.base_currency, digest.source, digest.run_id) == ("EUR", "sample", "r1")
    assert [(part.kind, {item.customer_id for item in part.items}) for part in digest.parts] == [
        ("daily", {"C1", "C2"}),
        ("weekly", {"C1"}),
    ]
    assert digest.items[0].contribution_12m == Decimal("40000.40")
    assert digest.key == row.outbox_key == row.content_hash
    assert publish(warehouse, "r2") == 0


def test_nothing_to_say_is_no_row(warehouse: psycopg.Connection) -> None:
    assert publish(warehouse) == 0
    assert rows.list_(warehouse) == []


def test_a_publication_that_is_rolled_back_leaves_no_message(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    with warehouse.transaction() as transaction:
        assert publish(warehouse) == 1
        raise psycopg.Rollback(transaction)
    assert rows.list_(warehouse) == []
    assert warehouse.execute("select from ops.news_told").fetchall() == []


@pytest.mark.parametrize("state", ["pending", "sent", "unknown", "failed"])
def test_the_same_night_again_adds_nothing(warehouse: psycopg.Connection, state: str) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    if state != "pending":
        send(warehouse, state)
    assert publish(warehouse, "r2") == 0
    assert states(warehouse) == [("O1", state)]
    assert warehouse.execute("select count(*) from ops.news_told").fetchall() == [(1,)]


def test_a_corrected_address_revives_a_refused_mail(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    warehouse.execute("update candidate.digest_recipient set address = 'new@example.com'")
    publish(warehouse, "r2")
    (row,) = rows.list_(warehouse)
    assert row.address == "new@example.com"
    send(warehouse, "failed", error="550 no such user")
    warehouse.execute("update candidate.digest_recipient set address = 'newer@example.com'")
    assert publish(warehouse, "r3") == 0
    assert states(warehouse) == [("O1", "pending")]


def test_other_content_replaces_a_message_that_still_waits(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C2", "O2")
    publish(warehouse)
    change(warehouse, "to_tier = 'low'")
    warehouse.execute("delete from candidate.digest_item where customer_id = 'C2'")
    warehouse.execute("delete from candidate.digest_recipient where recipient_id = 'O2'")
    assert publish(warehouse, "r2") == 1
    assert states(warehouse) == [("O1", "suppressed"), ("O1", "pending"), ("O2", "suppressed")]
    (waiting,) = rows.list_(warehouse, states=["pending"])
    assert waiting.corrects is None
    change(warehouse, "to_tier = 'regular'")
    assert publish(warehouse, "r3") == 0
    assert states(warehouse) == [("O1", "pending"), ("O1", "suppressed"), ("O2", "suppressed")]


def test_one_correction_follows_what_went_out_and_names_the_first(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    (first,) = send(warehouse)
    change(warehouse, "to_tier = 'low'")
    assert publish(warehouse, "r2") == 1
    assert publish(warehouse, "r3") == 0, "the same content again"
    (waiting,) = rows.list_(warehouse, states=["pending"])
    assert (waiting.corrects, waiting.digest.corrects) == (first, first)
    send(warehouse)
    change(warehouse, "to_tier = 'regular'")
    assert publish(warehouse, "r4") == 1, "what was told last does not hold any more"
    (again,) = rows.list_(warehouse, states=["pending"])
    assert (again.corrects, again.content_hash) == (first, first)
    send(warehouse)
    assert publish(warehouse, "r5") == 0


def test_a_correction_follows_even_if_nothing_is_left_to_tell(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    (first,) = send(warehouse)
    warehouse.execute("truncate candidate.digest_item, candidate.digest_recipient")
    assert publish(warehouse, "r2") == 1
    (waiting,) = rows.list_(warehouse, states=["pending"])
    assert (waiting.corrects, waiting.digest.items) == (first, ())
    assert publish(warehouse, "r3") == 0


def test_an_old_night_computed_again_writes_nothing(warehouse: psycopg.Connection) -> None:
    publish(warehouse, "newer", NEXT)
    tell(warehouse, "C1", "O1")
    assert publish(warehouse, "backfill") == 0
    assert rows.list_(warehouse) == []


def test_a_backfill_beyond_the_newest_night_mails_nobody_and_hides_nothing(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    assert publish(warehouse, is_quiet=True) == 1
    (row,) = rows.list_(warehouse)
    assert (row.state, row.last_error) == ("suppressed", fill.QUIET)
    assert warehouse.execute("select from ops.news_told").fetchall() == []
    assert publish(warehouse, "r2", is_quiet=True) == 0
    assert publish(warehouse, "by hand") == 0
    assert states(warehouse) == [("O1", "pending")]
    send(warehouse)
    change(warehouse, "to_tier = 'low'")
    assert publish(warehouse, "r3", is_quiet=True) == 1
    assert states(warehouse)[-1] == ("O1", "pending"), "what was told wrong is corrected"


def test_a_strangers_customer_stops_the_publication(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O2", recipient_id="O1")
    with pytest.raises(UserError, match=r"C1.*O2.*would be mailed to 'O1'"):
        publish(warehouse)


def audience(connection: psycopg.Connection, owner: str, recipient: str, address: str) -> None:
    person = {
        "owner_id": owner,
        "recipient_id": recipient,
        "role": "owner",
        "recipient_name": f"Owner {recipient}",
        "channel": "mail",
        "address": address,
        "locale": "en",
    }
    insert(connection, "int_audiences_found", person)


def test_what_waits_follows_a_customer_to_its_owner_as_of_the_send_date(
    warehouse: psycopg.Connection,
) -> None:
    for customer in ("C1", "C2"):
        tell(warehouse, customer, "O1")
    publish(warehouse)
    (first,) = rows.list_(warehouse)
    insert(warehouse, "int_customers_described", {"customer_id": "C1", "owner_id": "O1"})
    insert(warehouse, "int_customers_described", {"customer_id": "C2", "owner_id": "O2"})
    audience(warehouse, "O1", "O1", "moved@example.com")
    audience(warehouse, "O2", "O2", "o2@example.com")
    publish(warehouse, "r2", NEXT)
    found = {row.outbox_key: row for row in rows.list_(warehouse)}
    assert found.pop(first.outbox_key).last_error == hand_over.HANDED_OVER
    told = {
        row.recipient_id: ([i.customer_id for i in row.digest.items], row.address, row.state)
        for row in found.values()
    }
    assert told == {
        "O1": (["C1"], "moved@example.com", "pending"),
        "O2": (["C2"], "o2@example.com", "pending"),
    }
    publish(warehouse, "r3", NEXT)
    assert len(rows.list_(warehouse)) == 3


def test_states_are_walked_in_order_only(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    ((key, channel, address),) = claims.due(warehouse)
    assert (channel, address) == ("mail", "o1@example.com")
    with pytest.raises(ValueError, match="not claimed by this sender"):
        claims.mark(warehouse, key, "sent")
    assert claims.claim(warehouse, key)
    assert claims.claim(warehouse, key) is None
    assert claims.due(warehouse) == []
    assert claims.settle_left_behind(warehouse) == 0, "this session lives"


def test_a_dead_senders_message_is_unknown_and_a_lapsed_lease_too(
    warehouse: psycopg.Connection, database: str
) -> None:
    for owner in ("O1", "O2", "O3"):
        tell(warehouse, f"C-{owner}", owner)
    publish(warehouse)
    keys = [key for key, _, _ in claims.due(warehouse)]
    with psycopg.connect(database, autocommit=True) as alive:
        claims.show_alive(alive)
        assert claims.claim(alive, keys[0])
        with dying_sender(database) as dead:
            assert claims.claim(dead, keys[1])
        assert claims.settle_left_behind(warehouse) == 1
        assert claims.claim(alive, keys[2], lease=timedelta(0))
        assert claims.settle_left_behind(warehouse) == 1
        claims.mark(alive, keys[2], "sent")  # it was only slow, and knows better
        claims.mark(alive, keys[0], "sent")
    assert states(warehouse) == [("O1", "sent"), ("O2", "unknown"), ("O3", "sent")]
    assert claims.due(warehouse) == []


def test_two_senders_never_claim_the_same(warehouse: psycopg.Connection, database: str) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    ((key, _, _),) = claims.due(warehouse)
    with psycopg.connect(database) as first:
        assert claims.claim(first, key)  # not committed yet
        assert claims.claim(warehouse, key) is None


def test_people_decide_what_becomes_of_the_stuck(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    (key,) = send(warehouse, "unknown", error="connection lost")
    row = rows.find(warehouse, key[:8])
    rows.give_up(warehouse, row)
    assert publish(warehouse, "r2") == 0
    (row,) = rows.list_(warehouse)
    assert (row.state, row.last_error) == ("suppressed", rows.GIVEN_UP)
    rows.resend(warehouse, row)
    with pytest.raises(UserError, match=r"is suppressed; this is for messages that are unknown"):
        rows.resend(warehouse, row)
    assert send(warehouse) == [key]
    with pytest.raises(UserError, match="no message has the key 'nothing'"):
        rows.find(warehouse, "nothing")


def test_a_message_refused_for_now_is_due_until_it_has_had_its_attempts(
    warehouse: psycopg.Connection,
) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    for attempt in range(claims.MAX_ATTEMPTS):
        assert len(claims.due(warehouse)) == 1, attempt
        send(warehouse, "failed", error="451 later", is_retryable=True)
    assert claims.due(warehouse) == []


def test_due_and_list_keep_to_a_night(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    publish(warehouse)
    tell(warehouse, "C1", "O1", business_date=NEXT)
    publish(warehouse, "r2", NEXT)
    assert len(claims.due(warehouse)) == 2
    assert len(claims.due(warehouse, NIGHT)) == 1
    assert [row.business_date for row in rows.list_(warehouse)] == [NEXT, NIGHT]
    assert [row.business_date for row in rows.list_(warehouse, NIGHT)] == [NIGHT]


@pytest.fixture
def operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = tmp_path / "digest_recipients.csv"
    seed.write_text(
        "source,recipient_id,role,recipient_name,channel,address,locale\n"
        "sample,data,ops,Data Team,mail,data@example.com,en\n"
        "sample,boss,sales_director,Boss,mail,boss@example.com,en\n"
        "other,data,ops,Others,mail,others@example.com,en\n"
    )
    monkeypatch.setattr(ops, "RECIPIENTS", seed)


def test_a_refused_night_is_told_to_operators_once_and_to_nobody_else(
    warehouse: psycopg.Connection, operators: None
) -> None:
    warehouse.execute("insert into ops.run (run_id, state) values ('r1', 'running')")
    for _ in range(2):
        publication.refuse(warehouse, "r1", NIGHT, "entity erp.customers: no such table")
    publication.refuse(warehouse, "r1", None, "the ERP cannot be reached")
    by_subject = {ops.text(row)[0]: row for row in rows.list_(warehouse)}
    assert len(by_subject) == 2
    assert {row.address for row in by_subject.values()} == {"data@example.com"}
    subject = f"customer tiers: the night of {NIGHT} was not published (source sample)"
    assert "entity erp.customers: no such table" in ops.text(by_subject[subject])[1]


def test_messages_that_are_stuck_are_told_to_operators_once(
    warehouse: psycopg.Connection, operators: None
) -> None:
    assert ops.tell_stuck(warehouse) == 0
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C2", "O2")
    publish(warehouse)
    one, other = send(warehouse, "unknown", error="connection lost")
    assert ops.tell_stuck(warehouse) == 1
    assert ops.tell_stuck(warehouse) == 0
    (row,) = rows.list_(warehouse, states=["pending"])
    subject, text = ops.text(row)
    assert subject == "customer tiers: 2 messages need a decision (source sample)"
    assert one in text
    assert "connection lost" in text
    send(warehouse, "unknown")
    assert ops.tell_stuck(warehouse) == 0, "about its own messages it is silent"
    rows.give_up(warehouse, rows.find(warehouse, other))
    assert ops.tell_stuck(warehouse) == 1


def test_an_outbox_of_an_older_version_is_carried_over(database: str) -> None:
    old = """
        create schema ops;
        create table ops.outbox (
            outbox_key text primary key, kind text not null, recipient_id text not null,
            recipient_name text not null, recipient_email text not null, locale text not null,
            business_date date not null, payload jsonb not null,
            state text not null default 'pending', is_retryable boolean not null default false,
            attempts integer not null default 0, last_error text,
            created_at timestamptz not null default clock_timestamp(),
            changed_at timestamptz not null default clock_timestamp()
        );
        insert into ops.outbox values
            ('a', 'owner_digest', 'O1', 'One', '1@example.com', 'en', '2026-09-30', '{}', 'sent'),
            ('b', 'owner_digest', 'O2', 'Two', '2@example.com', 'en', '2026-09-30', '{}', 'failed');
    """
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(old)
        prepare(connection)
        assert states(connection) == [("O1", "sent"), ("O2", "suppressed")]
        assert claims.due(connection) == []
        assert publish(connection) == 0


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    told=st.lists(
        st.tuples(
            st.sampled_from(["O1", "O2", "O3"]),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            st.none() | st.decimals(-(10**9), 10**9, places=2),
        ),
        max_size=8,
    )
)
def test_enqueueing_again_adds_nothing_whatever_the_rows(
    warehouse: psycopg.Connection, told: list[tuple[str, str, Decimal | None]]
) -> None:
    warehouse.execute(
        "truncate ops.outbox, ops.news_told, candidate.digest_item, candidate.digest_recipient"
    )
    for number, (owner, name, moved) in enumerate(told):
        tell(warehouse, f"C{number}", owner, customer_name=name, contribution_12m_change=moved)
    assert publish(warehouse, "r1") == len({owner for owner, _, _ in told})
    before = [(row.outbox_key, row.state) for row in rows.list_(warehouse)]
    assert publish(warehouse, "r2") == 0
    assert [(row.outbox_key, row.state) for row in rows.list_(warehouse)] == before
    for row in rows.list_(warehouse):
        assert {item.owner_id for item in row.digest.items} == {row.recipient_id}
        assert json.dumps(row.payload)
