"""The first load of an entity: its checked stage table becomes the raw table, in place.

Nothing is compared and no row is written a second time; the indexes are made after the rows, while
these are checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

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


@contextmanager
def indexed_meanwhile(url: str, entity: Entity) -> Iterator[None]:
    """Give the stage table what the raw table has besides the key, and statistics, while it is
    checked: the server sorts on one core, and a check mostly waits for it on another.

    Args:
        url: libpq URL of the warehouse; what is done here has a connection of its own.
        entity: Its stage table is committed.
    """

    def index() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            with suppress(psycopg.errors.ProgramLimitExceeded):  # too long a value; it may not stay
                tables.create_indexes(connection, entity, "stage")
            connection.execute(
                sql.SQL("analyze {}").format(rows.identifier(f"stage.{entity.table}"))
            )

    with ThreadPoolExecutor(max_workers=1) as pool:
        indexing = pool.submit(index)
        yield
        indexing.result()


def become_raw(connection: psycopg.Connection, entity: Entity, run_id: str) -> int | None:
    """Put the stage table in the place of an empty raw table.

    Args:
        connection: In a transaction.
        entity: What is loaded.
        run_id: Stamped on the rows.

    Returns:
        The number of rows; None, and nothing is changed, if raw has rows, if there are none to
        load, if something stands on the raw table, such as a view, or if an index cannot be made.
    """
    names = [f"stage.{entity.table}", f"raw.{entity.table}"]
    row = connection.execute(IS_OURS_ALONE, names).fetchone()
    if not (row and row[0]) or tables.has_rows(connection, entity):
        return None
    loaded = rows.count(connection, f"stage.{entity.table}")
    if not loaded:
        return None
    try:
        with connection.transaction():
            _replace(connection, entity, run_id)
    except (psycopg.errors.DependentObjectsStillExist, psycopg.errors.ProgramLimitExceeded):
        return None
    return loaded


def _replace(connection: psycopg.Connection, entity: Entity, run_id: str) -> None:
    """Drop the raw table and make the stage table into it.

    Raises:
        psycopg.errors.DependentObjectsStillExist: Something stands on the raw table.
        psycopg.errors.ProgramLimitExceeded: An index cannot hold a value, even of a row that was
            set aside: until the transaction ends the server has it still.
    """
    table = sql.Identifier("raw", entity.table)
    stage = sql.Identifier("stage", entity.table)
    connection.execute(sql.SQL("drop table {}").format(table))
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
    tables.create_indexes(connection, entity)  # those that could not be made meanwhile
