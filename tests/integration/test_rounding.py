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
UNIT = {"EUR": Decimal("0.01"), "KWD": Decimal("0.001"), "JPY": Decimal(1)}


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
    system = {"kind": "sql", "connection": "erp"}
    company = Night("rounding")

    def played(base: str, lines: list[dict], rounding: str | None, ledger: Decimal | None) -> Night:
        described = {} if rounding is None else {"rounding": rounding}
        if not (tmp_path / "rounding").exists():
            small_company.describe(tmp_path, "rounding", system, **described)
        source = tmp_path / "rounding" / "source.yml"
        said = [f"name: rounding\nbase_currency: {base}"]
        said += [f"rounding: {rounding}"] if rounding else []
        source.write_text("\n".join([*said, "systems: {erp: {kind: sql, connection: erp}}", ""]))
        with psycopg.connect(url) as connection:
            connection.execute("delete from invoice_lines")
            connection.execute("alter table invoice_lines add column if not exists currency text")
            names = ", ".join(lines[0])
            places = ", ".join(f"%({name})s" for name in lines[0])
            connection.cursor().executemany(
                f"insert into invoice_lines ({names}) values ({places})", lines
            )
        folder = tmp_path / "rounding" / "erp"
        (folder / "fx_rates.sql").write_text(
            f"select 'USD' as currency, date '2025-01-01' as valid_from, {RATE} as rate"
        )
        if ledger is not None:
            (folder / "gl_controls.sql").write_text(
                f"select date '2025-11-01' as period, 'revenue' as account_kind, {ledger} as amount"
            )
        company.play()
        return company

    yield played
    for name in ("rounding_erp", "warehouse_rounding"):
        cluster.drop_database(name)


def revenue(company: Night) -> dict[str, Decimal]:
    found = company.query(
        "select customer_id, sum(net_revenue) from bi.customer_contribution group by 1"
    )
    return dict(found)


@pytest.mark.parametrize(
    ("base", "amount", "currency"),
    [
        ("KWD", "2.234", "KWD"),
        ("KWD", "2.2345", "KWD"),
        ("EUR", "17.4949", "EUR"),
        ("EUR", "5000", "USD"),
        ("JPY", "33.4", "JPY"),
    ],
)
def test_customers_have_what_the_books_have_however_these_round(play, base, amount, currency):
    lines = rows(amount, currency)
    for rounding in (None, "document", "line"):
        wanted = expected(lines, base, rounding or "month")
        company = play(base, lines, rounding, None)
        found = revenue(company)
        assert set(found) == set(wanted)
        for customer, value in found.items():
            # each of three lines and six documents is held to a millionth
            assert abs(value - wanted[customer]) <= Decimal("0.00001"), (rounding, customer)
            if rounding == "line":
                assert value == wanted[customer]


def test_receipts_add_up_exactly_and_are_not_rounded(play):
    lines = rows("2.2345", "KWD")
    company = play("KWD", lines, None, None)
    [(decision, months)] = company.query(
        "select (select sum(net_revenue_12m) from bi.tier_decision),"
        "(select sum(net_revenue) from bi.customer_contribution)"
    )
    assert decision == months == sum(line["net_amount"] for line in lines)


@pytest.mark.parametrize("rounding", [None, "document", "line"])
def test_a_ledger_is_compared_as_its_books_round(play, rounding):
    lines = rows("17.4949", "EUR")
    month = [line for line in lines if str(line["invoice_date"])[:7] == "2025-11"]
    ledger = sum(expected(month, "EUR", rounding or "month").values())
    company = play("EUR", lines, rounding, ledger)
    assert company.query(
        "select difference, verdict from bi.ledger_reconciliation "
        "where month_start_date = '2025-11-01' and account_kind = 'revenue'"
    ) == [(Decimal(0), "reconciled")]


def test_a_rounding_that_is_unknown_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    system = {"kind": "sql", "connection": "erp"}
    small_company.describe(tmp_path, "rounding", system, rounding="cents")
    with pytest.raises(UserError, match="`rounding` 'cents' is unknown; use one of month"):
        definition.load("rounding", contract.load())
