"""Dates and numbers that mean none are empty in raw, whatever kind of source writes them, and are
told by the check and the night; where a value is required its row waits under its key.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from customer_tiers import contract, settings
from customer_tiers.sources import check
from helpers import small_company
from helpers.small_company import Night

TERMS = contract.load()
NEVER = ("infinity", "-infinity", "9999-12-31", "1753-01-01", "0001-01-01", "1900-01-01")
NO_NUMBER = ("NaN", "Infinity", "-Infinity")

WAITING = "select distinct row_key from quarantine.rows where resolved_run is null order by 1"

EXTRA = {
    "receivables": "invoice_id text, customer_id text, issued date, due_date date, "
    "amount numeric, paid_amount numeric, paid_date date, updated_at timestamp",
    "orders": "order_id text, customer_id text, order_date date, requested_date date, "
    "shipped_date date",
    "product_costs": "product_id text, valid_from date, valid_to date, unit_cost numeric",
}


def receivables() -> list[dict[str, object]]:
    """One paid invoice for each customer."""
    return [
        {
            "invoice_id": f"R{n}",
            "customer_id": customer,
            "issued": date(2026, 1, 15),
            "due_date": date(2026, 2, 15),
            "amount": Decimal(100),
            "paid_amount": Decimal(100),
            "paid_date": date(2026, 2, 10),
            "updated_at": "2026-02-10 12:00:00",
        }
        for n, (customer, _) in enumerate(small_company.CUSTOMERS)
    ]


class Shop:
    """A company with receivables, orders and costs, as a database or as files."""

    def __init__(self, kind: str, folder: Path, url: str) -> None:
        self.kind, self.folder, self.url = kind, folder, url
        self.tables: dict[str, list[dict[str, object]]] = {
            "receivables": receivables(),
            "orders": [
                {
                    "order_id": f"O{n}",
                    "customer_id": "C01",
                    "order_date": date(2026, 1, n),
                    "requested_date": date(2026, 2, n),
                    "shipped_date": date(2026, 2, n),
                }
                for n in range(1, 21)
            ],
            "product_costs": [
                {
                    "product_id": "P1",
                    "valid_from": date(2020 + n, 1, 1),
                    "valid_to": date(2020 + n, 12, 31),
                    "unit_cost": Decimal(4),
                }
                for n in range(6)
            ],
        }

    def write(self) -> None:
        """Deliver the rows."""
        for table, rows in self.tables.items():
            if self.kind == "files":
                small_company.write_csv(self.folder / f"{table}.csv", rows)
                continue
            names = ", ".join(rows[0])
            places = ", ".join(f"%({name})s" for name in rows[0])
            with psycopg.connect(self.url) as connection:
                connection.execute(f"drop table if exists {table}")
                connection.execute(f"create table {table} ({EXTRA[table]})")
                statement = f"insert into {table} ({names}) values ({places})"
                connection.cursor().executemany(statement, rows)


@pytest.fixture(params=["database", "files"])
def shop(request, cluster, monkeypatch, tmp_path) -> Iterator[tuple[Night, Shop]]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    url = cluster.ensure_database("none_erp")
    monkeypatch.setenv("AIRFLOW_CONN_ERP", url)
    system = {"kind": "sql", "connection": "erp"}
    small_company.fill_database(url)
    if request.param == "files":
        small_company.fill_folder(tmp_path / "in")
        system = {"kind": "files", "path": str(tmp_path / "in")}
    small_company.describe(tmp_path, "none", system)
    for table in EXTRA:
        (tmp_path / "none" / "erp" / f"{table}.sql").write_text(f"select * from {table}\n")
    night = Night("none")
    yield night, Shop(request.param, tmp_path / "in", url)
    cluster.drop_database("none_erp")
    cluster.drop_database("warehouse_none")


def test_a_column_that_may_be_empty_is_and_the_check_and_the_night_say_so(shop):
    night, company = shop
    for n, value in enumerate(NEVER):
        company.tables["receivables"][n]["paid_date"] = value
        company.tables["orders"][n]["shipped_date"] = value
        company.tables["orders"][n]["requested_date"] = value
    for n, value in enumerate(NO_NUMBER):
        company.tables["receivables"][n]["paid_amount"] = value
    company.tables["product_costs"][-1]["valid_to"] = "2099-12-31"
    company.write()
    report = check.check("none", TERMS, None)
    assert not report.faults
    told = " ".join(report.hints)
    for name in ("paid_date: 6 of 20", "shipped_date: 6 of 20", "paid_amount: 3 of 20"):
        assert name in told
    assert "valid_to: 1 of 6 values mean none and are read as empty, for example '2099-12" in told
    lines = " ".join(night.load())
    assert "column paid_date: 6 values mean none and are read as empty" in lines
    assert "warning: source none, entity erp.receivables, column paid_amount: 3 values" in lines
    assert night.query(
        "select count(*) filter (where paid_date is null), "
        "count(*) filter (where paid_amount is null), count(*) from raw.erp_receivables"
    ) == [(6, 3, 20)]
    assert night.query(
        "select count(*) filter (where shipped_date is null and requested_date is null), count(*) "
        "from raw.erp_orders"
    ) == [(6, 20)]
    assert not any("differed" in line for line in night.load())


def test_where_a_day_is_required_the_row_waits_under_its_key(shop):
    night, company = shop
    company.write()
    night.load()
    owed, orders = company.tables["receivables"], company.tables["orders"]
    good = [dict(owed[2]), dict(owed[3]), dict(orders[4]), dict(orders[5])]
    owed[2] |= {"issued": "infinity", "updated_at": "2026-02-20 12:00:00"}
    owed[3] |= {"due_date": "-infinity", "updated_at": "2026-02-20 12:00:00"}
    orders[4]["order_date"] = "9999-12-31"
    orders[5]["order_date"] = "1753-01-01"
    company.write()
    night.load()
    assert night.query(WAITING) == [("O5",), ("O6",), ("R2",), ("R3",)]
    lines = night.load()
    assert not any("differed" in line for line in lines), "nothing to read again for it"
    owed[2:4], orders[4:6] = good[:2], good[2:]
    company.write()
    night.load()
    assert not night.query(WAITING)


@pytest.mark.parametrize("shop", ["database"], indirect=True)
@pytest.mark.parametrize("value", ["NaN", "-Infinity"])
def test_where_a_number_is_required_the_row_waits_under_its_key(shop, value):
    night, company = shop
    company.tables["receivables"][3]["amount"] = value
    company.tables["product_costs"][3]["unit_cost"] = value
    company.write()
    with psycopg.connect(company.url) as connection:
        statement = "update invoice_lines set {} = %s where invoice_id = %s"
        connection.execute(statement.format("net_amount"), [value, "I010"])
        connection.execute(statement.format("quantity"), [value, "I020"])
    night.load()
    keys = night.query("select entity, row_key from quarantine.rows order by 1, 2")
    assert keys == [
        ("erp.invoice_lines", "I010|1"),
        ("erp.invoice_lines", "I020|1"),
        ("erp.product_costs", "P1|2023-01-01"),
        ("erp.receivables", "R3"),
    ]
    assert not any("differed" in line for line in night.load())


@pytest.mark.parametrize("value", ["infinity", "1753-01-01 00:00:00"])
def test_a_change_time_that_means_none_hides_no_change(shop, value):
    """A row of such a time is read each night, as one without a time."""
    night, company = shop
    row = company.tables["receivables"][5]
    row["updated_at"] = value
    company.write()
    night.load()
    row["paid_amount"] = Decimal(60)
    company.write()
    night.load()
    assert night.query("select paid_amount from raw.erp_receivables where invoice_id = 'R5'") == [
        (Decimal(60),)
    ]


def test_a_night_with_days_without_end_is_published(shop):
    night, company = shop
    company.tables["product_costs"][-1]["valid_to"] = "infinity"
    for n in range(4):
        company.tables["receivables"][n]["paid_date"] = ("infinity", "1753-01-01")[n % 2]
    company.write()
    night.play()
    assert night.query("select count(*) from bi.customer_tier") == [(20,)]


@pytest.mark.parametrize("shop", ["files"], indirect=True)
def test_the_zero_day_of_mysql_means_none_in_a_file(shop):
    night, company = shop
    company.tables["receivables"][2]["paid_date"] = "0000-00-00"
    company.tables["receivables"][3]["due_date"] = "0000-00-00"
    company.write()
    night.load()
    assert night.query(
        "select invoice_id from raw.erp_receivables where paid_date is null order by 1"
    ) == [("R2",)]
    assert night.query(WAITING) == [("R3",)]
