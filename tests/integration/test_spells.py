"""A change that waited for nights is explained by what began its spell, not by its last night.

Twenty customers over six nights; 0 is the first one:

* C20 sends goods back on night 1 and falls on night 3; it stays below, and falls in steps
* C18 does the same, and an order of it is overdue: a grace of one night
* C19 does the same, buys them back on night 2, sends them back on night 3, and falls on night 5
* C01 buys on night 1 and rises on night 2; C16 rises with it, since others fell
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from customer_tiers.explanation_money import WATERFALL
from customer_tiers.outbox import rows
from customer_tiers.publish import publication
from helpers.warehouse import Warehouse

FIRST = date(2026, 6, 1)
NIGHTS = 6

TERMS = " + ".join(f"now.{column}" for column in WATERFALL.values())

WAITS = (
    "update policy.tier_policies set confirm_up_nights = 2 where policy_id = 'standard'",
    "insert into policy.grace_rules (policy_id, warning_code, nights) "
    "values ('standard', 'cadence_lapse', 1)",
)
"""A rise waits a night, and an order that is overdue gives a night of grace."""

PEOPLE = [
    {"owner_id": name, "name": name.title(), "email": f"{name}@example.com", "locale": "en"}
    | {"active": True, "manager_id": "boss" if name == "anna" else None}
    for name in ("anna", "boss")
]


def day(night: int) -> date:
    return FIRST + timedelta(days=night)


def line(number: int, invoice: str, on: date, amount: int, **values: Any) -> dict[str, Any]:
    return {
        "invoice_id": f"I{number:02}-{invoice}",
        "line_no": 1,
        "customer_id": f"C{number:02}",
        "product_id": "P",
        "invoice_date": on,
        "document_type": "invoice",
        "quantity": 10,
        "net_amount": Decimal(amount),
        "cost_amount": Decimal(0),
        **values,
    }


def sent_back(number: int, night: int, amount: int) -> dict[str, Any]:
    values = {"document_type": "credit_note", "quantity": 1}
    return line(number, f"back{night}", day(night), amount, **values)


def bought(number: int, night: int, amount: int) -> dict[str, Any]:
    return line(number, f"more{night}", day(night), amount, product_id="Q")


EVENTS = {
    1: [sent_back(n, 1, 2900 * n) for n in (18, 19, 20)] + [bought(1, 1, 99_000)],
    2: [bought(19, 2, 60_000)],
    3: [sent_back(19, 3, 60_000)],
}
"""Night -> what is new on it."""


def sales() -> list[dict[str, Any]]:
    """Three invoices each, larger for larger numbers, and a small one that C18 has not."""
    large = [
        line(n, str(month), date(2026, month, 15), 1000 * n)
        for n in range(1, 21)
        for month in (1, 2, 3)
    ]
    return large + [line(n, "small", date(2026, 5, 20), 10) for n in range(1, 21) if n != 18]


class Company:
    """Plays the nights, and keeps what each of them published."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.lines = sales()
        self.changes: dict[tuple[int, str], dict[str, Any]] = {}
        warehouse.load(
            erp_customers=[
                {"customer_id": f"C{n:02}", "name": f"Customer {n}", "account_manager_id": "anna"}
                for n in range(1, 21)
            ],
            erp_products=[
                {"product_id": p, "name": p, "category": p, "standard_cost": Decimal(0)}
                for p in ("P", "Q")
            ],
            erp_invoice_lines=self.lines,
            crm_owners=PEOPLE,
        )
        warehouse.build(FIRST.isoformat(), "resource_type:seed")
        with psycopg.connect(warehouse.url) as connection:
            for statement in WAITS:
                connection.execute(statement)  # type: ignore[call-overload]

    def build(self, night: int, **options: Any) -> None:
        self.warehouse.build(day(night).isoformat(), **options)

    def play(self, night: int) -> None:
        """Load what is new, build and publish."""
        if night in EVENTS:
            self.lines += EVENTS[night]
            self.warehouse.load(erp_invoice_lines=self.lines)
        self.build(night)
        self.publish(night)
        for row in self.rows("select * from candidate.tier_change"):
            self.changes[night, row["customer_id"]] = row

    def publish(self, night: int) -> None:
        known = publication.Night(f"test_{day(night)}", "test", day(night), "EUR")
        with psycopg.connect(self.warehouse.url, autocommit=True) as connection:
            publication.ensure_reader(connection)
            publication.publish(connection, known)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.warehouse.url, row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def decided(self, night: int) -> tuple[list[dict[str, Any]], ...]:
        """What a night says of tiers."""
        return tuple(
            self.rows(f"select * from {table} where business_date = '{day(night)}' order by 1, 2")
            for table in ("bi.tier_decision", "bi.tier_change")
        )

    def told(self, night: int, topic: str) -> set[tuple[str, str]]:
        """Who was told of whom."""
        with psycopg.connect(self.warehouse.url) as connection:
            return {
                (row.recipient_id, item.customer_id)
                for row in rows.list_(connection)
                if row.digest.business_date == day(night)
                for item in row.digest.items
                if item.topic == topic
            }


