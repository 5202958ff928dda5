"""Keep the warehouse small and quick: thin old receipts, drop old records, vacuum.

Safe to run at any time and as often as one likes: a night that is being published waits for the
thinning or the other way round, and tables that are in use are vacuumed next time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
from psycopg import sql

from customer_tiers import settings
from customer_tiers.errors import UserError
from customer_tiers.load import tables
from customer_tiers.publish import publication

RECEIPTS = ("tier_decision", "tier_decision_beside")
"""Tables of `bi` that grow by all customers every night. All others that keep nights are small, or
grow with what changed: they are kept for ever."""

THIN = """
    delete from {table}
    where business_date <= (select max(business_date) from {table}) - %s::integer
        and business_date not in (
            select max(business_date) from {table} group by date_trunc('month', business_date)
        )
"""
"""Old receipts but for those of the last night of each month."""

NOTE = """
    update bi.publication set receipts_thinned_at = clock_timestamp()
    where status = 'published' and receipts_thinned_at is null
        and business_date <= (select max(business_date) from bi.tier_decision) - %s::integer
        and business_date not in (select business_date from bi.tier_decision)
"""
"""Say of which nights; one that is published again has receipts again."""

OLD_RECORDS = {
    "ops.dbt_node_run": "finished_at < now() - %(age)s",
    "ops.step_run": "started_at < now() - %(age)s",
    "ops.expectation_result": "checked_at < now() - %(age)s",
    "ops.load_ledger": "loaded_at < now() - %(age)s",
    "quarantine.rows": "resolved_at < now() - %(age)s",
}
"""Table -> rows that nobody asks for any more."""

OWN_TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname in ('raw', 'candidate', 'bi', 'ops', 'quarantine', 'policy')
        and pg_has_role(tableowner, 'usage')
    order by 1, 2
"""


def maintain(connection: psycopg.Connection, source: str) -> Iterator[str]:
    """Do all of it; yield a line for each part. The connection is in autocommit mode.

    Raises:
        UserError: No night was played yet.
    """
    if not tables.is_prepared(connection):
        raise UserError(f"source {source}: no night was played yet; use `tiers run`")
    yield from thin_receipts(connection)
    for table, condition in OLD_RECORDS.items():
        age = {"age": timedelta(days=settings.RECORD_DAYS)}
        statement = f"delete from {table} where {condition}"  # noqa: S608
        dropped = connection.execute(statement, age).rowcount  # type: ignore[call-overload]
        yield f"{table}: {dropped:,} rows older than {settings.RECORD_DAYS} days dropped"
    connection.execute("delete from ops.month_in_raw")
    yield "ops.month_in_raw: forgotten; the next night counts the months of raw again"
    yield vacuum(connection)


def thin_receipts(connection: psycopg.Connection) -> Iterator[str]:
    """Keep receipts of RECEIPT_NIGHTS days for every night, older ones for month ends."""
    with connection.transaction():
        connection.execute(publication.LOCK)
        for name in RECEIPTS:
            if connection.execute("select to_regclass(%s)", [f"bi.{name}"]).fetchone() == (None,):
                continue
            statement = sql.SQL(THIN).format(table=sql.Identifier("bi", name))
            nights = [settings.RECEIPT_NIGHTS]
            thinned = connection.execute(statement, nights).rowcount
            if name == RECEIPTS[0]:
                connection.execute(NOTE, nights)
            yield (
                f"bi.{name}: {thinned:,} receipts thinned; nights of the last "
                f"{settings.RECEIPT_NIGHTS} days and month ends are kept"
            )


def vacuum(connection: psycopg.Connection) -> str:
    """Give dead rows' room back and refresh statistics, table by table."""
    names = connection.execute(OWN_TABLES).fetchall()
    for schema, name in names:
        connection.execute(
            sql.SQL("vacuum (analyze, skip_locked) {}").format(sql.Identifier(schema, name))
        )
    return f"{len(names)} tables vacuumed and analyzed"


def thinned_nights(connection: psycopg.Connection) -> list[date]:
    """Published nights whose receipts are gone, oldest first."""
    rows = connection.execute(
        "select business_date from bi.publication where status = 'published' "
        "group by business_date having bool_and(receipts_thinned_at is not null) order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def check_memory(connection: psycopg.Connection, source: str, day: date) -> None:
    """Make sure that the night before is there to be remembered.

    Raises:
        UserError: It was published, but its receipts have been thinned since.
    """
    rows = connection.execute(
        "select max(business_date) from bi.publication "
        "where status = 'published' and business_date < %s",
        [day],
    ).fetchone()
    before = rows[0] if rows else None
    if before is None or before not in thinned_nights(connection):
        return
    kept = connection.execute(
        "select max(business_date) from bi.tier_decision where business_date < %s", [day]
    ).fetchone()
    start = f"after {kept[0]}" if kept and kept[0] else f"on {thinned_nights(connection)[0]}"
    raise UserError(
        f"source {source}, business date {day}: its night remembers that of {before}, whose "
        f"receipts were thinned; play the nights in order from the first one {start}, with "
        "`tiers backfill --from ... --to ...`"
    )
