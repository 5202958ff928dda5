"""What was there and is not any more: a few rows, most of them, all, or the SELECT itself.

Companies close accounts one by one; exports break in the middle. What goes in numbers stops the
source until somebody says that it is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from customer_tiers import quality
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.load import dirty, ledger, tables, upsert
from customer_tiers.sources.extract import Extract

if TYPE_CHECKING:
    from customer_tiers.load.entity import Load

DELETED_SHARE, DELETED_ROWS = 0.2, 10
"""More deleted rows than both stop the load."""


def take_out(connection: psycopg.Connection, load: Load, entity: Entity) -> str:
    """Take out what an entity brought that has no SELECT any more, and would go on to count.

    Returns:
        A line that says that it is not delivered.

    Raises:
        UserError: There is something to take out, and nobody said that it is meant.
    """
    written = upsert.Written(0, 0, 0)
    with connection.transaction():
        if tables.has_rows(connection, entity):
            if not load.accept_deletions:
                raise UserError(
                    f"source {load.source}, entity {entity.name}: it was delivered until now and "
                    "has no SELECT any more; restore it, or run the night with --accept-deletions "
                    "to take out what it brought"
                )
            tables.create_stage(connection, entity)
            written = upsert.apply(connection, entity, load.run_id, is_complete=True)
            dirty.mark(connection, entity)
            quality.quarantine.resolve(
                connection, entity, load.run_id, complete_where=upsert.EVERYWHERE
            )
            tables.drop_stage(connection, entity)
        ledger.forget(connection, entity)
        ledger.write(connection, load.run_id, entity, None, written, 0, 0)
    gone = f", {written.deleted} deleted" if written.deleted else ""
    return f"{entity.name}: not delivered by source {load.source}{gone}"


def refuse_empty(
    connection: psycopg.Connection, load: Load, entity: Entity, extract: Extract, read: int
) -> None:
    """An empty extract of an entity that had rows is a fault: row-level security says nothing."""
    if read or extract.has_rows():
        return
    where = f"source {load.source}, entity {entity.name}"
    if tables.has_rows(connection, entity) and not (load.accept_deletions and not entity.required):
        meant = (
            "" if entity.required else ", or run the night with --accept-deletions if it is meant"
        )
        raise UserError(
            f"{where}: the extract is empty but had rows before; "
            f"check the export, the permissions and row-level security at the source{meant}"
        )
    if entity.required:
        raise UserError(f"{where}: required, but the extract is empty; check the SELECT")


def refuse_mass_deletion(
    connection: psycopg.Connection, load: Load, entity: Entity, written: upsert.Written
) -> None:
    """Half an export must not look like mass churn; the transaction of the load is rolled back."""
    if load.accept_deletions or written.deleted <= DELETED_ROWS:
        return
    count = sql.SQL("select count(*) from raw.{}").format(sql.Identifier(entity.table))
    [(left,)] = connection.execute(count).fetchall()
    before = left - written.inserted + written.deleted
    if written.deleted > DELETED_SHARE * before:
        raise UserError(
            f"source {load.source}, entity {entity.name}: {written.deleted} of {before} rows are "
            "gone from the extract; check that the export is whole, or run the night with "
            "--accept-deletions if they were deleted on purpose"
        )
