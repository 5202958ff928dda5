"""The rows of an extract on their way into the stage table, by COPY."""

from __future__ import annotations

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.load import tables
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
    rows = extract.rows(window)
    # In the transaction that makes the table, rows can be written as old ones that all may see.
    statement = sql.SQL("copy stage.{} ({}) from stdin (format {}, freeze)").format(
        sql.Identifier(entity.table),
        sql.SQL(", ").join(map(sql.Identifier, sent_columns(extract))),
        sql.SQL(rows.form),
    )
    try:
        with connection.transaction(), connection.cursor() as cursor:
            tables.create_stage(connection, entity, may_become_raw=is_first)
            with cursor.copy(statement) as copy:
                for block in rows.blocks:
                    copy.write(block)
            return cursor.rowcount
    except psycopg.errors.DataError as error:
        where = f"source {source}, entity {entity.name}"
        raise UserError(f"{where}{_bad_value(error, entity)}") from None


def _bad_value(error: psycopg.Error, entity: Entity) -> str:
    """Name the column of a value that COPY refused: `COPY t, line 3, column quantity: "x"`."""
    context = error.diag.context or ""
    column = context.partition(", column ")[2].partition(":")[0]
    line = context.partition(", line ")[2].partition(",")[0].partition(":")[0]
    if column not in entity.column_names:
        return f": row {line}: {reason(error)}; correct the row or the SELECT"
    return (
        f", column {column}: row {line}: {reason(error)[:200]}; the contract wants "
        f"{entity.column(column).type}: correct the value or cast it in the SELECT"
    )
