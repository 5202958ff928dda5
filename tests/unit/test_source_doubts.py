"""What `tiers source check` asks about rows that are allowed, and yet are often a mistake."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from customer_tiers import contract, settings
from customer_tiers.sources import check

TERMS = contract.load()
CUSTOMERS = [{"customer_id": "C1", "name": "Acme", "currency": "EUR"},
             {"customer_id": "C2", "name": "Beta Inc", "currency": "USD"}]  # fmt: skip
PRODUCTS = [{"product_id": "P1", "name": "Valve", "standard_cost": "4"}]
RATES = [{"currency": "USD", "valid_from": f"2026-0{n}-01", "rate": "0.9"} for n in range(1, 7)]


def line(number: int, **fields: object) -> dict[str, object]:
    """One line of its own invoice: ten valves for 100 EUR, another day each."""
    return {
        "invoice_id": f"I{number}",
        "line_no": 1,
        "customer_id": "C1",
        "product_id": "P1",
        "invoice_date": f"2026-0{1 + number // 28}-{1 + number % 28:02}",
        "document_type": "invoice",
        "line_kind": "",
        "original_invoice_id": "",
        "quantity": 10,
        "net_amount": 100,
        "currency": "",
        "posted": "true",
    } | fields


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    (tmp_path / "sources" / "shop" / "erp").mkdir(parents=True)
    monkeypatch.setattr(settings, "SOURCES", tmp_path / "sources")
    (tmp_path / "data").mkdir()
    return tmp_path


def hints(shop: Path, lines: list[dict], rates: list[dict] = RATES) -> list[str]:
    """Check a company of these lines and rates; anything but a hint is a mistake of the test."""
    folder = shop / "sources" / "shop"
    (folder / "source.yml").write_text(
        f"name: shop\nbase_currency: EUR\nsystems:\n  erp: {{kind: files, path: {shop / 'data'}}}\n"
    )
    tables = {
        "customers": CUSTOMERS,
        "products": PRODUCTS,
        "invoice_lines": lines,
        "fx_rates": rates,
    }
    for table, found in tables.items():
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        (shop / "data" / f"{table}.csv").write_text(stream.getvalue())
        (folder / "erp" / f"{table}.sql").write_text(f"select * from {table}")
    report = check.check("shop", TERMS, None)
    return [each for each in report.hints if "empty in every row" not in each]


SOLD = [line(n) for n in range(40)]


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (
            [line(50, customer_id="C2")],
            ["column currency: 1 lines", "another currency", "of I50"],
        ),
        (
            [line(n, quantity=1) for n in range(50, 60)],
            ["one unit of 1 products costs eight times as much", "of P1"],
        ),
        (
            [line(n, invoice_id=f"POS-{n}") for n in range(5)],
            ["5 documents are like another one", "I0 and POS-0"],
        ),
    ],
)
def test_lines_that_are_often_a_mistake_are_asked_about(shop, added, words):
    [hint] = hints(shop, SOLD + added)
    for word in words:
        assert word in hint, hint


@pytest.mark.parametrize(
    "added",
    [
        [line(50, customer_id="C2", currency="USD")],
        [line(n, quantity=7) for n in range(50, 60)],
        [line(n, invoice_id=f"POS-{n}") for n in range(4)],
        [line(n, invoice_id=f"POS-{n}", posted="false") for n in range(5)],
    ],
)
def test_lines_that_are_meant_so_are_not_asked_about(shop, added):
    assert hints(shop, SOLD + added) == []


def test_a_draft_without_a_day_is_said_to_be_one(shop):
    found = hints(shop, [*SOLD, line(50, invoice_date="", posted="false")])
    assert any(
        "1 lines without a day are not posted" in each and "of I50" in each for each in found
    )


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ({"currency": "USD", "valid_from": "2026-07-01", "rate": "1.4"}, "USD 2026-07-01"),
        ({"currency": "USD", "valid_from": "2026-03-15", "rate": "0.009"}, "2 rates differ"),
        ({"currency": "EUR", "valid_from": "2026-01-01", "rate": "1.1"}, "base currency are not 1"),
    ],
)
def test_rates_of_another_kind_are_asked_about(shop, rate, words):
    [hint] = hints(shop, SOLD, [*RATES, rate])
    assert words in hint


def test_a_rate_of_one_for_the_base_currency_is_right(shop):
    assert hints(shop, SOLD, [*RATES, RATES[0] | {"currency": "EUR", "rate": "1"}]) == []
