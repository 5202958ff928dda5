"""The first load of an entity: its checked stage table becomes the raw table, in place.

Nothing is compared and no row is written a second time; the indexes are made after the rows.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity
from customer_tiers.load import tables
from customer_tiers.quality import rows

IS_OURS_ALONE = """
select stage.relpersistence = 'p'
    and raw.relacl is null and not raw.relhastriggers and not raw.relrowsecurity
from pg_class as stage, pg_class as raw
where stage.oid = to_regclass(%s) and raw.oid = to_regclass(%s)
"""
"""Whether the stage table survives a crash, and nobody granted or added anything on the raw table,
which would be lost with it."""

BECOME_RAW = """
alter table {table}
    add column _run_id text not null default {run_id},
    add column _loaded_at timestamptz not null default now(),
    add constraint {name} primary key {key};
alter table {table}
    alter column _run_id drop default,
    alter column _loaded_at set default clock_timestamp()
"""
"""Both columns are added without a row being touched, as their values are the same in all."""


def become_raw(connection: psycopg.Connection, entity: Entity, run_id: str) -> int | None:
    """Put the stage table in the place of an empty raw table.

    Args:
        connection: In a transaction.
        entity: What is loaded.
        run_id: Stamped on the rows.

    Returns:
        The number of rows; None, and nothing is changed, if raw has rows, if the stage table is not
        meant for it, or if something stands on the raw table, such as a view.
    """
    names = [f"stage.{entity.table}", f"raw.{entity.table}"]
    row = connection.execute(IS_OURS_ALONE, names).fetchone()
    if not (row and row[0]) or tables.has_rows(connection, entity):
        return None
    table = sql.Identifier("raw", entity.table)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("drop table {}").format(table))
    except psycopg.errors.DependentObjectsStillExist:
        return None
    stage = sql.Identifier("stage", entity.table)
    connection.execute(sql.SQL("alter table {} set schema raw").format(stage))
    index = rows.key_index(connection, f"raw.{entity.table}")
    key = (
        sql.SQL("using index {}").format(sql.Identifier(index))
        if index
        else sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, entity.key)))
    )
    connection.execute(
        sql.SQL(BECOME_RAW).format(
            table=table,
            name=sql.Identifier(f"{entity.table}_pkey"),
            run_id=sql.Literal(run_id),
            key=key,
        )
    )
    tables.create_indexes(connection, entity)
    return rows.count(connection, f"raw.{entity.table}")
