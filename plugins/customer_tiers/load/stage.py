"""The rows of an extract on their way into the stage table, by COPY."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.load import tables
from customer_tiers.quality import rows
from customer_tiers.sources.extract import Extract, Window, sent_columns
from customer_tiers.sources.postgres import reason


@stopwatch.part("copy")
def fill(
    connection: psycopg.Connection,
    source: str,
    entity: Entity,
    extract: Extract,
    window: Window,
    *,
    is_first: bool = False,
) -> int:
    """Stream an extract's rows into a fresh stage table.

    Args:
        connection: To the warehouse, in autocommit mode.
        source: The company, for messages.
        entity: What is read.
        extract: Its SELECT.
        window: Which of its rows.
        is_first: The stage table may become the raw table.

    Returns:
        The number of rows read.

    Raises:
        UserError: The source failed, or sent a value that is not of the contract's type.
    """
    read = extract.rows(window)
    # In the transaction that makes the table, rows can be written as old ones that all may see.
    statement = sql.SQL("copy stage.{} ({}) from stdin (format {}, freeze)").format(
        sql.Identifier(entity.table),
        sql.SQL(", ").join(map(sql.Identifier, sent_columns(extract))),
        sql.SQL(read.form),
    )
    try:
        with connection.transaction(), connection.cursor() as cursor:
            tables.create_stage(connection, entity, may_become_raw=is_first)
            with cursor.copy(statement) as copy:
                for block in read.blocks:
                    copy.write(block)
            return cursor.rowcount
    except psycopg.errors.DataError as error:
        if isinstance(read.blocks, Generator):
            read.blocks.close()  # the source can be asked again only then
        where = f"source {source}, entity {entity.name}"
        raise UserError(f"{where}{_bad_value(error, entity, extract, window)}") from None


def _bad_value(error: psycopg.Error, entity: Entity, extract: Extract, window: Window) -> str:
    """Name column and row of a value that COPY refused: `COPY t, line 3, column quantity: "x"`."""
    context = error.diag.context or ""
    column = context.partition(", column ")[2].partition(":")[0]
    line = context.partition(", line ")[2].partition(",")[0].partition(":")[0]
    if column not in entity.column_names:
        return f": row {line}: {reason(error)}; correct the row or the SELECT"
    value = context.partition(f", column {column}: ")[2].strip('"')
    key = _key_of(value, column, entity, extract, window)
    return (
        f", column {column}, row {key or line}: {reason(error)[:200]}; the contract wants "
        f"{entity.column(column).type}: correct the value or cast it in the SELECT"
    )


def _key_of(value: str, column: str, entity: Entity, extract: Extract, window: Window) -> str:
    """Read the rows again up to the first with the value, and return its key; empty if not found.

    In an extract without an order the number of a row leads nowhere.
    """
    place = extract.columns.index(column)
    try:
        for row in read_again(extract, window):
            if row[place] == value:
                return "|".join(row[extract.columns.index(name)] for name in entity.key)
    except (UserError, csv.Error, IndexError):
        return ""
    return ""


def read_again(extract: Extract, window: Window) -> Iterator[list[str]]:
    """Yield a window's rows as texts, `sent_columns` in order; an absent value is an empty one."""
    return csv.reader(_lines(extract.copy_csv(window)))


def has_each_key_once(connection: psycopg.Connection, entity: Entity) -> bool:
    """Whether an index proves that no key is twice in the stage table."""
    return rows.key_index(connection, f"stage.{entity.table}") is not None


def _lines(blocks: Iterator[bytes | memoryview]) -> Iterator[str]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + bytes(block)).split(b"\n")
        yield from (line.decode(errors="replace") + "\n" for line in lines)
