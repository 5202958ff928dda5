"""The history of tiers against a naive model that remembers every publication."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from customer_tiers import settings
from customer_tiers.publish import history

FIRST = date(2026, 1, 1)
NIGHTS = [FIRST + timedelta(days=7 * n) for n in range(5)]
KEY, LOW, LOWER, NEW = ("key", 1), ("low", 4), ("low", 5), ("new", None)
"""Tiers with their ranks; another policy's ladder may give a tier another rank."""

Tier = tuple[str, int | None]
Tiers = dict[str, Tier]

HELD = "customer_id, tier, tier_rank, valid_from, valid_to"
KNOWN_NOW = f"select {HELD} from bi.customer_tier_history where known_to is null order by 1, 4"

OVERLAPS = """
    select one.*, other.* from bi.customer_tier_history as one
    inner join bi.customer_tier_history as other on one.customer_id = other.customer_id
        and one.ctid < other.ctid
        and daterange(one.valid_from, one.valid_to) && daterange(other.valid_from, other.valid_to)
        and tstzrange(one.known_from, one.known_to) && tstzrange(other.known_from, other.known_to)
"""

ANSWERS = """
    select day, moment, held.customer_id, held.tier, held.tier_rank, held.valid_from
    from unnest(%s::date[]) as day cross join unnest(%s::timestamptz[]) as moment
    cross join lateral bi.tier_as_of(day, moment) as held
"""


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
        connection.execute(schema.read_text("utf-8"))
        for where, key in (("candidate", ""), ("bi", ", primary key (business_date, customer_id)")):
            connection.execute(
                f"create table {where}.tier_decision (business_date date, customer_id text, "
                "policy_id text, tier text, tier_rank integer, cause text, "
                f"policy_version text{key})"
            )
        yield connection


def publish(
    connection: psycopg.Connection,
    run_id: str,
    night: date,
    tiers: Tiers,
    cause: str = "own_change",
    policy: str = "P1",
) -> int:
    """What a publication does about decisions; return the rows that the history wrote."""
    connection.execute("delete from candidate.tier_decision")
    connection.cursor().executemany(
        "insert into candidate.tier_decision values (%s, %s, %s, %s, %s, %s)",
        [(night, customer, policy, *tier, cause) for customer, tier in tiers.items()],
    )
    connection.execute("delete from bi.tier_decision where business_date = %s", [night])
    connection.execute("insert into bi.tier_decision select * from candidate.tier_decision")
    connection.execute(
        "insert into bi.publication (run_id, source, business_date, status, is_stale) "
        "values (%s, 'test', %s, 'published', false)",
        [run_id, night],
    )
    return history.record(connection, run_id, night)


