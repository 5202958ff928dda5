"""The steps of one night, in order; the DAG says when each runs and hands over plain values.

begin -> load (per system) -> settle -> build facts -> build tiers -> audit -> publish; `refuse`
closes a night in which a step failed. Each step opens its own connections, can run again, and
raises UserError with one line when the user can mend the cause.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, time

import psycopg

from customer_tiers import (
    connections,
    contract,
    maintenance,
    quality,
    simulation,
    transform,
)
from customer_tiers.business_date import settled
from customer_tiers.errors import TryLater, UserError
from customer_tiers.identity import match
from customer_tiers.load import dirty, tables, volume
from customer_tiers.load.entity import Load
from customer_tiers.load.system import load_system
from customer_tiers.outbox import sending
from customer_tiers.publish import publication, repeat
from customer_tiers.sources import definition
from customer_tiers.sources.postgres import reason
from customer_tiers.time_zone import zone

UNEXPLAINED = "a step failed; see its log"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One run of the nightly DAG.

    `run_date` is the day the run was started; `business_date` None means the newest day of sales;
    `accept_deletions` lets an extract that lost many rows take them out of raw, `accept_drift` goes
    on with a column that is gone or a day out of its band; `is_quiet` marks a backfill, which mails
    nobody; `triggered_at` is None where no scheduler stands between the trigger and the first step.
    """

    run_id: str
    source: str
    path: str | None
    run_date: date
    business_date: date | None
    accept_deletions: bool = False
    is_quiet: bool = False
    accept_drift: bool = False
    triggered_at: datetime | None = None

    @property
    def warehouse(self) -> psycopg.Connection:
        """A new connection to the run's warehouse, in autocommit mode."""
        return connect(self.source)


def connect(source: str) -> psycopg.Connection:
    """Open the warehouse of a company, in autocommit mode.

    Raises:
        UserError: Unknown source, or its warehouse cannot be reached or holds another company.
    """
    if source not in definition.names():
        raise definition.unknown(source)
    try:
        connection = psycopg.connect(
            connections.warehouse(source), autocommit=True, connect_timeout=10
        )
    except psycopg.Error as error:
        raise UserError(
            f"warehouse of source {source}: cannot connect: {reason(error)}; "
            "start it with `tiers up` or check AIRFLOW_CONN_WAREHOUSE"
        ) from None
    tables.check_company(connection, source)
    return connection


def begin(run: Run) -> None:
    """Check the contract and the source's folder, prepare the warehouse, open the run."""
    terms = contract.load()
    definition.load(run.source, terms)
    connections.ensure("warehouse", connections.embedded_warehouse(run.source))
    with run.warehouse as connection:
        publication.ensure_reader(connection)
        with connection.transaction():
            tables.prepare(connection, terms, run.source)
            quality.stewardship.note_owners(connection, terms.entities.values())
            connection.execute(
                "insert into ops.run (run_id, business_date, path, state, started_at) "
                "values (%s, %s, %s, 'running', coalesce(%s, clock_timestamp())) "
                "on conflict (run_id) do update "
                "set state = 'running', message = null, finished_at = null",
                [run.run_id, run.business_date, run.path, run.triggered_at],
            )


def load(run: Run, system: str) -> list[str]:
    """Load one business system into raw; return a line per entity."""
    terms = contract.load()
    source = definition.load(run.source, terms)
    today = max(run.run_date, run.business_date or run.run_date)
    job = Load(
        run_id=run.run_id,
        source=run.source,
        warehouse_url=connections.warehouse(run.source),
        latest_date=today + quality.PLAUSIBLE_FUTURE,
        accept_deletions=run.accept_deletions,
        accept_drift=run.accept_drift,
        latest_change=datetime.combine(today, time.min, tzinfo=zone()),
    )
    return load_system(job, terms, source, system, run.path)


def settle(run: Run) -> str:
    """Fix the business date (ISO): as asked for, or the newest day of sales up to the run.

    All of the night's records are there now, so they are compared here too, and it is known
    whether anything is new.
    """
    with run.warehouse as connection:
        day = settled(connection, run.source, run.business_date, run.run_date)
        maintenance.check_memory(connection, run.source, day)
        connection.execute(
            "update ops.run set business_date = %s where run_id = %s", [day, run.run_id]
        )
        for line in volume.check(
            connection, run.source, contract.load(), day, is_accepted=run.accept_drift
        ):
            log.warning(line)
        log.info(match.bring_up(connection, run.run_id))
        repeats = repeat.settle(connection, _night(run, day.isoformat()))
        if repeats:
            log.info("nothing is new since run %s: what it published stands", repeats)
    return day.isoformat()


def _night(run: Run, business_date: str) -> publication.Night:
    source = definition.load(run.source, contract.load())
    day = date.fromisoformat(business_date)
    return publication.Night(
        run_id=run.run_id,
        source=run.source,
        business_date=day,
        base_currency=source.base_currency,
        is_quiet=run.is_quiet,
        policy=source.policy,
        rounding=source.rounding,
    )


