"""Two different rows of one key are refused by name, whichever night and window brings the second.

A small company is loaded; then numbers begin again. Nothing is lost, and once the source or the
SELECT tells the rows apart the next load has them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from customer_tiers import contract, settings
from customer_tiers.errors import UserError
from customer_tiers.sources import check
from customer_tiers.sources.postgres import PostgresExtract
from helpers import small_company
from helpers.small_company import Night

AGAIN = {
    "invoice_id": "I010",
    "line_no": 1,
    "customer_id": "C01",
    "product_id": "P1",
    "invoice_date": date(2026, 3, 20),
    "document_type": "invoice",
    "quantity": Decimal(90),
    "net_amount": Decimal(900),
    "updated_at": "2026-03-20 18:00+00",
}
"""A new invoice under the number of one of October 2025."""


class Shop:
    """A company whose lines are read by cursor, from a database or from files."""

    def __init__(self, kind: str, folder: Path, url: str) -> None:
        self.kind, self.folder, self.url = kind, folder, url
        self.rows = small_company.lines()
        self.write()

    def write(self) -> None:
        """Deliver the rows."""
        if self.kind == "files":
            small_company.fill_folder(self.folder)
            small_company.write_csv(self.folder / "invoice_lines.csv", self.rows)
            return
        names = ", ".join(self.rows[0])
        places = ", ".join(f"%({name})s" for name in self.rows[0])
        with psycopg.connect(self.url) as connection:
            connection.execute("delete from invoice_lines")
            statement = f"insert into invoice_lines ({names}) values ({places})"
            connection.cursor().executemany(statement, self.rows)


@pytest.fixture(params=["database", "files"])
def shop(request, cluster, monkeypatch, tmp_path) -> Iterator[tuple[Night, Shop]]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    url = cluster.ensure_database("numbers_erp")
    monkeypatch.setenv("AIRFLOW_CONN_ERP", url)
    small_company.fill_database(url)
    system = {"kind": "sql", "connection": "erp"}
    if request.param == "files":
        system = {"kind": "files", "path": str(tmp_path / "in")}
    small_company.describe(tmp_path, "numbers", system)
    company = Shop(request.param, tmp_path / "in", url)
    night = Night("numbers")
    yield night, company
    cluster.drop_database("numbers_erp")
    cluster.drop_database("warehouse_numbers")


def refused(night: Night, *words: str) -> None:
    before = night.raw("erp_invoice_lines")
    for _ in range(2):  # it is no better the night after
        with pytest.raises(UserError) as fault:
            night.load()
        assert all(word in str(fault.value) for word in words), str(fault.value)
        assert "\n" not in str(fault.value)
    assert night.raw("erp_invoice_lines") == before


def test_a_number_that_begins_again_is_refused_by_name_until_the_source_tells_them_apart(shop):
    night, company = shop
    night.load()
    company.rows.append(AGAIN)
    company.write()
    refused(night, "erp.invoice_lines", "I010|1", "2025-10-15", "2026-03-20", "net_amount 900")
    company.rows[-1] = AGAIN | {"invoice_id": "2026-I010"}
    company.write()
    night.load()
    assert len(night.raw("erp_invoice_lines")) == len(company.rows)


def test_the_advice_to_put_the_year_into_the_key_works(shop):
    night, company = shop
    night.load()
    company.rows.append(AGAIN)
    company.write()
    refused(night, "sources/numbers/erp/invoice_lines.sql", "--accept-deletions")
    select = "select * from invoice_lines\n"
    year = "extract(year from cast(invoice_date as date)) || '-' || invoice_id as invoice_id"
    names = ", ".join(name for name in AGAIN if name != "invoice_id")
    path = settings.SOURCES / "numbers" / "erp" / "invoice_lines.sql"
    path.write_text(select.replace("*", f"{year}, {names}"))
    night.load(accept_deletions=True)
    total = sum(Decimal(str(row["net_amount"])) for row in company.rows)
    assert night.query("select count(*), sum(net_amount) from raw.erp_invoice_lines") == [
        (len(company.rows), total)
    ]


def test_a_row_whose_date_is_corrected_is_no_second_row(shop):
    night, company = shop
    night.load()
    company.rows[0] |= {
        "invoice_date": date(2026, 3, 1),
        "updated_at": "2026-03-20 18:00+00",
    }
    company.write()
    night.load()
    assert night.query(
        "select invoice_date from raw.erp_invoice_lines where invoice_id = 'I010'"
    ) == [(date(2026, 3, 1),)]


def test_the_comparison_by_month_does_not_undo_what_was_read(shop):
    """A second row that no cursor sees, as it is stamped with a time long past."""
    night, company = shop
    night.load()
    company.rows.append(AGAIN | {"updated_at": "2025-01-01 00:00+00"})
    company.write()
    refused(night, "I010|1", "2025-10-15", "2026-03-20")


def test_two_rows_of_one_key_in_one_extract_are_refused(shop):
    night, company = shop
    company.rows.append(AGAIN)
    company.write()
    with pytest.raises(
        UserError, match=r"I010\|1 stands for two different rows: invoice_date 2025"
    ):
        night.load()


def test_the_check_names_the_key_and_both_rows(shop):
    _, company = shop
    company.rows.append(AGAIN)
    company.write()
    [fault] = check.check("numbers", contract.load(), None).faults
    for word in ("I010 | 1", "invoice_date 2025-10-15", "invoice_date 2026-03-20", "year"):
        assert word in fault


def test_equal_rows_of_one_key_are_one_row(shop):
    night, company = shop
    company.rows.append(company.rows[0])
    company.write()
    night.load()
    assert len(night.raw("erp_invoice_lines")) == len(company.rows) - 1


@pytest.mark.parametrize("shop", ["database"], indirect=True)
def test_a_source_that_shows_only_changes_cannot_be_asked_so_a_far_move_is_refused(
    shop, monkeypatch
):
    night, company = shop
    night.load()
    company.rows.append(AGAIN | {"invoice_date": date(2026, 5, 20)})
    company.write()
    monkeypatch.setattr(PostgresExtract, "is_partial", True)
    monkeypatch.setattr(PostgresExtract, "months", lambda _: None)
    with pytest.raises(UserError, match=r"I010\|1 had invoice_date 2025-10-15 until now"):
        night.load()
    night.load(accept_drift=True)