def rows(connection: psycopg.Connection) -> dict[tuple, dict[str, Any]]:
    """All rows of the history by their key."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    found = cursor.execute("select * from bi.customer_tier_history").fetchall()
    return {(row["customer_id"], row["valid_from"], row["known_from"]): row for row in found}


def known_now(connection: psycopg.Connection) -> list[tuple]:
    return connection.execute(KNOWN_NOW).fetchall()


def told(connection: psycopg.Connection, customer: str = "A") -> list[tuple]:
    """What is known now of a customer, with why."""
    return connection.execute(
        "select tier, extract(day from valid_from)::int, extract(day from valid_to)::int, cause, "
        "policy_id, run_id from bi.customer_tier_history "
        "where known_to is null and customer_id = %s order by valid_from",
        [customer],
    ).fetchall()


class Model:
    """Remembers all publications and answers by reading them all."""

    def __init__(self) -> None:
        self.publications: list[tuple[datetime, date, Tiers]] = []

    def as_of(self, day: date, moment: datetime) -> dict[str, tuple[Tier, date]]:
        """Customer -> tier and the night since which it was held."""
        nights: dict[date, Tiers] = {}
        for published_at, night, tiers in self.publications:
            if published_at <= moment:
                nights[night] = tiers
        past = sorted((night for night in nights if night <= day), reverse=True)
        answer = {}
        for customer, tier in (nights[past[0]] if past else {}).items():
            since = past[0]
            for night in past:
                if nights[night].get(customer) != tier:
                    break
                since = night
            answer[customer] = (tier, since)
        return answer

    def tiers_as_of(self, day: date, moment: datetime) -> Tiers:
        """Customer -> tier."""
        return {customer: tier for customer, (tier, _) in self.as_of(day, moment).items()}


decisions = st.dictionaries(
    st.sampled_from("ABC"), st.sampled_from([KEY, LOW, LOWER, NEW]), max_size=3
)
publications = st.lists(st.tuples(st.sampled_from(NIGHTS), decisions), min_size=1, max_size=9)


@given(published=publications)
@hypothesis_settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.soak
def test_every_question_is_answered_as_by_one_who_remembers_everything(
    warehouse: psycopg.Connection, published: list[tuple[date, Tiers]]
) -> None:
    with warehouse.transaction() as transaction:
        play_and_compare(warehouse, published)
        raise psycopg.Rollback(transaction)


def play_and_compare(connection: psycopg.Connection, published: list[tuple[date, Tiers]]) -> None:
    model, before = Model(), rows(connection)
    for number, (night, tiers) in enumerate(published):
        written = publish(connection, f"R{number}", night, tiers)
        [(moment,)] = connection.execute(
            "select published_at from bi.publication where run_id = %s", [f"R{number}"]
        ).fetchall()
        held = model.tiers_as_of(night, moment)
        model.publications.append((moment, night, tiers))
        assert (written == 0) == (held == tiers)
        after = rows(connection)
        check_only_closed(before, after)
        before = after
    assert connection.execute(OVERLAPS).fetchall() == []
    compare_answers(connection, model)
    compare_rebuilt(connection)


def check_only_closed(before: dict[tuple, dict], after: dict[tuple, dict]) -> None:
    """No row is gone or changed, but for open ends of what was known."""
    for key, row in before.items():
        assert after[key] | {"known_to": None} == row | {"known_to": None}
        assert row["known_to"] in (None, after[key]["known_to"])


def compare_answers(connection: psycopg.Connection, model: Model) -> None:
    days = sorted({night + timedelta(days=shift) for night in NIGHTS for shift in (-1, 0, 3)})
    moments = [published_at for published_at, _, _ in model.publications]
    moments += [moments[0] - timedelta(seconds=1), moments[-1] + timedelta(days=9)]
    expected = {
        (day, moment, customer, *tier, since)
        for day in days
        for moment in moments
        for customer, (tier, since) in model.as_of(day, moment).items()
    }
    answers = connection.execute(ANSWERS, [days, moments]).fetchall()
    assert len(answers) == len(set(answers))
    assert set(answers) == expected


def compare_rebuilt(connection: psycopg.Connection) -> None:
    """The receipts say the same, to a history that is there and to one that is lost."""
    grown = known_now(connection)
    assert history.rebuild(connection) == 0
    connection.execute("delete from bi.customer_tier_history")
    assert history.rebuild(connection) == len(grown)
    assert known_now(connection) == grown


def test_an_ordinary_night_writes_what_changed_and_says_why(warehouse: psycopg.Connection) -> None:
    assert publish(warehouse, "R1", NIGHTS[0], {"A": LOW, "B": KEY}, "initial") == 2
    assert publish(warehouse, "R2", NIGHTS[1], {"A": LOW, "B": KEY}, "unchanged") == 0
    assert publish(warehouse, "R3", NIGHTS[2], {"A": KEY, "B": KEY}) == 3  # one closed, two known
    assert told(warehouse) == [
        ("low", 1, 15, "initial", "P1", "R3"),
        ("key", 15, None, "own_change", "P1", "R3"),
    ]
    assert told(warehouse, "B") == [("key", 1, None, "initial", "P1", "R1")]


def test_a_customer_who_is_decided_no_more_is_closed_and_opened_anew(
    warehouse: psycopg.Connection,
) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW, "B": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[1], {"B": LOW}, "unchanged")
    assert told(warehouse) == [("low", 1, 8, "initial", "P1", "R2")]
    publish(warehouse, "R3", NIGHTS[2], {"A": LOW, "B": LOW}, "initial")
    assert told(warehouse)[1:] == [("low", 15, None, "initial", "P1", "R3")]


@pytest.mark.parametrize(
    ("cause", "told_as"),
    [
        ("own_change", "restatement"),
        ("displacement", "restatement"),
        ("policy", "policy"),
        ("merge_split", "merge_split"),
        ("override", "override"),
    ],
)
def test_a_past_night_again_changes_only_what_it_covers(
    warehouse: psycopg.Connection, cause: str, told_as: str
) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[1], {"A": LOW}, "unchanged")
    publish(warehouse, "R3", NIGHTS[2], {"A": LOW}, "unchanged", "P3")
    publish(warehouse, "R4", NIGHTS[3], {"A": LOW}, "unchanged", "P4")
    publish(warehouse, "again", NIGHTS[1], {"A": KEY}, cause, "P2")
    assert told(warehouse) == [
        ("low", 1, 8, "initial", "P1", "again"),
        ("key", 8, 15, told_as, "P2", "again"),
        ("low", 15, None, "restatement", "P3", "again"),
    ]
    publish(warehouse, "back", NIGHTS[1], {"A": LOW}, "unchanged")
    assert told(warehouse) == [("low", 1, None, "initial", "P1", "back")]


def test_a_past_night_for_the_first_time_keeps_its_own_cause(
    warehouse: psycopg.Connection,
) -> None:
    publish(warehouse, "R1", NIGHTS[4], {"A": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[0], {"A": KEY}, "initial")
    publish(warehouse, "R3", NIGHTS[2], {"A": LOW}, "own_change")
    assert told(warehouse) == [
        ("key", 1, 15, "initial", "P1", "R3"),
        ("low", 15, None, "own_change", "P1", "R3"),
    ]


def test_the_newest_night_again_keeps_its_own_cause(warehouse: psycopg.Connection) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[1], {"A": LOW}, "unchanged")
    publish(warehouse, "R3", NIGHTS[1], {"A": KEY}, "own_change")
    assert told(warehouse)[1:] == [("key", 8, None, "own_change", "P1", "R3")]


def test_another_rank_of_the_same_tier_is_the_policys_doing(warehouse: psycopg.Connection) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[1], {"A": LOWER}, "unchanged", "P2")
    grown = told(warehouse)
    assert grown[1] == ("low", 8, None, "policy", "P2", "R2")
    warehouse.execute("delete from bi.customer_tier_history")
    history.rebuild(warehouse)
    assert [row[:5] for row in told(warehouse)] == [row[:5] for row in grown]


def test_nights_from_before_there_was_a_history_are_taken_up(warehouse: psycopg.Connection) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW}, "initial")
    publish(warehouse, "R2", NIGHTS[1], {"A": KEY})
    warehouse.execute("delete from bi.customer_tier_history")
    assert publish(warehouse, "R3", NIGHTS[2], {"A": KEY}, "unchanged") == 2
    assert told(warehouse) == [
        ("low", 1, 8, "initial", "P1", "R1"),
        ("key", 8, None, "own_change", "P1", "R2"),
    ]
    known = warehouse.execute(
        "select count(*) from bi.publication where run_id = 'R3' and published_at in "
        "(select known_from from bi.customer_tier_history)"
    )
    assert known.fetchall() == [(1,)]


def test_a_clock_that_is_set_back_does_not_mix_what_was_known_when(
    warehouse: psycopg.Connection,
) -> None:
    publish(warehouse, "R1", NIGHTS[0], {"A": LOW}, "initial")
    warehouse.execute(
        "update bi.customer_tier_history set known_from = known_from + interval '1 hour'"
    )
    publish(warehouse, "R2", NIGHTS[0], {"A": KEY}, "initial")
    assert warehouse.execute(OVERLAPS).fetchall() == []
    assert [row[0] for row in told(warehouse)] == ["key"]
