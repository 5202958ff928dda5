"""The facts follow changes: incremental equals a full refresh, whatever changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from customer_tiers.errors import UserError
from customer_tiers.load import dirty
from helpers.warehouse import Warehouse

FACTS = ("tag:facts",)
START = date(2025, 1, 1)
CUSTOMERS = [f"C{n}" for n in range(8)]
PRODUCTS = [f"P{n}" for n in range(6)]
KINDS = (
    *("drop", "move", "reprice", "post", "pass_on", "recount", "exchange", "unlink"),
    *("become_money", "come_back"),
)
CONTENT = (
    "select 'day', customer_id, day::text || posted_day, gross_revenue, discounts, returns, "
    "net_revenue, cogs, freight_cost, order_lines, orders, drops, return_lines, "
    "lines_with_discount, lines_with_freight, lines_without_cost, return_lines_matched, "
    "return_lines_without_sale, units, price_lines from candidate.fct_sales_days "
    "union all select 'product', customer_id, concat(day, posted_day, product_id, currency, "
    "cost_currency), order_lines, quantity, document_gross_revenue, document_discounts, "
    "document_cost_of_sales, document_returns, document_cost_of_returns, document_freight, "
    "0, 0, 0, 0, 0, 0, 0, 0, 0 from candidate.fct_product_days order by 1, 2, 3"
)


@pytest.fixture(scope="module")
def warehouse(cluster: Any) -> Iterator[Warehouse]:
    name = "test_warehouse"  # the same each time, so that dbt parses once
    cluster.drop_database(name)
    yield Warehouse(cluster.ensure_database(name))
    cluster.drop_database(name)


class Company:
    """A company that changes at random, in every way a source can."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.products = {
            p: {"product_id": p, "name": p, "category": f"K{i % 3}", "standard_cost": Decimal(i)}
            for i, p in enumerate(PRODUCTS)
        }
        self.costs: dict[tuple[str, date], dict[str, Any]] = {}
        self.rates = {("USD", START): {"currency": "USD", "valid_from": START, "rate": "0.9"}}
        self.lines: dict[tuple[str, int], dict[str, Any]] = {}
        self.number = 0
        for _ in range(150):
            self.add_line()

    def day(self) -> date:
        return START + timedelta(days=self.random.randrange(60))

    def amount(self) -> Decimal:
        return Decimal(self.random.randrange(1, 100_000)) / 100

    def add_line(self) -> None:
        self.number += 1
        pick = self.random
        is_credit = pick.random() < 0.3
        invoices = [line for line in self.lines.values() if line["document_type"] == "invoice"]
        line = {
            "invoice_id": f"{'C' if is_credit else 'I'}{self.number // (1 if is_credit else 2)}",
            "line_no": self.number,
            "customer_id": pick.choice(CUSTOMERS),
            "product_id": pick.choice(PRODUCTS),
            "invoice_date": self.day(),
            "document_type": "credit_note" if is_credit else "invoice",
            "line_kind": {5: "price", 6: "down_payment", 7: "goods"}.get(self.number % 8),
            "quantity": Decimal(pick.randrange(1, 9)),
            "net_amount": self.amount(),
            "cost_amount": pick.choice([None, self.amount()]),
            "freight_amount": pick.choice([None, self.amount()]),
            "discount_amount": pick.choice([None, self.amount()]),
            "currency": pick.choice([None, "EUR", "USD"]),
            "posted": pick.choice([None, True, True, False]),
        }
        if is_credit and invoices:
            original = pick.choice(invoices)
            line["original_invoice_id"] = pick.choice([original["invoice_id"], "I_later", None])
            if pick.random() < 0.8:
                line["customer_id"] = original["customer_id"]
        self.lines[line["invoice_id"], line["line_no"]] = line

    def change(self) -> None:
        pick = self.random
        for _ in range(pick.randrange(1, 8)):
            self.add_line()
        for key in pick.sample(sorted(self.lines), 6):
            line = self.lines[key]
            kind = pick.choice(KINDS)
            if kind == "drop":
                del self.lines[key]
            elif kind == "move":
                line["invoice_date"] = self.day()
            elif kind == "reprice":
                line["net_amount"] = self.amount()
            elif kind == "recount":  # a return without a link looks for a sale of as many
                line["quantity"] = Decimal(pick.randrange(1, 9))
            elif kind == "exchange":
                line["product_id"] = pick.choice(PRODUCTS)
            elif kind == "unlink":
                line["original_invoice_id"] = None
            elif kind == "post":
                line["posted"] = not line["posted"]
            else:
                self.turn(line, kind)
        self.change_prices()

    def turn(self, line: dict[str, Any], kind: str) -> None:
        """Another customer's; money without goods, or goods again; goods that come back, or not."""
        if kind == "pass_on":
            line["customer_id"] = self.random.choice(CUSTOMERS)
        elif kind == "become_money":
            line["line_kind"] = self.random.choice([None, "goods", "price", "down_payment"])
        elif line["document_type"] == "invoice":
            line["quantity"], line["net_amount"] = -line["quantity"], -line["net_amount"]

    def change_prices(self) -> None:
        pick = self.random
        rate_day = self.day()
        self.rates["USD", rate_day] = {
            "currency": "USD",
            "valid_from": rate_day,
            "rate": str(Decimal(pick.randrange(80, 99)) / 100),
        }
        if len(self.costs) > 3:
            del self.costs[pick.choice(sorted(self.costs))]
        product, day = pick.choice(PRODUCTS), self.day()
        self.costs[product, day] = {
            "product_id": product,
            "valid_from": day,
            "unit_cost": self.amount(),
            "currency": pick.choice([None, "USD"]),
            "valid_to": pick.choice([None, day + timedelta(days=20)]),
        }
        changed = self.products[pick.choice(PRODUCTS)]
        changed["category"] = pick.choice(["K0", "K1", "K9", None])
        self.products[pick.choice(PRODUCTS)]["standard_cost"] = self.amount()

    def load_into(self, warehouse: Warehouse) -> None:
        warehouse.load(
            erp_customers=[{"customer_id": c, "name": c} for c in CUSTOMERS],
            erp_products=self.products.values(),
            erp_product_costs=self.costs.values(),
            erp_fx_rates=self.rates.values(),
            erp_invoice_lines=self.lines.values(),
        )


