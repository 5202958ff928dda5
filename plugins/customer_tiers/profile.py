"""What `tiers status --last` shows of a company's newest run: where its time went, the checks that
were not met, and the months to hold against the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from customer_tiers import books
from customer_tiers.errors import UserError
from customer_tiers.quality import results
from customer_tiers.shell import warehouse

PARTS_SHOWN, NODES_SHOWN = 5, 8
"""The slowest parts of a step, and dbt nodes of a run, that are shown."""

SMALL = 0.01
"""Share of the night below which a part is not shown."""

RUN = """
    select run_id, business_date, state, started_at from ops.run
    where run_id in (select run_id from ops.step_run)
    order by started_at desc limit 1
"""

STEPS = """
    select
        step, part, sum(seconds)::float as seconds, max(peak_mb)::float as peak_mb,
        (
            select sum(rows_read) from ops.load_ledger as ledger
            where ledger.run_id = %(run)s and ledger.entity = step_run.part
        ) as rows_read
    from ops.step_run
    where run_id = %(run)s
    group by step, part
    order by min(started_at)
"""

SPAN = """
    with spans as (
        select
            range_agg(tstzrange(
                begun.started_at, begun.started_at + begun.seconds * interval '1 second'
            )) as busy,
            run.started_at as triggered_at
        from ops.step_run as begun
        inner join ops.run as run on run.run_id = begun.run_id
        where run.run_id = %(run)s and begun.part = ''
            and begun.started_at <= coalesce(run.finished_at, 'infinity')
        group by run.started_at
    )

    select
        extract(epoch from upper(busy) - triggered_at)::float,
        (select sum(extract(epoch from upper(b) - lower(b)))::float from unnest(busy) as b)
    from spans
"""
"""Seconds from the trigger to the end of the step that published or refused, and those in steps."""

NODES = """
    select split_part(node, '.', 3), kind, seconds::float, rows_affected
    from ops.dbt_node_run where run_id = %(run)s
    order by seconds desc limit %(shown)s
"""


PUBLISHED = """
    select base_currency from bi.publication
    where run_id = %(run)s and status = 'published' and business_date
        = (select max(business_date) from bi.publication where status = 'published')
"""


class Measured(NamedTuple):
    """A step (empty part) or a part of one: seconds, MB, rows read from the source."""

    step: str
    part: str
    seconds: float
    peak_mb: float | None
    rows: int | None


def measured(connection: psycopg.Connection, run_id: str) -> list[Measured]:
    """What a run measured, in the order in which it began."""
    rows = connection.execute(STEPS, {"run": run_id}).fetchall()
    begun = [row[0] for row in rows if not row[1]]
    found = [Measured(*row) for row in rows]
    return sorted(found, key=lambda one: (begun.index(one.step), bool(one.part)))


def span(connection: psycopg.Connection, run_id: str) -> tuple[float, float]:
    """Seconds from the trigger of a run to its publication, and those of them spent in steps."""
    [(whole, busy)] = connection.execute(SPAN, {"run": run_id}).fetchall()
    return whole, busy


def print_last(source: str, say: Callable[[str], None]) -> None:
    """Print the newest run of a company."""
    with warehouse(source) as connection:
        newest = connection.execute(RUN).fetchone()
        if newest is None:
            raise UserError(f"source {source}: no night was measured yet; use `tiers run`")
        run_id, day, state, started_at = newest
        whole, busy = span(connection, run_id)
        say(f"{source}, business date {day}: {state}, triggered {started_at:%Y-%m-%d %H:%M:%S} UTC")
        table = _table("step", "s", "share", "peak MB", "rows read")
        for one in _shown(measured(connection, run_id), whole):
            table.add_row(
                f"  {one.part}" if one.part else one.step,
                *(f"{one.seconds:.1f}", f"{one.seconds / whole:.0%}"),
                "" if one.peak_mb is None else f"{one.peak_mb:.0f}",
                "" if one.rows is None else f"{one.rows:,}",
            )
        idle = whole - busy
        table.add_row("Airflow, between the steps", f"{idle:.1f}", f"{idle / whole:.0%}", "", "")
        table.add_row("trigger to published", f"{whole:.1f}", "100%", "", "")
        nodes = _table("slowest dbt nodes", "s", "share", "rows written")
        for name, kind, seconds, rows in connection.execute(
            NODES, {"run": run_id, "shown": NODES_SHOWN}
        ):
            written = "" if rows is None or rows < 0 else f"{rows:,}"
            nodes.add_row(f"  {kind} {name}", f"{seconds:.1f}", f"{seconds / whole:.0%}", written)
        for shown in (table, nodes):
            Console(highlight=False).print(shown)
        for check in results.not_met(connection, run_id):
            say(f"check not met: {check}")
        _print_books(connection, run_id, say)


def _print_books(connection: psycopg.Connection, run_id: str, say: Callable[[str], None]) -> None:
    """Print the months to hold against the books, if the run published the newest night."""
    row = connection.execute(PUBLISHED, {"run": run_id}).fetchone()
    if row:
        books.print_months(connection, row[0], say)


def _shown(found: list[Measured], whole: float) -> list[Measured]:
    """Each step with its slowest parts below it; a part's own parts are shown beside it."""
    chosen = []
    for step in (one for one in found if not one.part):
        parts = [one for one in found if one.part and one.step == step.step]
        slow = sorted((one for one in parts if one.seconds >= SMALL * whole), key=_slowness)
        chosen += [step, *slow[:PARTS_SHOWN]]
    return chosen


def _slowness(one: Measured) -> float:
    return -one.seconds


def _table(*titles: Any) -> Table:
    table = Table(box=None, header_style="bold")
    for place, title in enumerate(titles):
        table.add_column(title, justify="right" if place else "left")
    return table
