"""What ERP and CRM write differently, and what the ERP has merged away, finds its customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from customer_tiers.identity import match
from helpers.warehouse import Warehouse

CUSTOMERS: list[dict[str, Any]] = [
    {"customer_id": "KH10032", "name": "Nordgas AB"},
    {"customer_id": "KH10398", "name": "Ampère SARL", "merged_into_id": "KH10032"},
    {"customer_id": "ab1", "name": "Kraus Labor AG", "domain": "kraus.example"},
    {"customer_id": "AB1", "name": "Voß Brauerei GmbH"},
    # a chain of merges, whose first record the CRM knows, and four more of the same domain
    {"customer_id": "O1", "name": "Zwickau Gas GmbH", "merged_into_id": "O2"},
    {"customer_id": "O2", "name": "Zwickau Energie GmbH", "merged_into_id": "O3"},
    {"customer_id": "O3", "name": "Energie Sachsen SE", "tax_id": "DE777777777"},
    # a circle, which leaves both as they are
    {"customer_id": "Y1", "name": "Linnea Frost Oy", "merged_into_id": "Y2"},
    {"customer_id": "Y2", "name": "Tuomas Savu Oy", "merged_into_id": "Y1"},
    # our own company has taken this one over
    {"customer_id": "I1", "name": "Hafen Lager GmbH", "merged_into_id": "I2"},
    {"customer_id": "I2", "name": "We Ourselves GmbH", "status": "internal"},
    {"customer_id": "X1", "name": "宁波信博液压件有限公司", "domain": "xinbo.example"},
    {"customer_id": "T1", "name": "Severn Valves Ltd", "tax_id": "GB974197221"},
    {"customer_id": "T2", "name": "Humber Valves", "tax_id": "GB1", "merged_into_id": "T1"},
    {"customer_id": "T3", "name": "Tyne Valves", "tax_id": "GB88888888", "merged_into_id": "T1"},
]
for row in CUSTOMERS:
    if row["customer_id"].startswith("O"):
        row |= {"domain": "zwickau.example", "country": "DE", "phone": "+49 375 1234567"}
    row |= {"city": "Ningbo", "country": "CN"} if row["customer_id"] == "X1" else {}
OLD = [
    CUSTOMERS[4] | {"customer_id": f"O{n}", "name": f"Zwickau {n}", "merged_into_id": "O3"}
    for n in range(4, 8)
]

ACCOUNTS: list[dict[str, Any]] = [
    {"account_id": "lower", "name": "a", "erp_customer_id": "kh10032"},
    {"account_id": "spaced", "name": "b", "erp_customer_id": " KH10398"},
    {"account_id": "ambiguous", "name": "c", "erp_customer_id": " aB1"},
    {
        "account_id": "compared",
        "name": "Kraus Labor",
        "erp_customer_id": "Ab1 ",
        "domain": "kraus.example",
    },
    {
        "account_id": "of_old",
        "name": "Zwickau Gas",
        "domain": "www.zwickau.example",
        "country": "DE",
    },
    {"account_id": "of_circle", "name": "Linnea Frost", "phone": "0358 1234567"},
    {"account_id": "of_ours", "name": "Hafen Lager GmbH", "phone": "0049 40 7654321"},
    {
        "account_id": "sister",
        "name": "宁波信博液压件物流有限公司",
        "domain": "xinbo.example",
        "city": "Ningbo",
        "country": "CN",
    },
    {"account_id": "labelled", "name": "Another Name", "tax_id": "VAT GB974197221"},
    {"account_id": "tax_of_old", "name": "Something Else", "tax_id": "VAT GB 88888888"},
]


@pytest.fixture(scope="module")
def matched(cluster) -> Iterator[Warehouse]:
    name = "test_identity_records"
    cluster.drop_database(name)
    made = Warehouse(cluster.ensure_database(name))
    for number in ("Y1", "I1"):  # what the accounts have, too
        [row] = [row for row in CUSTOMERS if row["customer_id"] == number]
        row["phone"] = {"Y1": "0358 1234567", "I1": "0049 40 7654321"}[number]
    made.load(erp_customers=CUSTOMERS + OLD, crm_accounts=ACCOUNTS)
    with psycopg.connect(made.url, autocommit=True) as connection:
        match.bring_up(connection, "run")
    made.build("2025-06-30", "+int_accounts_matched")
    yield made
    cluster.drop_database(name)


def links(matched: Warehouse) -> dict[str, tuple[str | None, str | None]]:
    rows = matched.query(
        "select account_id, customer_id, match_rule from candidate.int_accounts_matched"
    )
    return {account: (customer, rule) for account, customer, rule in rows}


def test_a_reference_names_its_customer_however_it_is_written(matched):
    found = links(matched)
    assert found["lower"] == ("KH10032", "erp_customer_id")
    assert found["spaced"] == ("KH10032", "merged_customer_id")


def test_a_reference_that_fits_two_customers_names_nobody(matched):
    found = links(matched)
    assert found["ambiguous"] == (None, None)
    assert found["compared"] == ("ab1", "score"), "other evidence is looked at"


def test_a_tax_number_is_read_without_its_label(matched):
    found = links(matched)
    assert found["labelled"] == ("T1", "tax_id")
    assert found["tax_of_old"] == ("T1", "tax_id")


def test_a_record_merged_away_is_evidence_for_who_is_left(matched):
    assert links(matched)["of_old"] == ("O3", "score")
    assert candidates(matched, "of_old") == [("O3", "accepted")]


def test_a_circle_of_merges_ends_and_its_records_stay_what_they_are(matched):
    assert links(matched)["of_circle"] == ("Y1", "score")


def test_what_our_own_company_took_over_is_nobodys_customer(matched):
    assert links(matched)["of_ours"] == (None, None)
    assert candidates(matched, "of_ours") == []


def test_a_sister_firm_with_the_same_domain_is_a_question(matched):
    assert links(matched)["sister"] == (None, None)
    assert candidates(matched, "sister") == [("X1", "doubtful")]


def test_old_records_are_no_duplicates_of_anybody(matched):
    assert matched.query("select * from ops.match_evidence where pair_kind = 'duplicate'") == []


def candidates(matched: Warehouse, account: str) -> list[tuple[str, str]]:
    return matched.query(
        "select customer_id, verdict from candidate.int_matches_scored "
        f"where record_id = '{account}'"
    )