def test_incremental_equals_a_full_refresh_after_random_changes(warehouse: Warehouse) -> None:
    company = Company(seed=20260331)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    for _ in range(3):
        before = warehouse.query(CONTENT)
        company.change()
        if company.random.random() < 0.5:  # the sale that some credit notes waited for
            company.lines["I_later", 1] = {
                **next(iter(company.lines.values())),
                "invoice_id": "I_later",
                "line_no": 1,
                "document_type": "invoice",
                "posted": True,
            }
        company.load_into(warehouse)
        warehouse.build("2025-03-31", *FACTS)
        incremental = warehouse.query(CONTENT)
        warehouse.build("2025-03-31", *FACTS, full_refresh=True)
        assert incremental != before, "the changes must reach the facts"
        assert incremental == warehouse.query(CONTENT)


def test_old_rate_reaches_the_later_credit_note_of_its_day(warehouse: Warehouse) -> None:
    line = {"customer_id": "C0", "product_id": "P0", "quantity": 1, "net_amount": 100}
    lines = [
        {
            **line,
            "invoice_id": "I",
            "line_no": 1,
            "invoice_date": date(2025, 1, 15),
            "document_type": "invoice",
        },
        {
            **line,
            "invoice_id": "C",
            "line_no": 1,
            "invoice_date": date(2025, 3, 1),
            "document_type": "credit_note",
            "original_invoice_id": "I",
            "currency": "USD",
        },
    ]

    def load(january_rate: str) -> None:
        days = {START: "0.5", date(2025, 1, 11): january_rate, date(2025, 2, 1): "0.9"}
        warehouse.load(
            erp_customers=[{"customer_id": "C0", "name": "C0"}],
            erp_products=[{"product_id": "P0", "name": "P0"}],
            erp_fx_rates=[
                {"currency": "USD", "valid_from": day, "rate": r} for day, r in days.items()
            ],
            erp_invoice_lines=lines,
        )

    load("0.6")
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    load("0.7")
    warehouse.build("2025-03-31", *FACTS)
    assert warehouse.query(
        "select day::text, posted_day::text, returns from candidate.fct_sales_days "
        "where returns > 0"
    ) == [("2025-01-15", "2025-03-01", Decimal("70.00"))]


