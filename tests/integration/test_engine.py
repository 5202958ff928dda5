"""The tier engine against plain Python: every policy that is shipped, over awkward populations.

The nights are made up and stand in `bi.tier_decision` as if published, and a replay judges them all
at once: populations of 0 to 1,000, all equal, all losing, one whale, ties on the cut, new customers
only, leap day, month ends, and forty nights in which customers wander, vanish, merge and default.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import pytest

from customer_tiers import contract, settings
from customer_tiers.load import tables
from customer_tiers.simulation.replay import run_dbt
from helpers.engine_reference import (
    Policy,
    Receipt,
    hold,
    judge,
    months_before,
    stands,
    stands_alone,
)
from helpers.receipts import COLUMNS, create_receipts

OLD = date(2015, 1, 1)
Nights = dict[date, list[Receipt]]

WARNINGS = (None, "late_payment", "owner_change", "cadence_lapse,owner_change,supply_failure")
"""What may be on: nothing, what gives no grace, and what gives some."""


def customer(name: str, contribution: Any, **others: Any) -> Receipt:
    """A customer as a receipt keeps it; net revenue is three times what it earns us."""
    amount = Decimal(contribution)
    return {
        "customer_id": name,
        "contribution_12m": amount,
        "net_revenue_12m": 3 * abs(amount),
        "cogs_12m": abs(amount),
        "orders": 9,
        "first_sale_date": OLD,
        "is_merged": False,
        "risk_flag": None,
        "loyalty_index": Decimal(50),
        "warning_codes": None,
        **others,
    }


def populations() -> Iterator[list[Receipt]]:
    """One population per night, each with customers of its own."""
    for n in (1, 2, 3, 4, 5, 10, 20, 50, 1000):
        yield [customer(f"n{n}-{i}", 100 * i) for i in range(n)]
    yield [customer(f"equal-{i}", 100) for i in range(30)]
    yield [customer(f"losing-{i}", -i - 1) for i in range(30)]
    yield [customer(f"nothing-{i}", 0, orders=2) for i in range(30)]
    yield [customer(f"whale-{i}", 10_000_000 if i == 7 else i) for i in range(40)]
    yield [customer(f"whales-{i}", 5_000_000 if i < 2 else i) for i in range(40)]
    yield [customer(f"tied-{i}", i // 7) for i in range(100)]
    yield [customer(f"fresh-{i}", i, orders=1) for i in range(20)]
    yield [customer(f"unmeasured-{i}", i, loyalty_index=None) for i in range(20)]
    yield [customer(f"risky-{i}", i, risk_flag="bad" if i % 2 else None) for i in range(40)]


def wandering(seed: int) -> Iterator[list[Receipt]]:
    """Forty nights of customers that wander, vanish for a night, merge and default."""
    pick = random.Random(seed)
    worth = {f"w{i}": Decimal(pick.randrange(-200, 2000)) for i in range(36)}
    loyal = {name: Decimal(pick.randrange(100)) for name in worth}
    excused = dict.fromkeys(worth)
    for _ in range(40):
        night = []
        for name in worth:
            if pick.random() < 0.5:
                worth[name] += pick.randrange(-400, 400)
            if pick.random() < 0.06:
                excused[name] = pick.choice(WARNINGS)
            if pick.random() < 0.03:
                continue
            night.append(
                customer(
                    name,
                    worth[name],
                    loyalty_index=loyal[name],
                    is_merged=pick.random() < 0.01,
                    risk_flag="dishonest" if pick.random() < 0.02 else None,
                    warning_codes=excused[name],
                )
            )
        yield night


@cache
def nights() -> Nights:
    """All nights by business date: leap days, month ends, then day after day."""
    days = [date(2016, 2, 29), date(2017, 5, 31), date(2019, 2, 28), date(2020, 2, 29)]
    days += [date(2020, 12, 31) + timedelta(days=31 * n) for n in range(20)]
    found = dict(zip(days, populations(), strict=False))
    # exactly three months before the last day of May, and a day later
    found[date(2017, 5, 31)][0]["first_sale_date"] = date(2017, 2, 28)
    found[date(2017, 5, 31)][1]["first_sale_date"] = date(2017, 3, 1)
    start = date(2024, 2, 1)
    for n, night in enumerate(wandering(seed=20260630)):
        found[start + timedelta(days=3 * n)] = night
    return found


def seeds(name: str) -> list[dict[str, str]]:
    with (settings.DBT_PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def policies() -> dict[str, Policy]:
    """The shipped policies, read from the seeds."""
    found = {}
    for row in seeds("tier_policies"):
        name = row["policy_id"]
        ladder = [step for step in seeds("tier_ladder") if step["policy_id"] == name]
        rank = {step["tier"]: int(step["tier_rank"]) for step in ladder}
        flags = {
            flag: next(int(step["tier_rank"]) for step in ladder if step[flag] == "true")
            for flag in ("best_if_negative", "best_if_risk", "given_if_few")
        }
        bounds = ("enter_at", "cut_at", "exit_at")
        found[name] = Policy(
            name,
            {
                weight["component"]: Decimal(weight["weight"])
                for weight in seeds("score_weights")
                if weight["policy_id"] == name
            },
            [
                (rank[cut["tier"]], cut["axis"], *(Decimal(cut[bound]) for bound in bounds))
                for cut in seeds("tier_cuts")
                if cut["policy_id"] == name
            ],
            max(rank.values()),
            flags["best_if_negative"],
            flags["best_if_risk"],
            flags["given_if_few"],
            *(
                int(row[column])
                for column in (
                    *("confirm_up_nights", "confirm_down_nights", "dwell_days", "steps_down"),
                    *("minimum_orders", "minimum_customers_ranked", "minimum_tenure_months"),
                )
            ),
            {
                grace["warning_code"]: int(grace["nights"])
                for grace in seeds("grace_rules")
                if grace["policy_id"] == name
            },
        )
    return found


def write(connection: psycopg.Connection, found: Nights, *, seed: int) -> None:
    """Let the nights stand as if published, in an order that means nothing."""
    rows = [
        {"business_date": day, "policy_id": "x", **row}
        for day, night in found.items()
        for row in night
    ]
    random.Random(seed).shuffle(rows)
    create_receipts(connection)
    with connection.cursor().copy("copy bi.tier_decision from stdin") as copy:
        for row in rows:
            copy.write_row([row.get(name) for name in COLUMNS])


AMOUNTS = ("int_goals_set", "int_amounts_ordered", "int_goals_priced", "int_amounts_measured")
"""What a night computes after the engine and a simulation does not."""


def decided(url: str, found: Nights, *, seed: int) -> dict[tuple, Receipt]:
    """Judge all nights under all policies; decisions by policy, day and customer."""
    with psycopg.connect(url, autocommit=True) as connection:
        write(connection, found, seed=seed)
        variables = {
            "business_date": min(found),
            "replay_from": min(found),
            "replay_to": max(found),
            "base_currency": "EUR",
            "source": "test",
        }
        run_dbt(url, ["resource_type:seed"], variables)
        connection.execute("update simulation.tier_policies set role = 'leading'")
        run_dbt(url, ["tag:engine,resource_type:model", *AMOUNTS], variables)
        cursor = connection.execute("select * from simulation.int_tiers_decided")
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {(row["policy_id"], row["business_date"], row["customer_id"]): row for row in rows}


@pytest.fixture(scope="module")
def url(cluster: Any) -> Iterator[str]:
    name = "test_warehouse"
    cluster.drop_database(name)
    url = cluster.ensure_database(name)
    with psycopg.connect(url) as connection:
        tables.prepare(connection, contract.load(), "test")
    yield url
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def engine(url: str) -> dict[tuple, Receipt]:
    return decided(url, nights(), seed=1)


@pytest.fixture(scope="module")
def amounts(url: str, engine: dict[tuple, Receipt]) -> list[Receipt]:
    """What each lacks for the next tier and may lose in its own, of the same nights."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(
            "select * from simulation.int_amounts_measured order by 1, 2, 3"
        ).fetchall()


