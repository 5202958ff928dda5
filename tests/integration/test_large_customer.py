"""A night follows its change, whatever the share of one customer in all lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from helpers.warehouse import Warehouse

FIRST, DAYS, LINES, PRODUCTS = date(2024, 1, 1), 500, 6000, 12
LARGE = "K000"


@pytest.fixture(scope="module")
def warehouse(cluster: Any) -> Iterator[Warehouse]:
    name = "test_warehouse"  # the same each time, so that dbt parses once
    cluster.drop_database(name)
    yield Warehouse(cluster.ensure_database(name))
    cluster.drop_database(name)


def line(pick: random.Random, number: int, day: date) -> dict[str, Any]:
    """Half of all lines are of one customer; one in twelve takes back what it does not name."""
    is_return = pick.random() < 1 / 12
    return {
        "invoice_id": f"{'C' if is_return else 'I'}{number}",
        "line_no": 1,
        "customer_id": LARGE if pick.random() < 0.5 else f"K{pick.randrange(1, 300):03}",
        "product_id": f"P{pick.randrange(PRODUCTS)}",
        "invoice_date": day,
        "document_type": "credit_note" if is_return else "invoice",
        "quantity": pick.randrange(1, 21),
        "net_amount": Decimal(pick.randrange(100, 9999)) / 100,
    }


def facts(warehouse: Warehouse) -> dict[str, list[tuple]]:
    return {
        name: warehouse.query(f"select t::text from candidate.{name} as t order by 1")
        for name in ("fct_sales_days", "fct_product_days")
    }


def test_a_day_of_one_large_customer_reads_the_returns_of_its_days_alone(
    warehouse: Warehouse,
) -> None:
    pick = random.Random(18)
    lines = [line(pick, n, FIRST + timedelta(days=n * DAYS // LINES)) for n in range(LINES)]
    rest = {
        "erp_customers": [{"customer_id": f"K{n:03}", "name": "n"} for n in range(300)],
        "erp_products": [
            {"product_id": f"P{n}", "name": "p", "standard_cost": 3} for n in range(PRODUCTS)
        ],
    }
    warehouse.load(**rest, erp_invoice_lines=lines)
    warehouse.build("2025-12-30", "tag:facts", full_refresh=True)
    new = [line(pick, LINES + n, FIRST + timedelta(days=DAYS)) for n in range(40)]
    warehouse.load(erp_invoice_lines=lines + new)
    warehouse.build("2025-12-31", "tag:facts")
    [(days, returns, all_returns)] = warehouse.query(
        "select (select days_rebuilt from candidate.int_days_rebuilt), "
        "(select count(*) from candidate.int_credit_notes_dated), "
        "(select count(*) from raw.erp_invoice_lines where document_type = 'credit_note')"
    )
    assert days < 100
    assert returns < all_returns / 10, "the returns of other days stay as they were"
    grown = facts(warehouse)
    warehouse.build("2025-12-31", "tag:facts", full_refresh=True)
    assert grown == facts(warehouse)
