"""A check that was not met is told to operators by its name, and says what is true."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from customer_tiers import books, connections, profile, settings, summary
from customer_tiers.outbox import ops
from customer_tiers.quality import results
from helpers import small_company
from helpers.small_company import Night, write_csv

RULE = "cost_amount_is_mostly_there of erp.invoice_lines, column cost_amount"


@pytest.fixture
def kiosk(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Night, Path]]:
    """A company whose lines have no cost of their own; somebody looks after its nights."""
    sources, folder = tmp_path / "sources", tmp_path / "in"
    sources.mkdir()
    (sources / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", sources)
    small_company.fill_folder(folder)
    small_company.describe(sources, "costless", {"kind": "files", "path": str(folder)})
    people = tmp_path / "people.csv"
    row = {"source": "costless", "recipient_id": "data", "role": "ops", "recipient_name": "Data"}
    write_csv(people, [row | {"channel": "mail", "address": "data@example.com", "locale": "en"}])
    monkeypatch.setattr(ops, "RECIPIENTS", people)
    yield Night("costless", path=str(folder)), folder
    cluster.drop_database("warehouse_costless")


def lines_with(folder: Path, **values: object) -> None:
    with (folder / "invoice_lines.csv").open(newline="") as stream:
        rows: list[dict[str, object]] = [dict(row) for row in csv.DictReader(stream)]
    write_csv(folder / "invoice_lines.csv", [row | values for row in rows])


def told(night: Night) -> list[tuple]:
    return night.query(
        "select payload -> 'ops' ->> 'event', payload -> 'ops' ->> 'subject', "
        "payload -> 'ops' -> 'lines' from ops.outbox where kind = 'ops' order by created_at"
    )


def test_a_column_that_never_came_is_not_called_lost(kiosk: tuple[Night, Path]) -> None:
    night, folder = kiosk
    [line] = [line for line in night.load() if "cost_amount" in line]
    assert "column cost_amount: 120 of 120 rows (the source does not deliver the column)" in line
    lines_with(folder, cost_amount="")
    [line] = [line for line in night.load() if "cost_amount" in line]
    assert "120 of 120 rows (empty in every row) against rule cost_amount_is_mostly_there" in line
    assert "lost" not in line


def test_operators_are_told_once_which_checks_were_not_met(
    kiosk: tuple[Night, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    night, folder = kiosk
    run_id = night.play()
    night.query(
        "insert into ops.step_run (run_id, step, part, started_at, seconds) "
        "select run_id, 'load', '', started_at, 1 from ops.run returning 1"
    )
    [(event, subject, lines)] = told(night)
    assert event == "checks_not_met"
    assert subject == "customer tiers: data checks not met on 2026-03-31: 1 (source costless)"
    assert lines == [
        f"{RULE}: 120 of 120 rows (the source does not deliver the column); fewer than half of "
        "the lines have a cost of their own; the others take the cost of their product, if it has "
        "one"
    ]
    write_csv(
        folder / "products.csv",
        [{"product_id": product, "name": name} for product, name, _ in small_company.PRODUCTS],
    )
    again = night.run()
    with psycopg.connect(connections.warehouse("costless")) as connection:
        connection.execute(
            "insert into ops.expectation_result "
            "(run_id, suite, expectation, severity, is_met, reason, observed) "
            "select %s, suite, expectation, severity, is_met, reason, observed "
            "from ops.expectation_result where run_id = %s "
            "union all select %s, 'erp.invoice_lines', 'line_has_a_cost', 'warning', false, "
            "'no cost', '120 of 120 rows'",
            [again.run_id, run_id, again.run_id],
        )
        assert len(results.not_met(connection, again.run_id)) == 2
        assert ops.tell_checks(connection, run_id, small_company.DAY) == 0, "told before"
        assert ops.tell_checks(connection, again.run_id, small_company.DAY) == 1
    _, (_, _, lines) = told(night)
    assert lines == ["line_has_a_cost of erp.invoice_lines: 120 of 120 rows; no cost"]
    for show in (summary.print_night, profile.print_last):
        show("costless", print)
        assert f"check not met: {RULE}" in capsys.readouterr().out


def test_a_night_prints_what_can_be_held_against_the_books(
    kiosk: tuple[Night, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    night, _ = kiosk
    night.play()
    revenue = sum(100 * n for n in range(1, 21))
    cost = sum(10 * n * (4 if n % 2 else Decimal("7.50")) for n in range(1, 21))
    with psycopg.connect(connections.warehouse("costless")) as connection:
        found = books.months(connection)
    assert [(month.revenue, month.cogs, month.customers) for month in found] == [
        (revenue, cost, 20)
    ] * 6
    summary.print_night("costless", print)
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "to hold against the books, EUR, as posted in each month:" in printed
    assert "month revenue cost of goods customers" in printed
    assert f"2026-02 {revenue:,.2f} {cost:,.2f} 20" in printed
    assert f"2026-03, still open {revenue:,.2f} {cost:,.2f} 20" in printed
    assert f"all months since 2025-10 {6 * revenue:,.2f} {6 * cost:,.2f} 20" in printed
