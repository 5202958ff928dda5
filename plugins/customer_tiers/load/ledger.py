"""What the loader remembers: how far each entity was read, and what each load did.

Written in the transaction that writes the rows, so that neither can say what is not so.
"""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity
from customer_tiers.load.upsert import Written
from customer_tiers.sources.extract import Window


def move_watermark(
    connection: psycopg.Connection, entity: Entity, window: Window, latest_change: datetime
) -> None:
    """Remember up to where the entity was read, but nothing beyond `latest_change`.

    One row stamped in the future must not hide the changes until then.
    """
    if window.end is None:
        return
    connection.execute(
        "insert into ops.watermark (entity, cursor_at) values (%s, %s) "
        "on conflict (entity) do update set cursor_at = excluded.cursor_at "
        "where watermark.cursor_at < excluded.cursor_at",
        [entity.name, min(window.end, latest_change)],
    )


def write(
    connection: psycopg.Connection,
    run_id: str,
    entity: Entity,
    window: Window | None,
    written: Written,
    read: int,
    quarantined: int,
    kind: str = "extract",
) -> None:
    """Write the load's row; without a window the source does not deliver the entity."""
    values = {
        "kind": kind,
        "run_id": run_id,
        "entity": entity.name,
        "is_delivered": window is not None,
        "is_incremental": kind != "extract" or (window is not None and window.end is not None),
        "window_from": window.start if window else None,
        "window_to": window.end if window else None,
        "rows_read": read,
        "rows_inserted": written.inserted,
        "rows_updated": written.updated,
        "rows_deleted": written.deleted,
        "rows_quarantined": quarantined,
    }
    statement = sql.SQL(
        "insert into ops.load_ledger ({names}, rows_in_raw) "
        "select {values}, count(*) from raw.{table}"
    ).format(
        names=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(map(sql.Placeholder, values)),
        table=sql.Identifier(entity.table),
    )
    connection.execute(statement, values)
