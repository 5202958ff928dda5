"""A customer that the ERP renumbers goes on under its new number: key, tier, tenure and history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from customer_tiers import connections, settings
from customer_tiers.errors import UserError
from customer_tiers.identity import decisions
from customer_tiers.identity.decisions import Decision
from helpers import small_company
from helpers.small_company import Night

FIRST, GONE, MERGED, LATER = (date(2026, 3, day) for day in (27, 28, 29, 30))
OLD, NEW = "C12", "N12"


@dataclass
class Company:
    """Twenty customers, one of which is renumbered after the first night."""

    night: Night
    folder: Path

    def deliver(self, renumbered: dict[str, str], *, lines_too: bool = True) -> None:
        """Write all files with some customers, and their lines, under other numbers."""
        customers = [
            {
                "customer_id": renumbered.get(number, number),
                "name": name,
                "tax_id": f"DE1234567{number[1:]}",
            }
            for number, name in small_company.CUSTOMERS
        ]
        rows = small_company.lines()
        for row in rows if lines_too else []:
            number = str(row["customer_id"])
            row["customer_id"] = renumbered.get(number, number)
        small_company.write_csv(self.folder / "customers.csv", customers)
        small_company.write_lines(self.folder, rows)

    def decide(self, kind: str, customer: str, into: str | None = None) -> tuple[int, str]:
        with psycopg.connect(
            connections.warehouse(self.night.source), autocommit=True
        ) as warehouse:
            decision = Decision(kind, customer, "a letter of the customer", "Ann", into=into)
            number = decisions.decide(warehouse, decision)
            return number, decisions.meaning(warehouse, number)

    def undo(self, number: int) -> None:
        with psycopg.connect(
            connections.warehouse(self.night.source), autocommit=True
        ) as warehouse:
            decisions.undo(warehouse, number, "Ann")

    def asked(self) -> list[str]:
        with psycopg.connect(connections.warehouse(self.night.source)) as warehouse:
            return decisions.waiting(warehouse)

    def tier(self, customer: str) -> dict[str, Any] | None:
        """The newest receipt of a customer in the newest night."""
        rows = self.night.query(
            "select to_jsonb(d) from bi.tier_decision as d "
            f"where customer_id = '{customer}' and business_date = (select max(business_date) "
            "from bi.publication where status = 'published')"
        )
        return rows[0][0] if rows else None

    def keys(self, customer: str) -> set[int]:
        """Keys of the customer, from all of its records."""
        return {
            key
            for (key,) in self.night.query(
                f"select customer_key from bi.customer_identity where customer_id = '{customer}'"
            )
        }

    def told(self, night: date) -> list[tuple]:
        """Tier changes of the two numbers in a night."""
        return self.night.query(
            "select customer_id, direction, cause from bi.tier_change "
            f"where business_date = '{night}' and customer_id in ('{OLD}', '{NEW}')"
        )


@pytest.fixture
def company(cluster, monkeypatch, tmp_path) -> Iterator[Company]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    folder = tmp_path / "in"
    small_company.fill_folder(folder)
    small_company.describe(tmp_path, "renumbering", {"kind": "files", "path": str(folder)})
    made = Company(Night("renumbering"), folder)
    made.deliver({})
    yield made
    cluster.drop_database("warehouse_renumbering")


HELD = ("tier", "tier_since", "computed_tier_rank", "changed_on", "first_sale_date", "orders")


@pytest.mark.parametrize("lines_too", [True, False], ids=["lines_renumbered", "lines_left_behind"])
def test_key_tier_and_history_go_on_under_the_new_number(company, lines_too):
    company.night.play(FIRST)
    before, keys = company.tier(OLD), company.keys(OLD)
    assert before
    assert before["tier"] != "new"
    company.deliver({OLD: NEW}, lines_too=lines_too)
    company.night.play(GONE)
    [line] = company.asked()
    assert line.startswith(f"renumbered {OLD} Customer 12 (gone from the ERP, tier "), line
    assert f"= customer {NEW} Customer 12?" in line
    assert "tax_id 1" in line
    number, meaning = company.decide("merge", OLD, NEW)
    assert f"key, tier and history of {OLD} go on under {NEW}" in meaning
    assert company.asked() == []

    company.night.play(MERGED)
    now = company.tier(NEW)
    assert company.tier(OLD) is None
    assert now
    assert {name: now[name] for name in HELD} == {name: before[name] for name in HELD}
    assert now["cause"] == "unchanged"
    assert now["net_revenue_12m"] == before["net_revenue_12m"]
    assert company.told(MERGED) == []
    assert company.keys(NEW) == keys
    assert company.night.query(f"select * from bi.customer_of({min(keys)})") == [(min(keys), NEW)]

    company.night.play(LATER)
    assert company.told(LATER) == []
    assert company.keys(NEW) == keys
    later = company.tier(NEW)
    assert later
    assert {name: later[name] for name in HELD} == {name: before[name] for name in HELD}

    company.undo(number)
    company.night.play(small_company.DAY)
    assert company.keys(NEW).isdisjoint(keys)
    assert (company.tier(OLD) is None) == lines_too
    assert len(company.asked()) == 1
    if lines_too:
        return
    receipt = company.tier(OLD)
    assert receipt
    assert receipt["tier_since"] == before["tier_since"]


def test_the_history_of_tiers_says_that_a_number_goes_on_with_the_tier_of_another(company):
    company.night.play(FIRST)
    company.deliver({OLD: NEW}, lines_too=False)
    company.night.play(GONE)
    company.decide("merge", OLD, NEW)
    company.night.play(MERGED)
    stretches = company.night.query(
        "select customer_id, valid_from, valid_to, cause from bi.customer_tier_history "
        f"where customer_id in ('{OLD}', '{NEW}') and known_to is null order by 1, 2"
    )
    assert stretches == [
        (OLD, FIRST, MERGED, "initial"),
        (NEW, MERGED, None, "renumbered"),
    ]


def test_a_number_is_replaced_by_one_that_came_later_and_no_other(company):
    company.night.play(FIRST)
    company.deliver({OLD: NEW})
    company.night.play(GONE)
    for kind, customer, into, words in (
        ("merge", "C99", NEW, "customer C99: there is none in the warehouse; check the number"),
        ("merge", NEW, OLD, f"customer {OLD}: the ERP lists it no more; give the number that it"),
        ("merge", OLD, "C99", "customer C99: there is none in the warehouse"),
        ("split", OLD, None, f"customer {OLD} is not merged into another one"),
    ):
        with pytest.raises(UserError) as raised:
            company.decide(kind, customer, into)
        assert words in str(raised.value)
        assert "\n" not in str(raised.value)
    number, meaning = company.decide("merge", OLD, "C13")
    assert "history" not in meaning, "two customers that were there together stay two histories"
    with pytest.raises(UserError, match=f"by decision {number}; tiers match undo {number} first"):
        company.decide("merge", OLD, NEW)
    company.undo(number)
    apart, _ = company.decide("apart", OLD, NEW)
    assert company.asked() == []
    company.night.play(MERGED)
    assert company.asked() == [], "nobody is asked again about two companies"
    company.undo(apart)
    company.deliver({})
    company.night.play(LATER)
    assert company.asked() == [], "the number is there again"
