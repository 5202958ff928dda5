"""Load one entity: extract into stage, validate, quarantine, and one transaction into `raw`.

Data, quarantine, dirty days, watermark and ledger row commit together, so a run that dies at any
step leaves either the night before or the night after, and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import psycopg
from psycopg import sql

from customer_tiers import quality, stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.load import (
    dirty,
    drift,
    first,
    gone,
    ledger,
    no_value,
    notes,
    one_key,
    reconcile,
    references,
    stage,
    tables,
    upsert,
)
from customer_tiers.sources.extract import Extract, Window

OVERLAP = timedelta(days=1)
"""How far before the watermark an extract starts again: a source transaction that was open while we
read may commit rows that look older than what we have seen."""


@dataclass(frozen=True)
class Load:
    """What a run knows when it loads an entity.

    `latest_date` is the last plausible date in the data; `latest_change` certainly lies behind us,
    and no watermark moves beyond it; `accept_deletions` lifts the limit on deleted rows and lets an
    entity go, `accept_drift` lets a column that was delivered before be gone, empty or of another
    type. An entity read by cursor is compared with its source by month if that was not done for
    `reconcile_days`.
    """

    run_id: str
    source: str
    warehouse_url: str
    latest_date: date
    latest_change: datetime
    accept_deletions: bool
    accept_drift: bool = False
    reconcile_days: int = 0


@dataclass(frozen=True)
class Batch:
    """What the stage table holds of an entity, and what that means for `raw`.

    `kind` is extract, reconcile or replay. `complete_where` says which rows of raw it holds all of,
    so that others among them are gone from the source; None for a part of them. With `is_first`
    the stage table may become the raw table. A replay has no extract.
    """

    kind: str
    window: Window
    read: int
    extract: Extract | None = None
    complete_where: sql.Composable | None = None
    theirs: reconcile.Months | None = None
    is_first: bool = False


def load_entity(
    load: Load, connection: psycopg.Connection, entity: Entity, extract: Extract | None
) -> list[str]:
    """Bring `raw` up to the source for one entity; return in lines what happened and was found.

    Args:
        load: The run.
        connection: To the warehouse, in autocommit mode.
        entity: What to load.
        extract: The opened SELECT, or None when the source does not deliver the entity.

    Raises:
        UserError: The source, its data or their quality forbid to go on; `raw` is as before.
    """
    with _only_loader(connection, load, entity):
        if extract is None:
            return [gone.take_out(connection, load, entity)]
        retyped = drift.find_retyped(connection, entity, extract)
        if not load.accept_drift:
            drift.refuse(connection, load.source, entity, extract, retyped)
        if set(retyped) & set(entity.key):
            load = replace(load, accept_deletions=True)  # accepted: every row has another key now
        window = _window(connection, entity, extract, is_retyped=bool(retyped))
        is_whole = window.start is None  # then it is read to the end, or what came since seems gone
        is_first = is_whole and not tables.has_rows(connection, entity)
        read = stage.fill(
            *(connection, load.source, entity, extract),
            Window() if is_whole else window,
            is_first=is_first,
        )
        gone.refuse_empty(connection, load, entity, extract, read)
        everything = upsert.EVERYWHERE if is_whole else None
        batch = Batch("extract", window, read, extract, everything, is_first=is_first)
        lines = _validate_and_write(connection, load, entity, batch)
        if not is_whole:
            lines += _reconcile(connection, load, entity, extract)
        return lines


def replay_entity(load: Load, connection: psycopg.Connection, entity: Entity) -> list[str]:
    """Offer the rows that wait in quarantine to `raw` again, without asking the source.

    Raises:
        UserError: Another run is loading the entity.
    """
    with _only_loader(connection, load, entity):
        tables.create_stage(connection, entity)
        return _validate_and_write(connection, load, entity, Batch("replay", Window(), 0))


@stopwatch.part("reconcile")
def _reconcile(
    connection: psycopg.Connection, load: Load, entity: Entity, extract: Extract
) -> list[str]:
    """Read the months again in which raw differs from a source that is read by cursor."""
    today = load.latest_change.date()
    if entity.period is not None and entity.period not in extract.columns:
        return []
    if not reconcile.is_due(connection, entity, today, load.reconcile_days):
        return []
    theirs = extract.months()
    if theirs is None:
        return []
    months = reconcile.differing(connection, entity, theirs)
    if not months:
        with connection.transaction():
            reconcile.remember(connection, entity, theirs, load.run_id)
            reconcile.settle(connection, entity, today)
        return []
    window = Window(months=tuple(months))
    read = stage.fill(connection, load.source, entity, extract, window)
    complete_where = sql.SQL("{} = any({}::date[])").format(
        reconcile.month_of(entity, "raw"), sql.Literal(months)
    )
    batch = Batch("reconcile", window, read, extract, complete_where, theirs)
    return [
        notes.of_months(load.source, entity, months),
        *_validate_and_write(connection, load, entity, batch),
    ]


def _window(
    connection: psycopg.Connection, entity: Entity, extract: Extract, *, is_retyped: bool
) -> Window:
    """Fix the window before reading; without a cursor all rows are read and compared, and so are
    those of a column whose type is another."""
    if entity.cursor is None or entity.cursor not in extract.columns:
        return Window()
    row = connection.execute(
        "select cursor_at from ops.watermark where entity = %s", [entity.name]
    ).fetchone()
    start = row[0] - OVERLAP if row and not is_retyped else None
    return Window(start, extract.newest_change())


def _validate_and_write(
    connection: psycopg.Connection, load: Load, entity: Entity, batch: Batch
) -> list[str]:
    meanwhile = (
        first.indexed_meanwhile(load.warehouse_url, entity) if batch.is_first else nullcontext()
    )
    with meanwhile:
        emptied, outcomes = _validate(load, connection, entity, batch)
    quality.results.store(connection, load.run_id, outcomes)
    findings = quality.decide(outcomes, source=load.source, entity=entity)
    with connection.transaction():
        lines = _write(connection, load, entity, batch, outcomes)
    return [*lines, *emptied, *findings]


def _validate(
    load: Load, connection: psycopg.Connection, entity: Entity, batch: Batch
) -> tuple[list[str], list[quality.Outcome]]:
    """Bring the stage table into the form in which it is judged, and judge it; what was emptied in
    lines, and the outcomes."""
    table = f"stage.{entity.table}"
    with connection.transaction():
        emptied = no_value.empty(connection, load.source, entity)
        quality.quarantine.collapse_duplicates(connection, entity, table)
        if batch.extract is not None:
            one_key.refuse(connection, load, entity, batch.extract, batch.complete_where)
        if batch.complete_where is None and quality.quarantine.reoffer(connection, entity, table):
            emptied += no_value.empty(connection, load.source, entity)
    outcomes = _judge(load, entity, batch)
    resolved, is_changed = references.resolve(connection, load.source, entity, outcomes)
    if is_changed:
        outcomes = _judge(load, entity, batch)
    return [*emptied, *resolved], outcomes


def _judge(load: Load, entity: Entity, batch: Batch) -> list[quality.Outcome]:
    try:
        return quality.check_entity(
            load.warehouse_url,
            entity,
            latest_date=load.latest_date,
            delivered=batch.extract.columns if batch.extract else None,
        )
    except UserError as error:
        raise UserError(f"source {load.source}, {str(error)[:500]}; correct the value") from None


def _write(
    connection: psycopg.Connection,
    load: Load,
    entity: Entity,
    batch: Batch,
    outcomes: list[quality.Outcome],
) -> list[str]:
    """Everything that a load leaves behind, in the caller's one transaction."""
    is_extract = batch.kind == "extract"
    moved = quality.quarantine.move_bad_rows(
        connection, entity, f"stage.{entity.table}", outcomes, load.run_id
    )
    quality.quarantine.resolve(connection, entity, load.run_id, complete_where=batch.complete_where)
    written = upsert.apply(
        connection,
        entity,
        load.run_id,
        is_complete=batch.complete_where is not None,
        complete_where=batch.complete_where or upsert.EVERYWHERE,
    )
    gone.refuse_mass_deletion(connection, load, entity, written)
    if batch.extract is not None and not written.is_first and not load.accept_drift:
        drift.refuse_emptied(connection, load.source, entity)
    days = dirty.mark(connection, entity)
    reconcile.follow(connection, entity, is_first=written.is_first)
    new = []
    if is_extract and batch.extract is not None:
        new = drift.note(connection, load.run_id, entity, batch.extract)
        ledger.move_watermark(connection, entity, batch.window, load.latest_change)
    if batch.theirs is not None:
        reconcile.remember(connection, entity, batch.theirs, load.run_id)
        reconcile.settle(connection, entity, load.latest_change.date())
    ledger.write(
        connection, load.run_id, entity, batch.window, written, batch.read, moved.rows, batch.kind
    )
    tables.drop_stage(connection, entity)
    again = "" if is_extract else f" ({batch.kind})"
    return [
        f"{entity.name}{again}: {batch.read} read, {written.inserted} new, "
        f"{written.updated} changed, {written.deleted} deleted, {moved.rows} quarantined, "
        f"{days} days to rebuild",
        *notes.of_deletions(load.source, entity, written.deleted),
        *notes.of_new_columns(load.source, entity, new),
    ]


@contextmanager
def _only_loader(connection: psycopg.Connection, load: Load, entity: Entity) -> Iterator[None]:
    """Keep a second run off the entity's stage table and watermark while this one works."""
    name = f"customer_tiers.load.{entity.name}"
    row = connection.execute(
        "select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]
    ).fetchone()
    if not (row and row[0]):
        raise UserError(
            f"source {load.source}, entity {entity.name}: another run is loading it; "
            "wait until that run has ended"
        )
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])