def ranked(policy: Policy, day: date) -> list[Receipt]:
    """The customers of a night that a policy ranks."""
    latest = months_before(day, policy.minimum_tenure_months)
    return [
        c
        for c in nights()[day]
        if c["first_sale_date"] <= latest and c["orders"] >= policy.minimum_orders
    ]


CENT, FORTUNE = Decimal("0.01"), Decimal(10**9)


def test_the_amount_to_rise_is_enough_and_a_cent_less_is_not(
    engine: dict[tuple, Receipt], amounts: list[Receipt]
) -> None:
    """Enough with everybody scored anew; a cent less is not, with others' scores as they were."""
    known = policies()
    seen = defaultdict(int)
    for row in amounts[::41]:
        policy, day, name = known[row["policy_id"]], row["business_date"], row["customer_id"]
        held = engine[row["policy_id"], day, name]["tier_rank"]
        amount, note = row["amount_to_rise"], row["amount_to_rise_note"]
        night = ranked(policy, day)
        seen[note or (amount > 0)] += 1
        if amount is not None:
            assert stands(policy, night, name, amount, 0) < held, row
        if amount:
            assert stands_alone(policy, night, name, amount - CENT, 0) >= held, row
        if note == "beyond_money":
            assert stands_alone(policy, night, name, FORTUNE, 0) >= held, row
        assert (note == "best_tier") == (held == 1 and note != "small_population")
    assert min(seen[kind] for kind in (True, False, "beyond_money", "best_tier", "new")) > 0, seen


