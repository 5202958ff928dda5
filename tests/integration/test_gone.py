"""What was delivered and is not any more: a SELECT, all rows of an entity, a field, the newest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from customer_tiers import connections, night, settings
from customer_tiers.errors import UserError
from helpers import small_company
from helpers.small_company import DAY, Night

OWED = [
    {
        "invoice_id": f"I{n:02}5",
        "customer_id": f"C{n:02}",
        "issued": DAY,
        "due_date": DAY,
        "amount": 100,
    }
    for n in range(1, 16)
]


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def company(cluster, monkeypatch, tmp_path, folder) -> Iterator[Night]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    small_company.fill_folder(folder)
    small_company.write_csv(folder / "receivables.csv", OWED)
    small_company.describe(tmp_path, "leaving", {"kind": "files", "path": str(folder)})
    select(tmp_path).write_text("select * from receivables")
    yield Night("leaving", path=str(folder))
    cluster.drop_database("warehouse_leaving")


def select(sources: Path) -> Path:
    return sources / "leaving" / "erp" / "receivables.sql"


def test_an_entity_without_its_select_stops_the_source_or_is_taken_out(company, tmp_path):
    company.load()
    select(tmp_path).unlink()
    with pytest.raises(UserError, match=r"erp\.receivables: it was delivered until now and has no"):
        company.load()
    assert len(company.raw("erp_receivables")) == len(OWED)
    said = company.load(accept_deletions=True)
    assert "erp.receivables: not delivered by source leaving, 15 deleted" in said
    assert company.raw("erp_receivables") == []
    assert "erp.receivables: not delivered by source leaving" in company.load()
    select(tmp_path).write_text("select * from receivables")
    assert any("erp.receivables: 15 read, 15 new" in line for line in company.load())


def test_an_entity_may_be_emptied_on_purpose_unless_it_is_required(company, folder):
    company.load()
    (folder / "receivables.csv").write_text(",".join(OWED[0]) + "\n")
    with pytest.raises(UserError, match=r"the extract is empty but had rows before.*--accept-del"):
        company.load()
    company.load(accept_deletions=True)
    assert company.raw("erp_receivables") == []
    company.load()
    (folder / "customers.csv").write_text("customer_id,name\n")
    with pytest.raises(UserError, match=r"erp\.customers: the extract is empty") as caught:
        company.load(accept_deletions=True)
    assert "--accept-deletions" not in str(caught.value)


@pytest.mark.parametrize(("filled", "stops"), [(10, True), (9, False)])
def test_a_column_that_lost_all_its_values_stops_the_source(company, folder, filled, stops):
    """A field that got another name leaves its column behind, empty."""

    def deliver(tax_ids: list[str]) -> None:
        names = dict(small_company.CUSTOMERS)
        rows = [
            {"customer_id": key, "name": name, "tax_id": tax_id}
            for (key, name), tax_id in zip(names.items(), tax_ids, strict=True)
        ]
        small_company.write_csv(folder / "customers.csv", rows)

    kept = len(small_company.CUSTOMERS) - filled
    deliver([f"DE{n:09}" for n in range(filled)] + [""] * kept)
    company.load()
    deliver([""] * len(small_company.CUSTOMERS))
    if stops:
        with pytest.raises(UserError, match="column tax_id: 10 of 10 changed rows had a value"):
            company.load()
        deliver(["", *(f"DE{n:09}" for n in range(1, filled)), *[""] * kept])
        company.load()  # one that is cleared is nothing
        deliver([""] * len(small_company.CUSTOMERS))
    company.load(accept_drift=True)
    left = company.query("select count(tax_id) from raw.erp_customers")
    assert left == [(0,)]


def test_sales_of_published_days_that_are_gone_do_not_turn_the_night_back(company, folder):
    company.play(DAY)
    rows = small_company.lines()
    newest = max(row["invoice_date"] for row in rows)
    small_company.write_lines(folder, [row for row in rows if row["invoice_date"] != newest])
    run = company.run(None)
    company.load_run(run)
    with pytest.raises(UserError, match=f"sales up to {newest} were published, and now"):
        night.settle(run)
    eve = max(row["invoice_date"] for row in rows if row["invoice_date"] != newest)
    asked = company.run(eve)
    company.load_run(asked)
    assert night.settle(asked) == eve.isoformat()
    small_company.write_lines(folder, rows)
    again = company.run(None)
    company.load_run(again)
    assert night.settle(again) == newest.isoformat()
    assert newest < DAY < newest + timedelta(days=31)


def test_amounts_that_are_no_numbers_wait_and_break_nothing(company, cluster, monkeypatch, folder):
    """PostgreSQL's NaN is a number to it: a month of such sums cannot be compared."""
    url = cluster.ensure_database("leaving_erp")
    monkeypatch.setenv("AIRFLOW_CONN_ERP", url)
    small_company.fill_database(url)
    small_company.describe(settings.SOURCES, "odd", {"kind": "sql", "connection": "erp"})
    odd = Night("odd")
    odd.load()
    with psycopg.connect(url) as connection:
        connection.execute(
            "update invoice_lines set net_amount = 'NaN', updated_at = '2026-03-30 00:00+00' "
            "where invoice_id = 'I010'"
        )
    said = odd.load()
    assert any("erp.invoice_lines: " in line and "1 quarantined" in line for line in said), said
    odd.load()
    with psycopg.connect(connections.warehouse("odd")) as warehouse:
        waiting = "select row_key from quarantine.rows where resolved_run is null"
        assert {key for (key,) in warehouse.execute(waiting)} == {"I010|1"}
    for name in ("leaving_erp", "warehouse_odd"):
        cluster.drop_database(name)
