"""From a validated stage table into `raw`: only rows that differ are written.

All functions work in the caller's transaction and leave the touched rows, old and new versions,
in the temporary table `touched`, from which the dirty days are derived; after a first load there is
none, since all rows are new.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.load import first

EVERYWHERE = sql.SQL("true")
"""All rows of the entity."""


@dataclass(frozen=True)
class Written:
    """Rows of `raw` inserted, updated and deleted; a first load inserted all there are."""

    inserted: int
    updated: int
    deleted: int
    is_first: bool = False


@stopwatch.part("upsert")
def apply(
    connection: psycopg.Connection,
    entity: Entity,
    run_id: str,
    *,
    is_complete: bool,
    complete_where: sql.Composable = EVERYWHERE,
) -> Written:
    """Bring the entity's raw table up to its stage table.

    Args:
        connection: In a transaction.
        entity: The stage table holds each of its keys at most once.
        run_id: Stamped on the rows written.
        is_complete: The stage holds all rows of the source, so what is absent was deleted there.
        complete_where: Which rows of `raw` it holds all of, if it is complete.
    """
    connection.execute("drop table if exists pg_temp.touched")
    loaded = first.become_raw(connection, entity, run_id)
    if loaded is not None:
        written = Written(inserted=loaded, updated=0, deleted=0, is_first=True)
    else:
        written = _write(connection, entity, run_id, is_complete, complete_where)
        _gather_statistics(connection, entity, written)
    return written


def _write(
    connection: psycopg.Connection,
    entity: Entity,
    run_id: str,
    is_complete: bool,
    complete_where: sql.Composable,
) -> Written:
    names = _names(entity) | {"complete_where": complete_where}
    _collect_touched(connection, entity, names, is_complete=is_complete)
    deleted = _delete(connection, entity) if is_complete else 0
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c))
        for c in (*entity.column_names, UNKNOWN, "_run_id")
        if c not in entity.key
    )
    result = connection.execute(
        sql.SQL(
            "insert into {raw} ({columns}, _run_id) "
            "select {columns}, %s from touched where version = 'new' "
            "on conflict ({key}) do update set {assignments}, _loaded_at = clock_timestamp() "
        ).format(assignments=assignments, **names),
        [run_id],
    )
    updated_row = connection.execute(
        "select count(*) from touched where version = 'old'"
    ).fetchone()
    updated = (updated_row[0] if updated_row else 0) - deleted
    return Written(inserted=result.rowcount - updated, updated=updated, deleted=deleted)


def _names(entity: Entity) -> dict[str, sql.Composable]:
    def listed(names: tuple[str, ...], prefix: str = "") -> sql.Composed:
        dot = sql.SQL(prefix)  # type: ignore[arg-type]
        return sql.SQL(", ").join(sql.SQL("{}{}").format(dot, sql.Identifier(n)) for n in names)

    columns = (*entity.column_names, UNKNOWN)
    return {
        "raw": sql.Identifier("raw", entity.table),
        "stage": sql.Identifier("stage", entity.table),
        "columns": listed(columns),
        "raw_columns": listed(columns, "raw."),
        "stage_columns": listed(columns, "stage."),
        "key": listed(entity.key),
        "first_key": sql.Identifier(entity.key[0]),
        "is_kept": sql.SQL(" and ").join(
            sql.SQL("kept.row_data ->> {} = raw.{}::text").format(sql.Literal(k), sql.Identifier(k))
            for k in entity.key
        ),
    }


def _collect_touched(
    connection: psycopg.Connection,
    entity: Entity,
    names: dict[str, sql.Composable],
    *,
    is_complete: bool,
) -> None:
    # One join finds what differs, and keeps what it was beside what it will be.
    connection.execute(
        sql.SQL(
            "create temporary table touched on commit drop as "
            "select versions.* from {stage} as stage left join {raw} as raw using ({key}) "
            "cross join lateral (select 'new' as version, {stage_columns} "
            "union all select 'old', {raw_columns} where raw.{first_key} is not null) as versions "
            "where raw.{first_key} is null or ({raw_columns}) is distinct from ({stage_columns})"
        ).format(**names)
    )
    if is_complete:
        # A row set aside in this transaction is at the source: its last good version stays in raw.
        connection.execute(
            sql.SQL(
                "insert into touched select 'old', {raw_columns} from {raw} as raw "
                "where {complete_where} and not exists "
                "(select 1 from {stage} as stage where ({key_of_stage}) = "
                "({key_of_raw})) and not exists (select 1 from quarantine.rows as kept "
                "where kept.entity = %s and kept.last_seen_at = now() and {is_kept})"
            ).format(
                key_of_stage=_prefixed(entity.key, "stage"),
                key_of_raw=_prefixed(entity.key, "raw"),
                **names,
            ),
            [entity.name],
        )


def _delete(connection: psycopg.Connection, entity: Entity) -> int:
    # Unknown to the planner, many changed rows would each be looked for among all the others.
    columns = sql.SQL(", ").join(map(sql.Identifier, ("version", *entity.key)))
    connection.execute(sql.SQL("analyze touched ({})").format(columns))
    key = _prefixed(entity.key, "touched")
    result = connection.execute(
        sql.SQL(
            "delete from {raw} as raw using touched where ({raw_key}) = ({key}) "
            "and touched.version = 'old' and not exists (select 1 from touched as fresh "
            "where fresh.version = 'new' and ({fresh_key}) = ({key}))"
        ).format(
            raw=sql.Identifier("raw", entity.table),
            raw_key=_prefixed(entity.key, "raw"),
            fresh_key=_prefixed(entity.key, "fresh"),
            key=key,
        )
    )
    return result.rowcount


def _prefixed(names: tuple[str, ...], table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) for name in names)


def _gather_statistics(connection: psycopg.Connection, entity: Entity, written: Written) -> None:
    """Let the planner know a table of which more than a tenth is new.

    The server does so by itself within minutes, but the facts are built at once: they took twenty
    times as long when a table passed for an empty one. After a first load it is known already.
    """
    table = f"raw.{entity.table}"
    known = connection.execute(
        "select greatest(reltuples, 0) from pg_class where oid = to_regclass(%s)", [table]
    ).fetchone()
    changed = written.inserted + written.updated + written.deleted
    if known and changed > known[0] / 10:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", entity.table)))