def test_night_without_changes_writes_no_fact_and_one_change_few(warehouse: Warehouse) -> None:
    company = Company(seed=7)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    written = "select count(distinct xmin::text) from candidate.fct_sales_days"
    logins = "select sessions from pg_stat_database where datname = current_database()"
    [(before,)] = warehouse.query(logins)
    counts = warehouse.build("2025-03-31", *FACTS)
    [(after,)] = warehouse.query(logins)
    assert after - before < sum(counts.values()), "each thread keeps its connection"
    assert warehouse.query(written) == [(1,)], "all rows are still those of the full refresh"

    line = next(x for x in company.lines.values() if x["document_type"] == "invoice")
    line["net_amount"] += 1
    line["posted"] = True
    company.load_into(warehouse)
    marked = warehouse.query("select count(*) from ops.dirty_day")[0][0]
    assert 1 <= marked <= 8
    warehouse.build("2025-03-31", *FACTS)
    [(rewritten,)] = warehouse.query(
        "select count(*) from candidate.fct_sales_days where xmin::text <> "
        "(select xmin::text from candidate.fct_sales_days group by xmin::text "
        "order by count(*) desc limit 1)"
    )
    assert 1 <= rewritten <= marked
    assert warehouse.query("select count(*) from ops.dirty_day") == [(0,)]


def test_failed_fact_leaves_the_days_dirty_and_the_facts_as_they_were(
    warehouse: Warehouse,
) -> None:
    company = Company(seed=8)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    before = warehouse.query(CONTENT)
    company.change()
    company.load_into(warehouse)
    marked = warehouse.query("select count(*) from ops.dirty_day")
    _execute(
        warehouse,
        "alter table candidate.fct_sales_days add constraint no_sales check (orders < 0) not valid",
    )
    with pytest.raises(UserError, match=r"dbt model fct_sales_days: .*no_sales.*see models"):
        warehouse.build("2025-03-31", *FACTS)
    days = [row for row in warehouse.query(CONTENT) if row[0] == "day"]
    assert days == [row for row in before if row[0] == "day"]
    assert warehouse.query("select count(*) from ops.dirty_day") >= marked
    _execute(warehouse, "alter table candidate.fct_sales_days drop constraint no_sales")
    warehouse.build("2025-03-31", *FACTS)
    incremental = warehouse.query(CONTENT)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    assert incremental == warehouse.query(CONTENT)


def test_facts_of_a_build_that_broke_off_before_its_end_are_made_anew(warehouse: Warehouse) -> None:
    """Both are there, and nothing says that they hold the days that were marked."""
    company = Company(seed=10)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    complete = warehouse.query(CONTENT)
    _execute(
        warehouse,
        "drop table candidate.int_days_rebuilt; delete from ops.dirty_day; "
        "delete from candidate.fct_product_days where day > date '2025-02-01'",
    )
    warehouse.build("2025-03-31", *FACTS)
    assert warehouse.query(CONTENT) == complete


def test_p12_first_night_without_a_rate_is_mended_by_delivering_it(warehouse: Warehouse) -> None:
    _forget(warehouse)
    company = Company(seed=9)
    lines = list(company.lines.values())
    lines[0].update(currency="XXX", posted=True, document_type="invoice")
    company.load_into(warehouse)
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            warehouse.build("2025-03-31", *FACTS, is_checked=True)
        line = str(caught.value)
        assert line.startswith(
            "source test, entity erp.fx_rates, column currency: no rate for XXX on 2025-"
        )
        assert "which erp.invoice_lines needs; deliver the rate and run the night again" in line
        assert "\n" not in line

    company.rates["XXX", START] = {"currency": "XXX", "valid_from": START, "rate": "2"}
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, is_checked=True)
    incremental = warehouse.query(CONTENT)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    assert incremental == warehouse.query(CONTENT)


