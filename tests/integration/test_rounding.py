"""Customers and ledger are reckoned as the books round: by month, by document or by line.

A company whose lines have more decimals than its currency sells to a few customers, also in another
currency. What each way of rounding gives is reckoned with Python's decimals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal

import psycopg
import pytest

from customer_tiers import contract, settings
from customer_tiers.errors import UserError
from customer_tiers.sources import definition
from helpers import small_company
from helpers.small_company import Night

Play = Callable[..., Night]
RATE = Decimal("0.909090909")
UNIT = {"EUR": Decimal("0.01"), "KWD": Decimal("0.001")}


def rows(amount: str, currency: str) -> list[dict[str, object]]:
    """Three lines on each document, all of one amount."""
    return [
        {**row, "line_no": number, "net_amount": Decimal(amount), "currency": currency}
        for row in small_company.lines()
        for number in (1, 2, 3)
    ]


def rounded(amount: Decimal, unit: Decimal) -> Decimal:
    return amount.quantize(unit, ROUND_HALF_UP)


def expected(lines: list[dict], base: str, rounding: str) -> dict[str, Decimal]:
    """Net revenue per customer, to a millionth."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    documents: dict[tuple, Decimal] = defaultdict(Decimal)
    for line in lines:
        amount = line["net_amount"] * (1 if line["currency"] == base else RATE)
        if rounding == "line":
            amount = rounded(amount, UNIT[base])
        documents[line["customer_id"], line["invoice_id"]] += amount
    for (customer, _), amount in documents.items():
        sums[customer] += rounded(amount, UNIT[base]) if rounding == "document" else amount
    return dict(sums)


@pytest.fixture
def play(cluster, monkeypatch, tmp_path) -> Iterator[Play]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    url = cluster.ensure_database("rounding_erp")
    monkeypatch.setenv("AIRFLOW_CONN_ERP", url)
    small_company.fill_database(url)
    small_company.describe(tmp_path, "rounding", {"kind": "sql", "connection": "erp"})
    company = Night("rounding")
    with psycopg.connect(url) as connection:
        connection.execute("alter table invoice_lines add column currency text")

    def played(base: str, lines: list[dict], rounding: str, ledger: Decimal) -> Night:
        described = f"name: rounding\nbase_currency: {base}\nrounding: {rounding}\n"
        if rounding == "month":
            described = described.replace("rounding: month\n", "")
        folder = tmp_path / "rounding"
        (folder / "source.yml").write_text(
            described + "systems: {erp: {kind: sql, connection: erp}}\n"
        )
        with psycopg.connect(url) as connection:
            connection.execute("delete from invoice_lines")
            names = ", ".join(lines[0])
            places = ", ".join(f"%({name})s" for name in lines[0])
            connection.cursor().executemany(
                f"insert into invoice_lines ({names}) values ({places})", lines
            )
        (folder / "erp" / "fx_rates.sql").write_text(
            f"select 'USD' as currency, date '2025-01-01' as valid_from, {RATE} as rate"
        )
        (folder / "erp" / "gl_controls.sql").write_text(
            f"select date '2025-11-01' as period, 'revenue' as account_kind, {ledger} as amount"
        )
        company.play()
        return company

    yield played
    for name in ("rounding_erp", "warehouse_rounding"):
        cluster.drop_database(name)


@pytest.mark.parametrize(
    ("base", "amount", "currency"), [("KWD", "2.2345", "KWD"), ("EUR", "5000", "USD")]
)
def test_customers_and_ledger_are_what_the_books_have_however_these_round(
    play, base, amount, currency
):
    lines = rows(amount, currency)
    november = [line for line in lines if str(line["invoice_date"])[:7] == "2025-11"]
    for rounding in ("month", "document", "line"):
        wanted = expected(lines, base, rounding)
        ledger = sum(expected(november, base, rounding).values()).quantize(UNIT[base])
        company = play(base, lines, rounding, ledger)
        found = dict(
            company.query(
                "select customer_id, sum(net_revenue) from bi.customer_contribution group by 1"
            )
        )
        assert set(found) == set(wanted)
        for customer, value in found.items():
            # each line, and the rest of each document, is held to a millionth
            assert abs(value - wanted[customer]) <= Decimal("0.00001"), (rounding, customer)
        [(difference, verdict)] = company.query(
            "select difference, verdict from bi.ledger_reconciliation "
            "where month_start_date = '2025-11-01' and account_kind = 'revenue'"
        )
        assert (abs(difference) < UNIT[base] / 2, verdict) == (True, "reconciled")
        [(receipts,)] = company.query("select sum(net_revenue_12m) from bi.tier_decision")
        assert receipts == sum(found.values())


def test_a_rounding_that_is_unknown_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    system = {"kind": "sql", "connection": "erp"}
    small_company.describe(tmp_path, "rounding", system, rounding="cents")
    with pytest.raises(UserError, match="`rounding` 'cents' is unknown; use one of month"):
        definition.load("rounding", contract.load())
