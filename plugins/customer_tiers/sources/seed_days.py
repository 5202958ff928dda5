"""What a check says of data that is older than the policies and rates that would judge it."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from customer_tiers import settings
from customer_tiers.sources.judgement import Report

LINES = "erp.invoice_lines"

SEEDS = ("tier_policies", "cost_rates", "financing_rates", "abc_cuts", "star_cuts")
"""Seeds without which a night cannot be computed, or counts nothing."""


def add(report: Report, sink: duckdb.DuckDBPyConnection) -> None:
    """Add a fault if no line is as young as the first day of a seed, a hint if some are older."""
    if not report.counts.get(LINES):
        return
    [(oldest, newest)] = sink.execute(
        f'select min(invoice_date)::varchar, max(invoice_date)::varchar from "typed {LINES}"'
    ).fetchall()
    if oldest is None:
        return
    later: dict[str, list[str]] = {}
    for seed in SEEDS:
        first = _first_day(settings.DBT_PROJECT / "seeds" / f"{seed}.csv")
        if first is not None and oldest < first:
            later.setdefault(first, []).append(f"{seed}.csv")
    for first, seeds in later.items():
        found = (
            f"{LINES}, column invoice_date: lines from {oldest} to {newest}, but the first rows of "
            f"{', '.join(seeds)} in dbt_project/seeds are valid from {first}"
        )
        advice = f"give its first rows a valid_from of {oldest} or earlier"
        if newest < first and LINES not in report.cut:
            report.faults.append(f"{found}, so nothing holds on the newest day; {advice}")
        else:
            report.hints.append(f"{found}; if days before it are to count, {advice}")


def _first_day(path: Path) -> str | None:
    with path.open(encoding="utf-8", newline="") as stream:
        return min((row["valid_from"] for row in csv.DictReader(stream)), default=None)