@pytest.fixture(scope="module")
def company(cluster: Any) -> Iterator[Company]:
    name = "test_spells"
    cluster.drop_database(name)
    played = Company(Warehouse(cluster.ensure_database(name)))
    for night in range(NIGHTS):
        played.play(night)
    yield played
    cluster.drop_database(name)


@pytest.mark.parametrize(
    ("customer", "fell", "compared_with", "taken"),
    [("C20", 3, 0, -58_000), ("C18", 4, 0, -52_200), ("C19", 5, 2, -60_000)],
    ids=["confirmation", "grace", "a spell that was interrupted"],
)
def test_a_fall_is_explained_by_the_drop_that_began_it(
    company: Company, customer: str, fell: int, compared_with: int, taken: int
) -> None:
    change = company.changes[fell, customer]
    assert change["direction"] == "down"
    assert change["compared_with"] == day(compared_with)
    assert (change["cause"], change["reason_code"]) == ("own_change", "contribution_down")
    assert (change["main_driver"], change["main_driver_change"]) == ("returns", taken)
    assert abs(change["contribution_12m_change"] - taken) < 20, "beside it the credit note's effort"
    assert change["own_move"] <= -10
    assert {night for night, name in company.changes if name == customer} == {fell}


@pytest.mark.parametrize(
    ("customer", "cause", "reason"),
    [
        ("C01", "own_change", "contribution_up"),
        ("C16", "displacement", "others_moved"),
    ],
)
def test_a_rise_that_waits_is_explained_by_the_night_that_began_it(
    company: Company, customer: str, cause: str, reason: str
) -> None:
    change = company.changes[2, customer]
    assert (change["direction"], change["compared_with"]) == ("up", day(0))
    assert (change["cause"], change["reason_code"]) == (cause, reason)
    mover = "own_move" if cause == "own_change" else "others_move"
    assert change[mover] > 0


def test_terms_and_moves_add_up_over_every_spell(company: Company) -> None:
    found = company.rows(f"""
        select
            change.*,
            before.contribution_12m as published_before,
            before.score_rank as rank_before,
            now.contribution_12m_before as receipt_before,
            {TERMS} as terms
        from bi.tier_change as change
        inner join bi.tier_decision as now using (business_date, customer_id)
        inner join bi.tier_decision as before
            on change.compared_with = before.business_date
            and change.customer_id = before.customer_id
    """)
    assert len(found) == len(company.changes) > 4
    for row in found:
        assert row["published_before"] == row["contribution_12m_before"] == row["receipt_before"]
        assert row["contribution_12m_change"] == row["terms"], row
        whole = row["rank_before"] - row["score_rank"]
        assert row["own_move"] + row["others_move"] == whole, row


def test_who_waits_for_nothing_is_compared_with_the_night_before(company: Company) -> None:
    spells = company.rows("select business_date, compared_with, is_changed from bi.tier_decision")
    held = [row for row in spells if not row["is_changed"] and row["business_date"] > FIRST]
    assert len(held) > 80
    assert all(row["compared_with"] == row["business_date"] - timedelta(days=1) for row in held)


