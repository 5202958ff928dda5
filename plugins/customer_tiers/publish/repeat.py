"""A night that has nothing new repeats the publication before it; nothing is computed again.

A night is a function of what its fingerprint holds: our code and seeds, the business date, the rows
in raw and in quarantine, and what people decided. Dates are parameters, so time changes nothing.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import psycopg

from customer_tiers import settings
from customer_tiers.errors import UserError
from customer_tiers.publish.publication import COLUMNS, LOCK, Night, write_row

READ = (settings.DBT_PROJECT, settings.EXPECTATIONS, Path(__file__).parents[1])
"""Folders whose files say what a night does."""

KINDS = {".sql", ".yml", ".csv", ".py"}

WHAT_IS_THERE = (
    # the load that last wrote each entity; one that is dropped as old makes a night of its own
    "select entity || ' ' || coalesce(max(load_id) filter "
    "(where rows_inserted + rows_updated + rows_deleted > 0)::text, '') "
    "from ops.load_ledger group by entity",
    "select entity from ops.load_ledger where run_id = %(run_id)s and not is_delivered",
    "select (entity, row_key, rule, row_data)::text from quarantine.rows "
    "where resolved_run is null",
    "select one::text from ops.identity_decision as one",
    "select one::text from ops.tier_override as one",
)
"""Queries of one text per row: what the warehouse holds that a night reads and did not write."""

LAST = """
    select last.run_id
    from (
        select run_id, status, is_stale, business_date
        from bi.publication where run_id <> %(run_id)s order by published_at desc limit 1
    ) as last
    inner join ops.run using (run_id)
    where last.status = 'published' and not last.is_stale
        and last.business_date = %(business_date)s
        and run.state = 'published' and run.fingerprint = %(fingerprint)s
"""

FIGURES = (
    f"select %(run_id)s, {COLUMNS.partition(', ')[2]} "  # noqa: S608
    "from bi.publication where run_id = %(repeats)s"
).replace(" is_stale,", " false,")
"""The row of the publication that is repeated, under the name of the run that repeats it."""

NEWEST = """
    select run_id from bi.publication where status = 'published' and run_id <> %s
    order by published_at desc limit 1
"""


def settle(connection: psycopg.Connection, night: Night) -> str | None:
    """Note a night's fingerprint in `ops.run`; return the run whose publication it repeats."""
    fingerprint = _fingerprint(connection, night)
    asked = {
        "run_id": night.run_id,
        "business_date": night.business_date,
        "fingerprint": fingerprint,
    }
    row = connection.execute(LAST, asked).fetchone()
    repeats = str(row[0]) if row else None
    connection.execute(
        "update ops.run set fingerprint = %s, repeats = %s where run_id = %s",
        [fingerprint, repeats, night.run_id],
    )
    return repeats


def repeated(connection: psycopg.Connection, run_id: str) -> str | None:
    """The run whose publication this one repeats, as `settle` has found; None = there is none."""
    row = connection.execute("select repeats from ops.run where run_id = %s", [run_id]).fetchone()
    return row[0] if row else None


def publish(connection: psycopg.Connection, night: Night, repeats: str) -> str:
    """Say of a run that what is published is its night, too; return a line about it.

    Raises:
        UserError: Another night was published since it was settled.
    """
    with connection.transaction():
        connection.execute(LOCK)
        if connection.execute(NEWEST, [night.run_id]).fetchone() != (repeats,):
            raise UserError(
                f"source {night.source}, business date {night.business_date}: another night was "
                "published since this run was settled; clear its task settle and those after it, "
                "or run the night again"
            )
        write_row(connection, night, FIGURES, is_newest=True, repeats=repeats)
        connection.execute(
            "update ops.run set state = 'published', finished_at = clock_timestamp(), "
            "message = null where run_id = %s",
            [night.run_id],
        )
    return f"published {night.business_date}: nothing new since run {repeats}, 0 rows written"


def _fingerprint(connection: psycopg.Connection, night: Night) -> str:
    found = hashlib.sha256(_code().encode())
    said = (
        *(night.business_date, night.base_currency, night.policy, night.rounding),
        night.is_quiet,
    )
    found.update(repr(said).encode())
    for query in WHAT_IS_THERE:
        rows = connection.execute(query, {"run_id": night.run_id}).fetchall()
        found.update(repr(sorted(row[0] for row in rows)).encode())
    return found.hexdigest()


@cache
def _code() -> str:
    """A hash of all files that say what a night does, as this process has found them first."""
    found = hashlib.sha256()
    for folder in READ:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in KINDS):
            found.update(str(path.relative_to(folder)).encode())
            found.update(path.read_bytes())
    return found.hexdigest()
