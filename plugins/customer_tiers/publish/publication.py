"""Publish a night: readers see the old night or the new one, never a mix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from customer_tiers.errors import UserError
from customer_tiers.outbox import fill, hand_over, ops
from customer_tiers.publish import difference, history, identity_history
from customer_tiers.publish.newest import is_old
from customer_tiers.publish.tables import published

READER = "bi_reader"
"""The role that BI users are members of; it may read `bi` and nothing else."""

LOCK = "select pg_advisory_xact_lock(hashtextextended('customer_tiers.publish', 0))"
"""One at a time changes what is published."""

COLUMNS = (
    "run_id, source, business_date, status, is_stale, base_currency, policy_id, policy_version, "
    "customers, customers_ranked, tier_changes, contribution_12m, checks_run, checks_not_met, "
    "rows_quarantined, missing_entities, missing_lines"
)
"""Columns of a row of `bi.publication` about a published night."""

FIGURES = """
    select
        %(run_id)s, %(source)s, %(business_date)s, 'published', false, %(base_currency)s,
        min(policy_id), min(policy_version), count(*), count(*) filter (where not is_provisional),
        (select count(*) from candidate.tier_change),
        sum(contribution_12m),
        (select count(*) from ops.expectation_result where run_id = %(run_id)s),
        (
            select count(*) from ops.expectation_result
            where run_id = %(run_id)s and not is_met
        ),
        (
            select count(distinct (entity, row_key)) from quarantine.rows
            where resolved_run is null
        ),
        (
            select string_agg(entity, ', ' order by entity) from ops.load_ledger
            where run_id = %(run_id)s and not is_delivered
        ),
        (select max(missing_lines) from candidate.customer_tier)
    from candidate.tier_decision
"""
"""A night's row, in the order of the columns, from its candidates."""


@dataclass(frozen=True)
class Night:
    """What a run knows when it publishes; a quiet one mails nobody (see `outbox.fill`).

    `policy` is the leading one that the source names, if it names one; `rounding` is when its
    books round.
    """

    run_id: str
    source: str
    business_date: date
    base_currency: str
    is_quiet: bool = False
    policy: str | None = None
    rounding: str = "month"


def publish(connection: psycopg.Connection, night: Night) -> str:
    """Bring `bi` up to the candidates, write the publication and the outbox, in one transaction.

    A night older than the newest published one rewrites its own rows of the nightly tables and
    leaves the current tables alone; the history learns from every night.

    Returns:
        A line that says what was published.
    """
    with connection.transaction():
        connection.execute(LOCK)
        _check_candidates(connection, night)
        is_newest = not is_old(connection, night.business_date)
        written = sum(
            difference.bring_up(connection, table, night.business_date)
            for table in published()
            if is_newest or table.scope == "night"
        )
        write_row(connection, night, FIGURES, is_newest=is_newest)
        written += history.record(connection, night.run_id, night.business_date)
        if is_newest:
            written += identity_history.record(connection, night.run_id)
            hand_over.readdress(connection, night.business_date)
        mails = fill.enqueue(connection, night.run_id, night.business_date, is_quiet=night.is_quiet)
        if is_newest and not night.is_quiet:
            ops.tell_checks(connection, night.run_id, night.business_date)
        _let_readers_in(connection)
        connection.execute(
            "update ops.run set state = 'published', finished_at = clock_timestamp(), "
            "business_date = %s, message = null where run_id = %s",
            [night.business_date, night.run_id],
        )
    return (
        f"published {night.business_date}: {written} rows written, {mails} messages for the outbox"
    )


def refuse(
    connection: psycopg.Connection, run_id: str, business_date: date | None, why: str
) -> None:
    """Record a night that was not published and mark what `bi` shows as stale."""
    with connection.transaction():
        connection.execute(
            "update ops.run set state = 'failed', message = %s, finished_at = clock_timestamp() "
            "where run_id = %s and state <> 'published'",
            [why, run_id],
        )
        connection.execute(
            "insert into bi.publication (run_id, source, business_date, status, is_stale, message) "
            "select %s, source, %s, 'refused', false, %s from ops.warehouse "
            "on conflict (run_id) do update set message = excluded.message "
            "where publication.status = 'refused'",
            [run_id, business_date, why],
        )
        ops.tell_refused(connection, run_id, business_date, why)
        if business_date is not None and is_old(connection, business_date):
            return  # Readers have a newer night than the one that failed.
        connection.execute(
            "update bi.publication set is_stale = true, message = %s "
            "where run_id = (select run_id from bi.publication where status = 'published' "
            "order by business_date desc, published_at desc limit 1)",
            [f"a later night was not published: {why}"],
        )


def _check_candidates(connection: psycopg.Connection, night: Night) -> None:
    """Refuse candidates that another run built since: they are of another night.

    Raises:
        UserError: Somebody cleared the publishing of a run whose candidates are gone.
    """
    built = connection.execute(
        "select run_id from ops.dbt_node_run order by finished_at desc limit 1"
    ).fetchone()
    days = connection.execute("select distinct business_date from candidate.tier_decision")
    if built == (night.run_id,) and days.fetchall() == [(night.business_date,)]:
        return
    raise UserError(
        f"source {night.source}, business date {night.business_date}: the candidates are not of "
        "this run; clear its task build_facts and those after it, or run the night again"
    )


def write_row(
    connection: psycopg.Connection, night: Night, figures: str, *, is_newest: bool, **values: str
) -> None:
    """Write the night's row of `bi.publication`, in place of one that the run has written before.

    Args:
        connection: In a transaction that holds `LOCK`.
        night: What is published.
        figures: SELECT of the row; it may use the night's fields and `values` as parameters.
        is_newest: No newer night is published, so what readers see is stale no more.
        values: Further parameters.
    """
    if is_newest:
        connection.execute(
            "update bi.publication set is_stale = false, message = null where is_stale"
        )
    connection.execute("delete from bi.publication where run_id = %s", [night.run_id])
    connection.execute(
        f"insert into bi.publication ({COLUMNS}) {figures}",  # type: ignore[call-overload]
        {
            "run_id": night.run_id,
            "source": night.source,
            "business_date": night.business_date,
            "base_currency": night.base_currency,
            **values,
        },
    )


def ensure_reader(connection: psycopg.Connection) -> None:
    """Create the readers' role unless it is there.

    Raises:
        UserError: It is not there and the warehouse's user may not create it.
    """
    row = connection.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone()
    if row:
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(READER)))
    except psycopg.errors.InsufficientPrivilege:
        raise UserError(
            f"warehouse: role {READER} is missing and the connection's user may not create it; "
            f"have an administrator run: create role {READER} nologin"
        ) from None
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return  # Another warehouse of this server made it meanwhile.


def _let_readers_in(connection: psycopg.Connection) -> None:
    reader = sql.Identifier(READER)
    connection.execute(sql.SQL("grant usage on schema bi to {}").format(reader))
    connection.execute(sql.SQL("grant select on all tables in schema bi to {}").format(reader))
    connection.execute(sql.SQL("grant execute on all functions in schema bi to {}").format(reader))
