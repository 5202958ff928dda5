"""What the loader remembers: how far each entity was read, and what each load did.

Written in the transaction that writes the rows, so that neither can say what is not so.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

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


def forget_other_select(connection: psycopg.Connection, entity: Entity, query: str | None) -> bool:
    """Forget the watermark of another SELECT, whose rows may have been others; say if there was."""
    found = connection.execute(
        "delete from ops.watermark where entity = %s and select_digest <> %s",
        [entity.name, _digest(query)],
    )
    return found.rowcount > 0


def forget(connection: psycopg.Connection, entity: Entity) -> None:
    """Forget all that was remembered of an entity that is not delivered any more."""
    for table in ("watermark", "source_column", "month_in_raw", "reconciliation"):
        connection.execute(
            sql.SQL("delete from {} where entity = %s").format(sql.Identifier("ops", table)),
            [entity.name],
        )


def remember_select(connection: psycopg.Connection, entity: Entity, query: str | None) -> None:
    """Keep which SELECT the watermark belongs to."""
    connection.execute(
        "update ops.watermark set select_digest = %s where entity = %s",
        [_digest(query), entity.name],
    )


def _digest(query: str | None) -> str:
    return hashlib.sha256((query or "").encode()).hexdigest()


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
    values: dict[str, Any] = {
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
    values["rows_in_raw"] = _rows_in_raw(connection, entity, written)
    connection.execute(
        sql.SQL("insert into ops.load_ledger ({names}) values ({values})").format(
            names=sql.SQL(", ").join(map(sql.Identifier, values)),
            values=sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )


def _rows_in_raw(connection: psycopg.Connection, entity: Entity, written: Written) -> int:
    """As after the load before and what this one changed, so that no night counts all of history;
    counted where the ledger has no load before."""
    if written.is_first:
        return written.inserted
    before = connection.execute(
        "select rows_in_raw from ops.load_ledger where entity = %s order by load_id desc limit 1",
        [entity.name],
    ).fetchone()
    if before is not None:
        return int(before[0]) + written.inserted - written.deleted
    count = sql.SQL("select count(*) from raw.{}").format(sql.Identifier(entity.table))
    return int(connection.execute(count).fetchall()[0][0])