def _repeats(run: Run) -> str | None:
    with run.warehouse as connection:
        return repeat.repeated(connection, run.run_id)


def build(run: Run, business_date: str, layer: str, *, is_checked: bool = True) -> None:
    """Build one layer of dbt models (`facts` or `tiers`) in schema candidate, with their tests.

    A night without anything new is neither built nor audited: see `publish.repeat`. Rows that are
    replayed from quarantine meanwhile wait until the facts are built, and count the next night.
    """
    if _repeats(run):
        return
    source = definition.load(run.source, contract.load())
    with run.warehouse as connection:
        if layer == "facts":
            connection.execute(dirty.LOCK.format("pg_advisory_lock"))
        transform.run(
            connections.warehouse(run.source),
            select=[f"tag:{layer}"],
            variables={
                "business_date": business_date,
                "run_id": run.run_id,
                "base_currency": source.base_currency,
                "rounding": source.rounding,
                "leading_policy": source.policy,
                "source": run.source,
            },
            run_id=run.run_id,
            is_checked=is_checked,
        )


def audit(run: Run) -> None:
    """Check the candidates; a critical expectation that is not met stops the night."""
    if _repeats(run):
        return
    outcomes = quality.check_published(connections.warehouse(run.source))
    with run.warehouse as connection:
        quality.results.store(connection, run.run_id, outcomes)
        for line in quality.decide(outcomes, source=run.source):
            log.warning(line)
        quality.docs.build(connection, run.source, run.run_id)


def publish(run: Run, business_date: str) -> str:
    """Publish the audited candidates, or say that what is published stands."""
    night = _night(run, business_date)
    with run.warehouse as connection:
        repeats = repeat.repeated(connection, run.run_id)
        if repeats:
            line = repeat.publish(connection, night, repeats)
        else:
            line = publication.publish(connection, night)
    log.info(line)
    return line


def note_fault(run: Run, line: str) -> None:
    """Keep the line that says why a run failed; a warehouse that is down cannot keep it."""
    try:
        with run.warehouse as connection:
            connection.execute(
                "update ops.run set message = %s where run_id = %s",
                [line, run.run_id],
            )
    except (UserError, psycopg.Error) as error:
        log.warning("the fault could not be noted in ops.run: %s", error)


def refuse(run: Run) -> None:
    """Close a night in which a step failed: nothing published, what is published marked stale.

    Raises:
        UserError: Always, so that the run counts as failed: Airflow judges a run by its last tasks.
    """
    with run.warehouse as connection:
        if not tables.is_prepared(connection):
            raise UserError(UNEXPLAINED)
        row = connection.execute(
            "select business_date, message from ops.run where run_id = %s", [run.run_id]
        ).fetchone()
        day, why = row or (run.business_date, None)
        why = why or UNEXPLAINED
        publication.refuse(connection, run.run_id, day, why)
        quality.docs.build(connection, run.source, run.run_id)
    summary = sending.send_pending(connections.warehouse(run.source), only_ops=True)
    log.info("%s", summary)
    raise UserError(why)


def send(run: Run) -> str:
    """Send what the publications put into the outbox; return a line with the counts.

    Raises:
        UserError: The connection to a server is wrong; what was not handed over waits.
        TryLater: A server cannot be used, or refused some messages, for now.
    """
    summary = sending.send_pending(connections.warehouse(run.source))
    log.info("%s", summary)
    if summary.is_misconfigured:
        raise UserError(f"source {run.source}: {summary}")
    if summary.waiting:
        raise TryLater(f"source {run.source}: {summary}")
    return str(summary)


def maintain(run: Run) -> list[str]:
    """Thin old receipts, drop old records and vacuum; return a line for each part."""
    with run.warehouse as connection:
        found = []
        for line in maintenance.maintain(connection, run.source):
            log.info(line)
            found.append(line)
    return found


def simulate(run: Run, policy: list[str], first: str | None, last: str | None) -> str:
    """Judge published nights under another policy; return the file that the report is in.

    Args:
        run: Its id names the report.
        policy: Id of a policy, names of CSV files, or the text of such files; see `candidate`.
        first: First business date (ISO), None = the first that can be judged.
        last: Last business date (ISO), None = the newest.
    """
    source = definition.load(run.source, contract.load())
    with simulation.as_files(policy) as names, run.warehouse as connection:
        done = simulation.replay(
            connections.warehouse(run.source),
            names,
            source=source,
            first=date.fromisoformat(first) if first else None,
            last=date.fromisoformat(last) if last else None,
        )
        lines = list(simulation.lines(connection, done))
    for line in lines:
        log.info(line)
    return str(simulation.keep(lines, f"{run.source}-{done.policy}-{run.run_id}"))