def test_facts_without_the_memory_of_their_prices_are_built_anew(warehouse: Warehouse) -> None:
    """As a first night leaves them whose tests failed before the memory was written."""
    company = Company(seed=10)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    _execute(warehouse, "drop table candidate.int_prices_remembered")
    company.rates["USD", START]["rate"] = "0.5"
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS)
    incremental = warehouse.query(CONTENT)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    assert incremental == warehouse.query(CONTENT)


def test_memory_of_prices_is_as_old_as_the_facts(warehouse: Warehouse) -> None:
    """A price that changes in a failed night and back again leaves no trace."""
    company = Company(seed=11)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    before = warehouse.query(CONTENT)
    line = next(iter(company.lines.values()))
    kept = dict(line)
    company.rates["USD", START]["rate"] = "0.5"
    line.update(currency="XXX", posted=True)
    company.load_into(warehouse)
    with pytest.raises(UserError, match="no rate for XXX"):
        warehouse.build("2025-03-31", *FACTS, is_checked=True)
    company.rates["USD", START]["rate"] = "0.9"
    line.update(kept)
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, is_checked=True)
    assert warehouse.query(CONTENT) == before


def test_unit_cost_without_a_rate_names_its_currency(warehouse: Warehouse) -> None:
    company = Company(seed=12)
    company.costs["P0", START] = {
        **{"product_id": "P0", "valid_from": START, "unit_cost": 1, "currency": "YYY"}
    }
    company.load_into(warehouse)
    with pytest.raises(UserError, match=r"no rate for YYY on 2025-01-01, which erp.product_costs"):
        warehouse.build("2025-03-31", *FACTS, is_checked=True)


def test_another_base_currency_rebuilds_the_facts_until_a_night_is_published(
    warehouse: Warehouse,
) -> None:
    company = Company(seed=13)
    company.rates["EUR", START] = {"currency": "EUR", "valid_from": START, "rate": "1.1"}
    company.load_into(warehouse)
    warehouse.build("2025-03-31", *FACTS, full_refresh=True)
    in_euro = warehouse.query(CONTENT)
    warehouse.build("2025-03-31", *FACTS, base_currency="USD")
    in_dollars = warehouse.query(CONTENT)
    assert in_dollars != in_euro
    warehouse.build("2025-03-31", *FACTS, base_currency="USD", full_refresh=True)
    assert in_dollars == warehouse.query(CONTENT)

    _execute(
        warehouse,
        "insert into bi.publication (run_id, source, status, is_stale, base_currency) "
        "values ('n', 'test', 'published', false, 'USD')",
    )
    with pytest.raises(UserError) as caught:
        warehouse.build("2025-03-31", *FACTS)
    assert "source test: base_currency is now EUR" in str(caught.value)
    assert "put base_currency: USD back into source.yml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert warehouse.query(CONTENT) == in_dollars, "the facts are left alone"
    _execute(warehouse, "delete from bi.publication")


def _forget(warehouse: Warehouse) -> None:
    """Leave the warehouse as it is before its first night."""
    _execute(warehouse, "drop schema candidate cascade; create schema candidate")


def _execute(warehouse: Warehouse, statement: str) -> None:
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def test_who_marks_days_waits_for_who_builds_the_facts(warehouse: Warehouse) -> None:
    company = Company(seed=9)
    company.load_into(warehouse)
    company.change()
    with psycopg.connect(warehouse.url) as builder:
        builder.execute(dirty.LOCK.format("pg_advisory_lock"))
        _execute(warehouse, "alter database test_warehouse set lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            company.load_into(warehouse)
    company.load_into(warehouse)
