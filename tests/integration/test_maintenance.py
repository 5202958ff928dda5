"""The weekly maintenance: what is thinned, what is kept, and who is told that it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from customer_tiers import contract, explanation, maintenance
from customer_tiers.errors import UserError
from customer_tiers.load import tables
from customer_tiers.publish import history
from customer_tiers.simulation.replay import nights_kept

LAST = date(2026, 6, 30)
NIGHTS = [LAST - timedelta(days=n) for n in range(150) if n != 149 - 27][::-1]
"""Every night from February on, but for the last of February, which was not played."""


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        tables.prepare(connection, contract.load(), "test")
        for name in ("tier_decision", "tier_decision_beside"):
            connection.execute(
                f"create table bi.{name} (business_date date, customer_id text, tier text, "
                "tier_rank integer, policy_id text, cause text, policy_version text)"
            )
        connection.execute(
            "create table bi.customer_tier (customer_id text, customer_name text, owner_name text)"
        )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.cursor().executemany(
            "insert into bi.publication (run_id, source, business_date, status, is_stale) "
            "values (%s, 'test', %s, 'published', false)",
            [(f"R{night}", night) for night in NIGHTS],
        )
        connection.cursor().executemany(
            "insert into bi.tier_decision values (%s, 'A', %s, %s, 'P', %s)",
            [
                (night, *(("key", 1) if night.month == 6 else ("low", 4)), "unchanged")
                for night in NIGHTS
            ],
        )
        history.rebuild(connection)
        yield connection


def kept(connection: psycopg.Connection) -> list[date]:
    rows = connection.execute("select business_date from bi.tier_decision order by 1").fetchall()
    return [row[0] for row in rows]


def test_receipts_are_thinned_to_the_last_night_of_each_month(
    warehouse: psycopg.Connection,
) -> None:
    held = warehouse.execute("select * from bi.customer_tier_history order by 1, 6").fetchall()
    done = list(maintenance.maintain(warehouse, "test"))
    assert done[0].startswith("bi.tier_decision: 85 receipts thinned")
    month_ends = [date(2026, 2, 27), date(2026, 3, 31), date(2026, 4, 30)]
    assert kept(warehouse) == [*month_ends[:2], *(n for n in NIGHTS if n > date(2026, 4, 29))]
    assert len(kept(warehouse)) == 2 + 62
    again = list(maintenance.maintain(warehouse, "test"))
    assert again[0].startswith("bi.tier_decision: 0 receipts thinned"), "safe to run twice"
    assert (
        warehouse.execute("select * from bi.customer_tier_history order by 1, 6").fetchall() == held
    )


def test_who_asks_for_a_thinned_night_is_told(warehouse: psycopg.Connection) -> None:
    maintenance.check_memory(warehouse, "test", date(2026, 3, 16))
    list(maintenance.thin_receipts(warehouse))
    with pytest.raises(UserError, match=r"thinned.*nearest: 2026-02-27, 2026-03-31.*tier_as_of"):
        list(explanation.lines(warehouse, "A", "2026-03-15"))
    with pytest.raises(
        UserError, match="remembers that of 2026-03-15, whose receipts were thinned"
    ):
        maintenance.check_memory(warehouse, "test", date(2026, 3, 16))
    for day in (NIGHTS[0], date(2026, 4, 1), LAST, LAST + timedelta(days=1)):
        maintenance.check_memory(warehouse, "test", day)


def test_a_simulation_begins_where_every_night_is_kept(warehouse: psycopg.Connection) -> None:
    nights = nights_kept(warehouse, "test", None, None)
    assert nights == NIGHTS
    list(maintenance.thin_receipts(warehouse))
    nights = nights_kept(warehouse, "test", None, None)
    assert nights[0] == date(2026, 5, 1), "the night of 30 April is there to be remembered"
    assert len(nights_kept(warehouse, "test", date(2026, 1, 1), None)) == len(kept(warehouse))


def test_without_a_night_there_is_nothing_to_maintain(database: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(UserError, match="tiers run"):
        list(maintenance.maintain(connection, "test"))
