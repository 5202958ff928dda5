"""How alike two records are: tax numbers, sister firms, numbers in names."""

from __future__ import annotations

import csv
from typing import Any

import jinja2
import pytest

from customer_tiers import settings
from customer_tiers.identity import blocks, compare, names, sisters
from customer_tiers.identity.blocks import Index
from customer_tiers.identity.records import Record, record

WIDE_TAX_ID = "税号:" + "91330200MA2A1".translate(
    {ord(p): w for w, p in zip(names.WIDE, names.PLAIN, strict=True)}
)

NOTHING = dict.fromkeys(
    ("name", "tax_id", "domain", "phone", "address", "postal_code", "city", "country")
)


def company(number: int = 1, **values: str) -> Record:
    return record({**NOTHING, "record_id": str(number), "name": "Kraus", **values})


def evidence(account: dict[str, str], customer: dict[str, str]) -> dict[str, float]:
    index = Index([company(2, **customer)], blocks.keys)
    return {kind: value for *_, kind, value in compare.between([company(1, **account)], index)}


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ("VAT GB974197221", "GB974197221"),
        ("VAT GB974197221", "974197221"),
        ("GB VAT Reg. No. 974 1972 21", "GB974197221"),
        ("VAT 974197221", "GB974197221"),
        ("USt-IdNr.: DE 123456789", "123456789"),
        ("TVA N° FR40303265045", "FR40303265045"),
        ("VAT NL123456789B01", "NL123456789B01"),
        ("VAT NO 974761076 MVA", "NO974761076"),
        ("CHE-123.456.789 MWST", "TVA CHE123456789"),
        ("ATU12345678", "U12345678"),
        ("EIN 12-3456789", "123456789"),
        ("EL123456789", "GR123456789"),
        (WIDE_TAX_ID, "91330200MA2A1"),
    ],
)
def test_a_tax_number_is_the_same_with_a_label_or_a_country(ours, other):
    assert evidence({"tax_id": ours}, {"tax_id": other})["tax_id"] == 1
    assert evidence({"tax_id": other}, {"tax_id": ours})["tax_id"] == 1


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ("VAT GB974197221", "GB974197222"),
        ("VAT GB974197221", "DE974197221"),
        ("ESA12345678", "ESB12345678"),
        ("VAT GB974197221", "GB97419722"),
        ("NL123456789B01", "NL123456789B02"),
    ],
)
def test_two_tax_numbers_stay_two(ours, other):
    assert evidence({"tax_id": ours}, {"tax_id": other})["tax_id"] == 0


def test_what_is_no_tax_number_is_none():
    assert names.tax_key("VAT: n/a") is None
    assert names.tax_key("EIN 0") is None


def test_the_model_writes_references_and_tax_numbers_as_we_do():
    folder = settings.DBT_PROJECT / "models" / "intermediate" / "customers"
    text = (folder / "int_accounts_matched.sql").read_text().partition("\nwith\n")[0]
    model: Any = jinja2.Environment().from_string(text).module
    assert (model.wide, model.plain) == (names.WIDE, names.PLAIN)
    assert (model.label, model.label_behind) == (names.LABEL, names.LABEL_BEHIND)
    assert len(names.WIDE) == len(names.PLAIN)


FIRM = {"name": "宁波信博液压件有限公司", "domain": "xinbo.example", "country": "CN"}
HOUSE = {"address": "Jiangnan Road 12", "postal_code": "315000", "city": "Ningbo"}


@pytest.mark.parametrize(
    "name",
    [
        "宁波信博液压件物流有限公司",
        "宁波信博液压贸易有限公司",
        "宁波信博贸易液压件有限公司",
        "上海信博液压件有限公司",
        "宁波信博液压件(科技)有限公司",
    ],
)
def test_a_firm_with_another_word_in_its_name_is_a_question(name):
    found = evidence(FIRM | HOUSE | {"name": name}, FIRM | HOUSE)
    assert found["word_in_name"] == 0
    assert 35 <= points(found) < 58
    no_domain = {"name": name, "domain": "", "phone": "0574 8712 3456"}
    found = evidence(FIRM | HOUSE | no_domain, FIRM | HOUSE | {"phone": "0574 8712 3499"})
    assert points(found) < 58, "house and switchboard do not suffice either"


@pytest.mark.parametrize("unique", [{"tax_id": "91330200MA2A1"}, {"phone": "0574 8712 3456"}])
def test_what_only_one_firm_has_speaks_for_it_whatever_its_name(unique):
    sister = FIRM | HOUSE | {"name": "宁波信博液压件物流有限公司"}
    found = evidence(sister | unique, FIRM | HOUSE | unique)
    assert "word_in_name" not in found
    assert points(found) >= 58


@pytest.mark.parametrize(
    "name",
    [
        "宁波信博液压件有限责任公司",
        "信博液压件有限公司",  # the place left out
        "宁波信博液压机有限公司",  # one character
        "宁波市信博液压件股份有限公司",
        "寧波信博液壓件有限公司",  # traditional characters
        "宁波液压件信博有限公司",  # words in another order
    ],
)
def test_the_same_firm_written_in_another_way_is_no_sister(name):
    assert not sisters.has_other_word(company(1, **HOUSE | {"name": name}), company(2, **FIRM))


def test_two_trades_that_share_a_character_are_two():
    one, other = company(name="宁波信博物流有限公司"), company(name="宁波信博物资有限公司")
    assert sisters.has_other_word(one, other)


def test_names_without_numbers_show_no_number():
    assert "number_in_name" not in evidence({"name": "Kraus Labor"}, {"name": "Kraus Labor AG"})
    found = evidence({"name": "Kraus Labor 2"}, {"name": "Kraus Labor"})
    assert found["number_in_name"] == 0
    found = evidence({"name": "Kraus Labor 2"}, {"name": "Kraus Labor 2 AG"})
    assert found["number_in_name"] == 1


def points(found: dict[str, float]) -> int:
    """What evidence weighs by the seed."""
    rows = csv.DictReader((settings.DBT_PROJECT / "seeds" / "match_evidence.csv").open())
    return sum(
        int(row["points"])
        for row in rows
        if row["evidence"] in found
        and float(row["from_value"]) <= found[row["evidence"]]
        and found[row["evidence"]] < float(row["below_value"] or 2)
    )
