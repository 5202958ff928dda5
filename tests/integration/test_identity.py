"""Who is who: evidence from records, decisions of people, and keys that outlive both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from customer_tiers.errors import UserError
from customer_tiers.identity import decisions, match
from customer_tiers.identity.decisions import Decision
from customer_tiers.publish import difference, identity_history
from customer_tiers.publish.tables import published
from helpers.warehouse import Warehouse

NIGHT = "2025-06-30"

CUSTOMERS: list[dict[str, Any]] = [
    {"customer_id": "C1", "name": "Müller Stahlbau GmbH", "tax_id": "DE111111111", "country": "DE"},
    {"customer_id": "C2", "name": "苏州恒瑞半导体材料有限公司", "phone": "+86 512 6288123"},
    {"customer_id": "C3", "name": "Kraus Labor AG", "domain": "kraus.example"},
    {"customer_id": "C4", "name": "Kraus Labor", "domain": "kraus.example"},
    {"customer_id": "C5", "name": "Voß Brauerei GmbH", "parent_customer_id": "C1"},
]
ACCOUNTS: list[dict[str, Any]] = [
    {"account_id": "A1", "name": "whatever", "erp_customer_id": "C1"},
    {
        "account_id": "A2",
        "name": "Suzhou Hengrui Semiconductor Materials Co., Ltd.",
        "phone": "0086-512-6288123",
    },
    {"account_id": "A3", "name": "Voss Brauerei", "phone": "030 1234567"},
    {"account_id": "A4", "name": "Somebody Else Ltd"},
]


def sales() -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": f"{customer['customer_id']}-{month}",
            "line_no": 1,
            "customer_id": customer["customer_id"],
            "product_id": "P",
            "invoice_date": date(2025, month, 15),
            "document_type": "invoice",
            "quantity": 1,
            "net_amount": Decimal(100 * month * number),
            "cost_amount": Decimal(10),
        }
        for number, customer in enumerate(CUSTOMERS, 1)
        for month in (1, 2, 6)
    ]


WHO_IS_WHO = (
    *("int_customers_merged", "int_customers_resolved", "int_matches_scored"),
    *("int_accounts_matched", "customer_identity", "stg_bi__match_reviews", "match_review"),
    "int_sales_aggregated_to_months",
)
"""What a decision changes, of the models that the first night has built."""


class Company(Warehouse):
    """Nights of a company of five customers, published as far as identity goes."""

    number = 0

    def play(self, *select: str) -> None:
        self.number += 1
        with psycopg.connect(self.url, autocommit=True) as connection:
            match.bring_up(connection, f"run_{self.number}")
        self.build(NIGHT, *select)
        with psycopg.connect(self.url) as connection:
            for table in published():
                if table.name in ("customer_identity", "match_review"):
                    difference.bring_up(connection, table, date.fromisoformat(NIGHT))
            identity_history.record(connection, f"run_{self.number}")

    def decide(self, kind: str, customer: str, **values: Any) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return decisions.decide(
                connection, Decision(kind, customer, "because", "Ann", **values)
            )

    def undo(self, number: int) -> str:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return decisions.undo(connection, number, "Ann")

    def owners(self) -> dict[str, tuple[str | None, str | None]]:
        rows = self.query("select record_id, customer_id, match_rule from bi.customer_identity")
        return {record: (customer, rule) for record, customer, rule in rows}

    def revenues(self) -> dict[str, Decimal]:
        return dict(
            self.query(
                "select customer_id, sum(net_revenue) "
                "from candidate.int_sales_aggregated_to_months group by 1"
            )
        )


@pytest.fixture(scope="module")
def company(cluster) -> Iterator[Company]:
    name = "test_identity"
    cluster.drop_database(name)
    made = Company(cluster.ensure_database(name))
    made.load(
        erp_customers=CUSTOMERS,
        crm_accounts=ACCOUNTS,
        erp_products=[{"product_id": "P", "name": "Gas", "category": "Gas"}],
        erp_invoice_lines=sales(),
    )
    made.play()
    yield made
    cluster.drop_database(name)


def test_p13_records_are_brought_together_by_what_speaks_for_them(company):
    owners = company.owners()
    assert owners["A1"] == ("C1", "erp_customer_id")
    assert owners["A2"] == ("C2", "score")
    assert owners["A3"] == (None, None)
    assert owners["A4"] == (None, None)
    review = company.query(
        "select pair_kind, record_id, customer_id from bi.match_review order by 1"
    )
    assert review == [("account", "A3", "C5"), ("duplicate", "C3", "C4")]
    with psycopg.connect(company.url) as connection:
        lines = decisions.waiting(connection)
    assert any("account A3 Voss Brauerei = customer C5" in line for line in lines)


def test_p29_groups_count_each_customer_once(company):
    groups = company.query(
        "select group_id, customers, contribution_12m from candidate.customer_group order by 1"
    )
    assert [(g, n) for g, n, _ in groups] == [("C1", 2), ("C2", 1), ("C3", 1), ("C4", 1)]
    [(total,)] = company.query("select sum(contribution_12m) from candidate.customer_tier")
    assert sum(amount for *_, amount in groups) == total


def test_the_profile_says_how_far_our_data_go(company):
    [(accounts, completeness, missing, confidence, tier)] = company.query(
        "select crm_accounts, completeness, missing_facts, data_confidence, tier "
        "from candidate.customer_360 where customer_id = 'C2'"
    )
    assert (accounts, tier) == (1, "low")
    assert completeness == Decimal("0.1")
    assert "phone," not in missing
    assert Decimal("0.5") < confidence < 1


@pytest.mark.parametrize("taken_back_by", ["undo", "split"])
def test_p14_merge_then_split_restores_ids_and_history(company, taken_back_by):
    before, keys = company.revenues(), company.query(KEYS)
    total = sum(before.values())
    number = company.decide("merge", "C4", into="C3")
    company.play(*WHO_IS_WHO)
    merged = company.revenues()
    assert set(merged) == set(before) - {"C4"}
    assert sum(merged.values()) == total
    assert merged["C3"] == before["C3"] + before["C4"]
    assert company.query(KEYS) == keys, "a key of our own never changes"
    [(key_of_c4,), (key_of_c3,)] = company.query(
        "select customer_key from ops.customer_key where record_id in ('C3', 'C4') "
        "order by record_id desc"
    )
    assert company.query(f"select * from bi.customer_of({key_of_c4})") == [(key_of_c3, "C3")]
    made = [number]
    if taken_back_by == "undo":
        company.undo(made.pop())
    else:
        made.append(company.decide("split", "C4"))
    company.play(*WHO_IS_WHO)
    assert company.revenues() == before
    assert company.query(KEYS) == keys
    assert company.query(f"select * from bi.customer_of({key_of_c4})") == [(key_of_c4, "C4")]
    history = company.query(
        "select customer_id, known_to is null from bi.customer_identity_history "
        "where record_id = 'C4' order by known_from"
    )
    assert history[-3:] == [("C4", False), ("C3", False), ("C4", True)]
    for decision in reversed(made):
        company.undo(decision)


KEYS = "select * from ops.customer_key order by customer_key"


def test_a_split_goes_before_what_the_erp_says_until_it_is_undone(company):
    company.load(
        erp_customers=[
            {**row, "merged_into_id": "C3"} if row["customer_id"] == "C4" else row
            for row in CUSTOMERS
        ]
    )
    number = company.decide("split", "C4")
    company.play(*WHO_IS_WHO)
    assert company.owners()["C4"] == ("C4", "itself")
    company.undo(number)
    company.play(*WHO_IS_WHO)
    assert company.owners()["C4"] == ("C3", "merged_by_erp")
    company.load(erp_customers=CUSTOMERS)


def test_p13_a_person_has_the_last_word_and_can_take_it_back(company):
    number = company.decide("accept", "C5", account_id="A3")
    refused = company.decide("reject", "C1", account_id="A1")
    apart = company.decide("apart", "C3", into="C4")
    company.play(*WHO_IS_WHO)
    assert company.owners()["A3"] == ("C5", "decision")
    assert company.owners()["A1"] == (None, None)
    assert company.query("select * from bi.match_review") == []
    for decision in (number, refused, apart):
        company.undo(decision)
    company.play(*WHO_IS_WHO)
    assert company.owners()["A1"] == ("C1", "erp_customer_id")
    assert len(company.query("select * from bi.match_review")) == 2


def test_decisions_that_cannot_be_are_refused_in_one_line(company):
    with pytest.raises(UserError, match="customer C9: there is none"):
        company.decide("accept", "C9", account_id="A1")
    with pytest.raises(UserError, match="two different customers"):
        company.decide("merge", "C1", into="C1")
    number = company.decide("merge", "C1", into="C2")
    with pytest.raises(UserError, match=f"C1 is itself merged into C2 by decision {number}"):
        company.decide("merge", "C2", into="C1")
    company.undo(number)
    with pytest.raises(UserError, match="undone already"):
        company.undo(number)


def refused(company: Company, holding: int, *decision: str, **values: str) -> None:
    """The decision is refused in a line that names the one that holds, and how to undo it."""
    with pytest.raises(UserError) as raised:
        company.decide(*decision, **values)
    assert "\n" not in str(raised.value)
    assert f"by decision {holding}; tiers match undo {holding} first" in str(raised.value)


def test_a_merge_of_a_merged_customer_is_refused_until_that_is_undone(company):
    number = company.decide("merge", "C1", into="C2")
    refused(company, number, "merge", "C1", into="C3")
    refused(company, number, "merge", "C1", into="C2")
    refused(company, number, "apart", "C2", into="C1")
    behind = company.decide("merge", "C2", into="C3")
    refused(company, behind, "apart", "C2", into="C3")
    company.undo(behind)
    with pytest.raises(UserError, match="merged into it: C1; split those"):
        company.decide("split", "C2")
    company.undo(number)
    apart = company.decide("apart", "C1", into="C2")
    refused(company, apart, "merge", "C2", into="C1")
    refused(company, apart, "apart", "C2", into="C1")
    company.undo(apart)


def test_a_split_is_refused_where_nothing_is_merged(company):
    with pytest.raises(UserError, match="C1 is not merged into another one; there is nothing to"):
        company.decide("split", "C1")
    company.load(
        erp_customers=[
            {**row, "merged_into_id": "C3"} if row["customer_id"] == "C4" else row
            for row in CUSTOMERS
        ]
    )
    with pytest.raises(UserError, match="merged into C3, as the ERP says; tiers match split C4"):
        company.decide("merge", "C4", into="C1")
    number = company.decide("split", "C4")
    refused(company, number, "split", "C4")
    merged = company.decide("merge", "C4", into="C1")
    company.undo(merged)
    company.undo(number)
    company.load(erp_customers=CUSTOMERS)


def test_an_account_is_accepted_or_rejected_once(company):
    accepted = company.decide("accept", "C5", account_id="A3")
    refused(company, accepted, "accept", "C4", account_id="A3")
    refused(company, accepted, "accept", "C5", account_id="A3")
    refused(company, accepted, "reject", "C5", account_id="A3")
    other = company.decide("reject", "C4", account_id="A3")
    company.undo(accepted)
    refused(company, other, "accept", "C4", account_id="A3")
    refused(company, other, "reject", "C4", account_id="A3")
    with psycopg.connect(company.url) as connection:
        assert any("account A3" in line for line in decisions.waiting(connection)), (
            "what it is not, says nothing of another customer"
        )
    company.undo(other)


def test_equal_records_are_not_compared_again(company):
    with psycopg.connect(company.url, autocommit=True) as connection:
        match.bring_up(connection, "again")
        assert "as compared before" in match.bring_up(connection, "again")