def test_a_mail_of_a_fall_that_waited_is_not_dropped_for_a_quiet_last_night(
    company: Company,
) -> None:
    """The manager hears of 1,000 and more; the night of the fall alone moved nothing."""
    for night, customer in ((3, "C20"), (4, "C18"), (5, "C19")):
        told = company.told(night, "tier_change")
        assert {("anna", customer), ("boss", customer)} <= told, night
    (message,) = [
        row
        for row in rows_of(company)
        if row.recipient_id == "boss" and row.digest.business_date == day(3)
    ]
    (item,) = [item for item in message.digest.items if item.topic == "tier_change"]
    assert (item.customer_id, item.compared_with) == ("C20", FIRST)
    assert item.amount_at_stake == abs(item.contribution_12m_change or 0) > 58_000


def rows_of(company: Company) -> list[rows.OutboxRow]:
    with psycopg.connect(company.warehouse.url) as connection:
        return rows.list_(connection)


def test_a_fall_that_waits_is_told_once_in_each_spell(company: Company) -> None:
    told = [
        {customer for who, customer in company.told(night, "about_to_fall") if who == "anna"}
        for night in range(NIGHTS)
    ]
    assert told[1] >= {"C18", "C19", "C20"}
    assert not (told[2] | told[4] | told[5]) & {"C18", "C19", "C20"}
    assert told[3] & {"C18", "C19", "C20"} == {"C19"}, "its spell ended, and began anew"


def test_what_a_fall_that_waits_lacks_is_what_its_receipt_says(company: Company) -> None:
    (item,) = [
        item
        for row in rows_of(company)
        if row.recipient_id == "anna" and row.digest.business_date == day(1)
        for item in row.digest.items
        if (item.topic, item.customer_id) == ("about_to_fall", "C20")
    ]
    [receipt] = company.rows(
        f"select * from bi.tier_decision where customer_id = 'C20' and business_date = '{day(1)}'"
    )
    assert item.amount_at_stake == -receipt["amount_to_keep"] > 0
    assert item.nights_until_change == receipt["nights_until_change"] == 2
    assert (item.from_tier, item.to_tier, item.since) == ("key", "major", day(1))


def test_a_night_that_is_played_again_says_the_same(company: Company) -> None:
    """An older one as a backfill plays it, and the newest one with all tables made anew."""
    for night, anew in ((4, False), (5, True)):
        published = company.decided(night)
        company.build(night, full_refresh=anew)
        company.publish(night)
        assert company.decided(night) == published, night


def test_the_bridge_between_two_quarters_is_that_of_the_ledger_of_months(company: Company) -> None:
    """Every customer: goods by category and costs add up to what its months say."""
    company.warehouse.build(day(5).isoformat(), "tag:facts", "+contribution_bridge")
    found = company.rows("""
        select bridge.*, months.contribution
        from (
            select customer_id, sum(amount_now) as now, sum(amount_change) as change
            from candidate.contribution_bridge group by customer_id
        ) as bridge
        full outer join (
            select customer_id, sum(contribution) as contribution
            from candidate.customer_contribution
            where month_start_date between '2026-03-01' and '2026-05-31' group by customer_id
        ) as months using (customer_id)
    """)
    assert len(found) == 20
    for row in found:
        assert row["now"] == row["change"] == row["contribution"], row
    goods = company.rows(
        "select product_category, sales_effect from candidate.contribution_bridge "
        "where customer_id = 'C20' and bridge_term = 'goods'"
    )
    assert goods == [{"product_category": "P", "sales_effect": Decimal("20010.00")}]


def test_a_thinned_night_gives_way_to_an_older_one(company: Company) -> None:
    """What the spell began with is gone; the last night kept before it is compared with."""
    company.rows(f"delete from bi.tier_decision where business_date = '{day(2)}' returning 1")
    company.warehouse.build(day(5).isoformat(), "tag:facts", "+tier_change")
    [row] = company.rows("select * from candidate.tier_change where customer_id = 'C19'")
    assert row["compared_with"] == day(1)
    assert (
        row["contribution_12m_before"]
        == company.rows(
            f"select contribution_12m from bi.tier_decision where customer_id = 'C19' "
            f"and business_date = '{day(1)}'"
        )[0]["contribution_12m"]
    )