def test_the_amount_to_keep_can_be_lost_and_hardly_more(
    engine: dict[tuple, Receipt], amounts: list[Receipt]
) -> None:
    """What is lost gives everybody it passes a place; a cent more is too much once they have it."""
    known = policies()
    seen = defaultdict(int)
    for row in amounts[11::41]:
        policy, day, name = known[row["policy_id"]], row["business_date"], row["customer_id"]
        held = engine[row["policy_id"], day, name]["tier_rank"]
        amount, note = row["amount_to_keep"], row["amount_to_keep_note"]
        night = ranked(policy, day)
        seen[note or (amount > 0) - (amount < 0)] += 1
        if amount is not None:
            assert stands(policy, night, name, -amount, 2) <= held, row
            place = 0 if amount < 0 else -(-10_000 // (len(night) - 1))
            alone = stands_alone(policy, night, name, -amount - CENT, 2, handicap=place)
            assert alone > held, row
        if note == "no_limit":
            assert stands(policy, night, name, -FORTUNE, 2) <= held, row
    assert min(seen[kind] for kind in (1, 0, -1, "no_limit", "new")) > 0, seen


def test_every_policy_decides_as_plain_python_does(engine: dict[tuple, Receipt]) -> None:
    rules = defaultdict(set)
    compared = 0
    for name, policy in policies().items():
        for day, night in sorted(nights().items()):
            for customer_id, expected in judge(policy, day, night).items():
                found = engine[name, day, customer_id]
                where = (name, day, customer_id)
                for column in ("tier_score", "score_rank", "enter_rank", "cut_rank", "exit_rank"):
                    assert found[column] == expected.get(column), (where, column)
                assert found["tier_rank"] == expected["tier_rank"], (where, found, expected)
                assert found["rule"].startswith(expected["rule"]), (where, found, expected)
                for column in ("changed_on", "pending_direction", "pending_nights", "spell_since"):
                    assert found[column] == expected[column], (where, column)
                rules[name].add(found["rule"])
                compared += 1
    assert compared == len(engine) > 15_000
    assert rules["standard"] >= {
        *("cut", "new", "small_population", "capped_risk", "capped_negative"),
        *("held_band", "held_confirmation", "held_dwell", "held_grace", "stepped_down"),
    }


def test_a_tier_can_be_computed_again_from_its_receipt_alone(engine: dict[tuple, Receipt]) -> None:
    for key, receipt in engine.items():
        rank, rule = hold(receipt)
        assert receipt["tier_rank"] == rank, key
        assert receipt["rule"].startswith(rule), key


def test_everybody_has_one_tier_of_the_ladder(engine: dict[tuple, Receipt]) -> None:
    ladders = defaultdict(lambda: {None: "new"})
    for step in seeds("tier_ladder"):
        ladders[step["policy_id"]][int(step["tier_rank"])] = step["tier"]
    for (policy, _, _), receipt in engine.items():
        assert receipt["computed_tier"] == ladders[policy][receipt["tier_rank"]]


def test_the_order_of_rows_means_nothing(url: str, engine: dict[tuple, Receipt]) -> None:
    again = decided(url, nights(), seed=2)
    assert again == engine


@pytest.mark.soak
def test_swinging_around_a_cut_within_the_margin_changes_nothing(url: str) -> None:
    """Of 400 customers, those on either side of every cut change places night after night."""
    found: Nights = {}
    for n in range(24):
        night = [customer(f"s{i:03}", 1000 * (400 - i)) for i in range(400)]
        for better, worse in ((19, 20), (79, 80), (199, 200)):
            if n % 2:
                pair = night[better], night[worse]
                pair[0]["contribution_12m"], pair[1]["contribution_12m"] = (
                    pair[1]["contribution_12m"],
                    pair[0]["contribution_12m"],
                )
        found[date(2025, 1, 1) + timedelta(days=7 * n)] = night
    receipts = decided(url, found, seed=3)
    held, cut = defaultdict(set), defaultdict(set)
    for (policy, _, customer_id), receipt in receipts.items():
        if policy == "standard":
            held[customer_id].add(receipt["tier_rank"])
            cut[customer_id].add(receipt["cut_rank"])
    assert sum(len(ranks) > 1 for ranks in cut.values()) == 6, "the cut alone flaps"
    assert all(len(ranks) == 1 for ranks in held.values())
