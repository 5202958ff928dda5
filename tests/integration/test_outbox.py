"""The outbox on a real PostgreSQL: written with the publication; a night twice adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from customer_tiers import outbox, settings
from customer_tiers.digest import compose
from customer_tiers.errors import UserError

NIGHT = date(2026, 9, 30)
DIGEST_ITEM = """
    create table candidate.digest_item (
        business_date date, kind text, recipient_id text, recipient_name text,
        recipient_email text, locale text, customer_id text, customer_name text, owner_id text,
        owner_name text, from_tier text, to_tier text, direction text, cause text,
        reason_code text, main_driver text, main_driver_change numeric(18, 2),
        contribution_12m_before numeric(18, 2), contribution_12m numeric(18, 2),
        contribution_12m_change numeric(18, 2), loyalty_index_before numeric(7, 4),
        loyalty_index numeric(7, 4), score_rank_before integer, score_rank integer,
        customers_ranked integer, policy_id text, tier_score integer
    )
"""


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
        connection.execute(schema.read_text("utf-8"))
        connection.execute(DIGEST_ITEM)
        yield connection


def change(connection: psycopg.Connection, customer: str, owner: str, **values: Any) -> None:
    row = {
        "business_date": NIGHT,
        "kind": compose.OWNER_DIGEST,
        "recipient_id": owner,
        "recipient_name": f"Owner {owner}",
        "recipient_email": f"{owner.lower()}@example.com",
        "customer_id": customer,
        "customer_name": f"Customer {customer}",
        "owner_id": owner,
        "from_tier": "major",
        "to_tier": "regular",
        "direction": "down",
        "contribution_12m": Decimal("40000.40"),
        "contribution_12m_change": Decimal("-12300.10"),
        "loyalty_index": Decimal("61.25"),
        "score_rank": 310,
    } | values
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    connection.execute(
        f"insert into candidate.digest_item ({names}) values ({marks})", list(row.values())
    )


def publish(connection: psycopg.Connection, run_id: str = "r1", night: date = NIGHT) -> int:
    with connection.transaction():
        connection.execute(
            "insert into bi.publication (run_id, source, business_date, status, is_stale, "
            "base_currency) values (%s, 'sample', %s, 'published', false, 'USD') "
            "on conflict do nothing",
            [run_id, night],
        )
        return outbox.enqueue(connection, run_id, night)


def states(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return [(row.recipient_id, row.state) for row in outbox.list_(connection)]


def send(connection: psycopg.Connection, state: str = "sent", **values: Any) -> None:
    for key in outbox.due(connection):
        assert outbox.claim(connection, key)
        outbox.mark(connection, key, state, **values)


def test_one_row_per_recipient_and_kind_holds_the_whole_mail(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    change(warehouse, "C2", "O1", contribution_12m_change=Decimal("50000"))
    change(warehouse, "C1", "O1", kind=compose.MANAGER_DIGEST, recipient_id="O1")
    change(warehouse, "C9", "O9", business_date=NIGHT - timedelta(days=1))
    assert publish(warehouse) == 2
    manager, owner = outbox.list_(warehouse)
    assert (manager.kind, owner.kind) == (compose.MANAGER_DIGEST, compose.OWNER_DIGEST)
    assert (owner.state, owner.attempts, owner.recipient_email) == ("pending", 0, "o1@example.com")
    digest = owner.digest
    assert (digest.base_currency, digest.source, digest.run_id) == ("USD", "sample", "r1")
    assert [c.customer_id for c in digest.changes] == ["C2", "C1"]
    assert digest.changes[1].contribution_12m == Decimal("40000.40")
    assert digest.changes[1].loyalty_index == Decimal("61.25")
    assert digest.key == owner.outbox_key


def test_nothing_to_say_is_no_row(warehouse: psycopg.Connection) -> None:
    assert publish(warehouse) == 0
    assert outbox.list_(warehouse) == []


def test_a_publication_that_is_rolled_back_leaves_no_mail(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    with warehouse.transaction() as transaction:
        assert publish(warehouse) == 1
        raise psycopg.Rollback(transaction)
    assert outbox.list_(warehouse) == []


@pytest.mark.parametrize("state", ["pending", "sent", "unknown", "failed"])
def test_the_same_night_again_adds_nothing(warehouse: psycopg.Connection, state: str) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    if state != "pending":
        send(warehouse, state)
    assert publish(warehouse, "r2") == 0
    assert states(warehouse) == [("O1", state)]


def test_a_waiting_mail_goes_to_the_address_of_the_last_run(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    warehouse.execute("update candidate.digest_item set recipient_email = 'new@example.com'")
    assert publish(warehouse, "r2") == 0
    (row,) = outbox.list_(warehouse)
    assert row.recipient_email == "new@example.com"


def test_a_corrected_address_revives_a_refused_mail(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    send(warehouse, "failed", error="550 no such user")
    warehouse.execute("update candidate.digest_item set recipient_email = 'new@example.com'")
    assert publish(warehouse, "r2") == 0
    assert states(warehouse) == [("O1", "pending")]


def test_other_content_replaces_a_mail_that_still_waits(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    change(warehouse, "C2", "O2")
    publish(warehouse)
    warehouse.execute("update candidate.digest_item set to_tier = 'low' where customer_id = 'C1'")
    warehouse.execute("delete from candidate.digest_item where customer_id = 'C2'")
    assert publish(warehouse, "r2") == 1
    assert states(warehouse) == [("O1", "suppressed"), ("O1", "pending"), ("O2", "suppressed")]
    (waiting,) = outbox.list_(warehouse, states=["pending"])
    assert not waiting.digest.replaces_earlier
    warehouse.execute("update candidate.digest_item set to_tier = 'regular'")
    assert publish(warehouse, "r3") == 0
    assert states(warehouse) == [("O1", "pending"), ("O1", "suppressed"), ("O2", "suppressed")]


def test_other_content_after_a_sent_mail_says_that_it_replaces(
    warehouse: psycopg.Connection,
) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    send(warehouse)
    warehouse.execute("update candidate.digest_item set to_tier = 'low'")
    assert publish(warehouse, "r2") == 1
    (waiting,) = outbox.list_(warehouse, states=["pending"])
    assert waiting.digest.replaces_earlier


def test_an_old_night_computed_again_writes_nothing(warehouse: psycopg.Connection) -> None:
    publish(warehouse, "newer", NIGHT + timedelta(days=1))
    change(warehouse, "C1", "O1")
    assert publish(warehouse, "backfill") == 0
    assert outbox.list_(warehouse) == []


def test_a_strangers_customer_stops_the_publication(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O2", recipient_id="O1")
    with pytest.raises(UserError, match=r"C1.*O2.*would be mailed to 'O1'"):
        publish(warehouse)


def test_states_are_walked_in_order_only(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    (key,) = outbox.due(warehouse)
    with pytest.raises(ValueError, match="not in state sending"):
        outbox.mark(warehouse, key, "sent")
    assert outbox.claim(warehouse, key)
    assert outbox.claim(warehouse, key) is None
    assert outbox.due(warehouse) == []
    assert outbox.settle_crashed(warehouse) == 1
    (row,) = outbox.list_(warehouse)
    assert (row.state, row.attempts) == ("unknown", 1)
    assert outbox.due(warehouse) == []
    outbox.release(warehouse, key)
    assert outbox.due(warehouse) == [key]
    with pytest.raises(UserError, match="no unknown or failed mail"):
        outbox.release(warehouse, key)


def test_a_mail_refused_for_now_is_due_until_it_has_had_its_attempts(
    warehouse: psycopg.Connection,
) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    for attempt in range(outbox.MAX_ATTEMPTS):
        assert len(outbox.due(warehouse)) == 1, attempt
        send(warehouse, "failed", error="451 later", is_retryable=True)
    assert outbox.due(warehouse) == []


def test_due_and_list_keep_to_a_night(warehouse: psycopg.Connection) -> None:
    change(warehouse, "C1", "O1")
    publish(warehouse)
    later = NIGHT + timedelta(days=1)
    change(warehouse, "C1", "O1", business_date=later)
    publish(warehouse, "r2", later)
    assert len(outbox.due(warehouse)) == 2
    assert len(outbox.due(warehouse, NIGHT)) == 1
    assert [row.business_date for row in outbox.list_(warehouse)] == [later, NIGHT]
    assert [row.business_date for row in outbox.list_(warehouse, NIGHT)] == [NIGHT]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["O1", "O2", "O3"]),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            st.none() | st.decimals(-(10**9), 10**9, places=2),
        ),
        max_size=8,
    )
)
def test_enqueueing_again_adds_nothing_whatever_the_rows(
    warehouse: psycopg.Connection, rows: list[tuple[str, str, Decimal | None]]
) -> None:
    warehouse.execute("truncate ops.outbox, candidate.digest_item, bi.publication")
    for number, (owner, name, moved) in enumerate(rows):
        change(warehouse, f"C{number}", owner, customer_name=name, contribution_12m_change=moved)
    assert publish(warehouse, "r1") == len({owner for owner, _, _ in rows})
    before = [(row.outbox_key, row.state) for row in outbox.list_(warehouse)]
    assert publish(warehouse, "r2") == 0
    assert [(row.outbox_key, row.state) for row in outbox.list_(warehouse)] == before
    for row in outbox.list_(warehouse):
        assert {change.owner_id for change in row.digest.changes} == {row.recipient_id}
