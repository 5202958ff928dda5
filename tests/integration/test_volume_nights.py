"""The circuit breaker on what lies in raw: a day beside the same weekday of the weeks before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from customer_tiers import connections, contract, night, settings
from customer_tiers.errors import UserError
from customer_tiers.load import volume
from helpers import small_company
from helpers.small_company import DAY, Night

USUAL = 60
"""Lines of each Tuesday."""


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def company(cluster, monkeypatch, tmp_path, folder) -> Iterator[Night]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    small_company.fill_folder(folder)
    small_company.describe(tmp_path, "tuesdays", {"kind": "files", "path": str(folder)})
    yield Night("tuesdays", path=str(folder))
    cluster.drop_database("warehouse_tuesdays")


def deliver(folder: Path, today: list[Decimal]) -> None:
    """Write six Tuesdays: five usual ones, and one with these amounts."""
    pattern = small_company.lines()[0]
    rows = [
        {
            **pattern,
            "invoice_id": f"T{week}{n:03}",
            "invoice_date": DAY - timedelta(days=7 * week),
            "net_amount": amount,
        }
        for week in range(6)
        for n, amount in enumerate(today if week == 0 else [Decimal(100)] * USUAL)
    ]
    small_company.write_lines(folder, rows)


def settled(company: Night, **accepted: bool) -> str:
    run = company.run(accept_deletions=True, **accepted)
    company.load_run(run)
    return night.settle(run)


def test_p22_a_day_that_is_out_of_its_band_in_raw_stops_the_night(company, folder, caplog):
    deliver(folder, [Decimal(100)] * 14)
    with pytest.raises(UserError) as caught:
        settled(company)
    line = str(caught.value)
    assert "source tuesdays, entity erp.invoice_lines, column invoice_date" in line
    assert f"{DAY} has 14 rows, where 8 weeks of the same weekday had 60 in the middle" in line
    assert settled(company, accept_drift=True) == DAY.isoformat()
    assert any("warning: source tuesdays" in text and "14 rows" in text for text in caplog.messages)
    assert settled(company) == DAY.isoformat(), "what was accepted once is not asked for again"
    with psycopg.connect(connections.warehouse("tuesdays")) as warehouse:
        warehouse.execute("truncate ops.accepted_day")

    deliver(folder, [Decimal(100)] * 15)
    assert settled(company) == DAY.isoformat(), "a quarter is within"


def test_p22_wrong_units_are_out_of_the_band_and_a_few_large_bills_are_not(company, folder):
    large = USUAL // 10
    deliver(folder, [Decimal(100)] * (USUAL - large) + [Decimal(390_000)] * large)
    assert settled(company) == DAY.isoformat()
    deliver(folder, [Decimal(2_100)] * USUAL)
    with pytest.raises(UserError, match="113,400 in sum but for the largest tenth"):
        settled(company)


def test_p22_half_the_receivables_stop_the_night_and_late_ones_do_not(company, folder):
    (settings.SOURCES / "tuesdays" / "erp" / "receivables.sql").write_text(
        "select * from receivables"
    )
    deliver(folder, [Decimal(100)] * USUAL)

    def owed(today: int) -> None:
        rows = [
            {
                "invoice_id": f"T{week}{n:03}",
                "customer_id": "C01",
                "issued": DAY - timedelta(days=7 * week),
                "due_date": DAY,
                "amount": 100,
            }
            for week in range(6)
            for n in range(today if week == 0 else USUAL)
        ]
        small_company.write_csv(folder / "receivables.csv", rows)

    owed(14)
    with pytest.raises(UserError, match=r"erp\.receivables, column issued: .* has 14 rows"):
        settled(company)
    assert settled(company, accept_drift=True) == DAY.isoformat()
    owed(0)
    assert settled(company) == DAY.isoformat(), "those of today come tomorrow"


def test_p22_a_day_that_changed_is_judged_although_a_later_one_is_there(company, folder):
    """It may have come late and half, or hold a slip of the keys."""
    deliver(folder, [Decimal(100)] * USUAL)
    company.load()
    eve = DAY - timedelta(days=7)
    with psycopg.connect(connections.warehouse("tuesdays")) as warehouse:
        # as a load does once there are facts
        warehouse.execute("insert into ops.dirty_day values ('sales', 'C01', %s)", [eve])
        warehouse.execute(
            "update raw.erp_invoice_lines set net_amount = 1e9 where invoice_id = 'T1000'"
        )
        terms = contract.load()
        day = DAY - timedelta(days=1)
        with pytest.raises(UserError, match=f"{eve} has 1,000,005,900.* in sum, where"):
            volume.check(warehouse, "tuesdays", terms, day, is_accepted=False)
        assert volume.check(warehouse, "tuesdays", terms, DAY, is_accepted=False) == []
