"""A merge that is taken back: the customer goes on from its own last night, as if never away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from customer_tiers import connections, contract, settings, simulation
from customer_tiers.identity import decisions
from customer_tiers.identity.decisions import Decision
from customer_tiers.publish import repeat
from customer_tiers.sources import definition
from helpers import small_company
from helpers.small_company import Night

pytestmark = pytest.mark.soak

FIRST = date(2026, 3, 20)
SPLIT_OFF, SURVIVOR, ABSENT = "C12", "C02", "C05"

HELD = (
    "tier, tier_since, previous_tier, computed_tier_rank, rule, changed_on, pending_direction, "
    "pending_nights, cause, is_changed"
)


@pytest.fixture
def company(cluster, tmp_path, monkeypatch) -> Iterator[Night]:
    """SPLIT_OFF rises in the second night, and is to fall from the third on, which must wait."""
    sources, folder = tmp_path / "sources", tmp_path / "parted"
    sources.mkdir()
    (sources / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", sources)
    small_company.fill_folder(folder)
    small_company.describe(sources, "parted", {"kind": "files", "path": str(folder)})
    company = Night("parted", path=str(folder))
    list_customers(company)
    company.play(FIRST)
    lines = small_company.lines()
    big = next(line for line in reversed(lines) if line["customer_id"] == SPLIT_OFF)
    small_company.write_lines(folder, [*lines, {**big, "line_no": 2, "net_amount": Decimal(9000)}])
    company.play(night(1))
    small_company.write_lines(folder, lines)
    company.play(night(2))
    yield company
    cluster.drop_database("warehouse_parted")


def list_customers(company: Night, *internal: str) -> None:
    small_company.write_csv(
        Path(str(company.path)) / "customers.csv",
        [
            {
                "customer_id": customer,
                "name": name,
                "status": "internal" if customer in internal else "active",
            }
            for customer, name in small_company.CUSTOMERS
        ],
    )


def night(number: int) -> date:
    return FIRST + timedelta(days=number)


def decide(kind: str, customer: str, **values: Any) -> int:
    with psycopg.connect(connections.warehouse("parted"), autocommit=True) as connection:
        return decisions.decide(connection, Decision(kind, customer, "because", "Ann", **values))


def undo(number: int) -> None:
    with psycopg.connect(connections.warehouse("parted"), autocommit=True) as connection:
        decisions.undo(connection, number, "Ann")


def receipt(company: Night, customer: str, day: date) -> dict[str, Any]:
    rows = company.query(
        f"select {HELD} from bi.tier_decision "
        f"where customer_id = '{customer}' and business_date = '{day}'"
    )
    return dict(zip(HELD.split(", "), rows[0], strict=True)) if rows else {}


def history(company: Night, customer: str) -> list[tuple]:
    return company.query(
        "select tier, cause, valid_from, valid_to from bi.customer_tier_history "
        f"where customer_id = '{customer}' and known_to is null order by valid_from"
    )


def changes(company: Night) -> list[tuple]:
    return company.query(
        "select business_date, from_tier, to_tier, cause from bi.tier_change "
        f"where customer_id = '{SPLIT_OFF}' order by 1"
    )


def totals(company: Night) -> set[Decimal]:
    return {
        total
        for (total,) in company.query(
            "select sum(contribution_12m) from bi.tier_decision "
            f"where business_date > '{night(1)}' group by business_date"
        )
    }


def test_p14_who_is_parted_again_goes_on_from_its_own_last_night(company, monkeypatch):
    before, risen = receipt(company, SPLIT_OFF, night(2)), changes(company)
    assert (before["rule"], before["pending_nights"]) == ("held_dwell", 1)
    assert (before["changed_on"], before["tier_since"], len(risen)) == (night(1), night(1), 1)
    decide("merge", SPLIT_OFF, into=SURVIVOR)
    company.play(night(3))
    company.play(night(4))
    assert receipt(company, SPLIT_OFF, night(3)) == receipt(company, SPLIT_OFF, night(4)) == {}
    decide("split", SPLIT_OFF)
    company.play(night(5))

    back = {**before, "pending_nights": 2, "cause": "merge_split"}
    assert receipt(company, SPLIT_OFF, night(5)) == back
    assert changes(company) == risen
    stretches = [(night(1), night(3)), (night(5), None)]
    tier, cause = before["tier"], [risen[0][-1], "merge_split"]
    kept = [(tier, why, *when) for why, when in zip(cause, stretches, strict=True)]
    assert history(company, SPLIT_OFF)[1:] == kept
    assert len(totals(company)) == 1
    survivor = receipt(company, SURVIVOR, night(5))
    assert survivor["tier"] == receipt(company, SURVIVOR, night(2))["tier"]
    assert survivor["previous_tier"] == receipt(company, SURVIVOR, night(4))["tier"]

    with monkeypatch.context() as patch:
        patch.setattr(repeat, "_code", lambda: "another rule")
        company.play(night(5))
    assert receipt(company, SPLIT_OFF, night(5)) == back, "the same night again"
    assert receipt(company, SURVIVOR, night(5)) == survivor
    assert history(company, SPLIT_OFF)[1:] == kept

    source, url = definition.load("parted", contract.load()), connections.warehouse("parted")
    done = simulation.replay(url, ["standard"], source=source)
    with psycopg.connect(url) as connection:
        assert any("differ: 0 of" in line for line in simulation.lines(connection, done))

    company.play(night(6))
    after = receipt(company, SPLIT_OFF, night(6))
    assert after == {**before, "pending_nights": 3}, "and on, as if never away"

    for day in range(3, 7):  # decisions hold for past nights, too
        company.play(night(day))
    assert receipt(company, SPLIT_OFF, night(6)) == {**before, "pending_nights": 5}
    assert [row[2:] for row in history(company, SPLIT_OFF)[1:]] == [(night(1), None)]
    number = decide("merge", SPLIT_OFF, into=SURVIVOR)
    company.play(night(7))
    undo(number)
    company.play(night(8))
    assert receipt(company, SPLIT_OFF, night(8)) == {**back, "pending_nights": 6}
    assert changes(company) == risen
    assert len(totals(company)) == 1


def test_who_was_absent_for_another_reason_begins_anew(company):
    list_customers(company, ABSENT)
    company.play(night(3))
    assert receipt(company, ABSENT, night(3)) == {}
    list_customers(company)
    company.play(night(4))
    found = receipt(company, ABSENT, night(4))
    assert (found["tier_since"], found["previous_tier"]) == (night(4), None)
    assert found["cause"] == "initial"
