"""A policy whose rows are edited in place, or replaced from a day on: what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from helpers.warehouse import Warehouse

NIGHTS = [f"2025-07-{n:02}" for n in range(1, 9)]

BUILT = ("+tier_change", "+tier_decision", "+policy", "+tier", "+window_rate")


@pytest.fixture
def warehouse(cluster: Any) -> Iterator[Warehouse]:
    name = "test_warehouse"  # the same each time, so that dbt parses once
    cluster.drop_database(name)
    yield Warehouse(cluster.ensure_database(name))
    cluster.drop_database(name)


def lines() -> list[dict[str, Any]]:
    """Three invoices of each of 20 customers, dearer for larger numbers."""
    return [
        {
            "invoice_id": f"I{n:02}-{month}",
            "line_no": 1,
            "customer_id": f"C{n:02}",
            "product_id": "P",
            "invoice_date": date(2025, month, 15),
            "document_type": "invoice",
            "quantity": 1,
            "net_amount": Decimal(100 * n),
            "cost_amount": Decimal(50 * n),
        }
        for n in range(1, 21)
        for month in (1, 2, 6)
    ]


def fill(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    warehouse.load(
        erp_customers=[{"customer_id": f"C{n:02}", "name": f"Customer {n}"} for n in range(1, 21)],
        erp_products=[{"product_id": "P", "name": "Gas", "standard_cost": Decimal(1)}],
        erp_invoice_lines=rows,
    )


def edit(warehouse: Warehouse, statement: str) -> None:
    """Change the rows of the seeds that the nights after it read."""
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def play(warehouse: Warehouse, night: str) -> dict[str, tuple[Any, ...]]:
    """Play and publish a night; customer -> direction and cause of its change."""
    warehouse.build(night, *BUILT)
    changes = warehouse.query("select customer_id, direction, cause from candidate.tier_change")
    warehouse.publish()
    return {row[0]: row[1:] for row in changes}


def version(warehouse: Warehouse) -> str:
    """The one version that all receipts of the night, and the rows of its policy, bear."""
    [(receipts,)] = warehouse.query("select distinct policy_version from candidate.tier_decision")
    [(rows,)] = warehouse.query("select distinct policy_version from candidate.policy")
    [(ladder,)] = warehouse.query("select distinct policy_version from candidate.tier")
    assert receipts == rows == ladder
    return str(receipts)


def test_an_edit_in_place_is_told_as_the_policys_doing_and_own_moves_as_own(
    warehouse: Warehouse,
) -> None:
    rows = lines()
    fill(warehouse, rows)
    assert play(warehouse, NIGHTS[0]) == {}
    first = version(warehouse)

    # The best 15 % are key from now on, and the smallest customer sells most of all.
    edit(
        warehouse,
        "update policy.tier_cuts set enter_at = 0.145, cut_at = 0.15, exit_at = 0.16 "
        "where policy_id = 'standard' and tier = 'key'",
    )
    big = {"invoice_id": "big", "net_amount": Decimal(99_000), "invoice_date": NIGHTS[1]}
    warehouse.load(erp_invoice_lines=[*rows, {**rows[0], **big}])
    assert play(warehouse, NIGHTS[1]) == {"C01": ("up", "own_change"), "C19": ("up", "policy")}
    second = version(warehouse)
    assert second != first
    assert warehouse.query(
        "select seed, row_key, values_before::jsonb ->> 'cut_at', values_now::jsonb ->> 'cut_at' "
        "from candidate.int_policy_rows_compared"
    ) == [("tier_cuts", "key customer_share", "0.0500", "0.1500")]
    assert warehouse.query(
        "select distinct reason_code from candidate.tier_change where cause = 'policy'"
    ) == [("policy_changed",)]

    # Rows that hold from a later day on change nothing tonight, and everything that day.
    edit(
        warehouse,
        "insert into policy.tier_cuts "
        "select policy_id, tier, axis, 0.25, 0.30, 0.31, '2025-07-04', currency "
        "from policy.tier_cuts where policy_id = 'standard' and tier = 'regular'",
    )
    assert play(warehouse, NIGHTS[2]) == {}
    assert version(warehouse) == second

    # Who falls by them waits, and is told as the policy's doing on the night it falls.
    assert play(warehouse, NIGHTS[3]) == {}
    third = version(warehouse)
    assert third != second
    assert play(warehouse, NIGHTS[4]) == {}
    fell = play(warehouse, NIGHTS[5])
    assert version(warehouse) == third
    assert fell, "the customers between 31 and 55 % leave regular"
    assert set(fell.values()) == {("down", "policy")}
    assert warehouse.query("select seed, row_key from candidate.int_policy_rows_compared") == [
        ("tier_cuts", "regular customer_share")
    ]

    # A night before that day is judged by the rows of its day.
    warehouse.build(NIGHTS[2], *BUILT)
    assert version(warehouse) == second


def test_a_tier_that_moves_on_the_ladder_is_held_by_its_name(warehouse: Warehouse) -> None:
    """A tier put in between makes nobody fall, who only stands one rank lower."""
    fill(warehouse, lines())
    play(warehouse, NIGHTS[0])
    before = dict(warehouse.query("select customer_id, tier from candidate.tier_decision"))
    edit(
        warehouse,
        "update policy.tier_ladder set tier_rank = tier_rank + 1 "
        "where policy_id = 'standard' and tier <> 'key'; "
        "insert into policy.tier_ladder (policy_id, tier, tier_rank, best_if_negative, "
        "best_if_risk, given_if_few, name_en, name_zh, review_months) "
        "values ('standard', 'gold', 2, false, false, false, 'Gold', '金牌', 6); "
        "insert into policy.tier_cuts (policy_id, tier, axis, enter_at, cut_at, exit_at) "
        "values ('standard', 'gold', 'customer_share', 0.06, 0.07, 0.08)",
    )
    changes = play(warehouse, NIGHTS[1])
    assert set(changes.values()) <= {("up", "policy")}
    after = dict(warehouse.query("select customer_id, tier from candidate.tier_decision"))
    held = {name for name in before if name not in changes}
    assert len(held) >= 18
    assert {name: after[name] for name in held} == {name: before[name] for name in held}


MISSING = "select distinct missing_lines from candidate.customer_tier"

SERVED = "select sum(cost_to_serve_12m) from candidate.tier_decision"

PLAYED = ("+customer_tier", "+policy", "+ledger_reconciliation")


def test_amounts_in_another_currency_or_of_another_company_decide_nothing(
    warehouse: Warehouse,
) -> None:
    rows = lines()
    rows.append({**rows[0], "invoice_id": "loss", "cost_amount": Decimal(90_000)})
    rows.append(
        {
            **rows[0],
            "invoice_id": "old",
            "cost_amount": Decimal(90_000),
            "invoice_date": "2024-01-15",
        }
    )

    def night(currency: str) -> tuple[bool, Any, list[tuple[Any, ...]]]:
        fill(warehouse, [{**row, "currency": currency} for row in rows])
        warehouse.build(NIGHTS[0], *PLAYED, base_currency=currency, full_refresh=True)
        [(missing,)] = warehouse.query(MISSING)
        [(served,)] = warehouse.query(SERVED)
        flagged = warehouse.query(
            "select customer_id from candidate.tier_decision where risk_flag is not null"
        )
        return "cost_to_serve," in missing, served, flagged

    # 61 lines and as many deliveries of the window, at 1.50 and 12.00
    assert night("EUR") == (False, Decimal("823.50"), [("C01",)])
    edit(
        warehouse,
        "insert into policy.cost_rates values ('another', 'drop', '2000-01-01', 99, 'EUR'); "
        "insert into policy.risk_rules (source, policy_id, risk_flag, minimum_loss, currency) "
        "values ('another', 'standard', 'bad', 1, 'EUR')",
    )
    assert night("EUR") == (False, Decimal("823.50"), [("C01",)])
    assert night("USD") == (True, None, [])
    edit(
        warehouse,
        "insert into policy.cost_rates values ('test', 'drop', '2000-01-01', 2, 'USD'); "
        "insert into policy.risk_rules (source, policy_id, risk_flag, minimum_loss, currency) "
        "values ('test', 'standard', 'bad', 1000, 'USD')",
    )
    assert night("USD") == (False, Decimal("122.00"), [("C01",)]), "its own rows alone"
