"""Dates and numbers that mean none: 1753-01-01, 9999-12-31, infinity, NaN.

Business systems that cannot leave a field empty write one of these. Which of them a column reads
as empty is data of the contract (`no_value`), and is done here for all kinds of sources, in the
stage table, before anything is judged. A column that may not be empty keeps what was sent: its
suite sets the row aside with its key.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Column, Entity
from customer_tiers.quality import rows


@stopwatch.part("no value")
def empty(connection: psycopg.Connection, source: str, entity: Entity) -> list[str]:
    """Empty what means none in the entity's stage table; say in lines what was emptied.

    Args:
        connection: To the warehouse.
        source: The company, named in the lines.
        entity: Its stage table is filled.

    Returns:
        A line per column; one about numbers is a warning, since a computation failed there.
    """
    columns = [column for column in entity.columns if column.no_value]
    if not columns:
        return []
    table = rows.identifier(f"stage.{entity.table}")
    found = _count(connection, entity, table, columns)
    if not found:
        return []
    names = {column.name: column for column in columns}
    hit = [names[name] for name in found]
    connection.execute(
        sql.SQL("update {} as subselect set {} where {}").format(
            table,
            sql.SQL(", ").join(
                sql.SQL("{0} = case when ({1}) is not true then {0} end").format(
                    sql.Identifier(column.name), _means_none(column)
                )
                for column in hit
            ),
            sql.SQL(" or ").join(map(_means_none, hit)),
        )
    )
    return [_line(source, entity, names[name], *what) for name, what in found.items()]


def _count(
    connection: psycopg.Connection, entity: Entity, table: sql.Identifier, columns: list[Column]
) -> dict[str, tuple[int, str, str]]:
    """Column -> rows in which it means none, a value, and the key of a row; in one pass."""
    counts = sql.SQL(", ").join(
        sql.SQL("count(*) filter (where {})").format(_means_none(column)) for column in columns
    )
    counted = connection.execute(
        sql.SQL("select {} from {} as subselect").format(counts, table)
    ).fetchone()
    found = {}
    for column, count in zip(columns, counted or (), strict=True):
        if count:
            example = connection.execute(
                sql.SQL("select {}::text, {} from {} as subselect where {} limit 1").format(
                    sql.Identifier(column.name),
                    rows.row_key(entity.key, "subselect"),
                    table,
                    _means_none(column),
                )
            ).fetchone()
            value, key = example or ("", "")
            found[column.name] = (count, value, key or "a row without a key")
    return found


def _means_none(column: Column) -> sql.Composable:
    """The condition that a value of the column means none."""
    value: sql.Composable = sql.Identifier("subselect", column.name)
    kind = "numeric"
    if column.type != "numeric":
        kind = "date"
        if column.type == "timestamp":
            value = sql.SQL("({} at time zone 'UTC')::date").format(value)
    return sql.SQL("{} = any({}::{}[])").format(
        value, sql.Literal(list(column.no_value)), sql.SQL(kind)
    )


def _line(source: str, entity: Entity, column: Column, count: int, value: str, key: str) -> str:
    where = f"source {source}, entity {entity.name}, column {column.name}"
    if column.type == "numeric":
        return (
            f"warning: {where}: {count:,} values are no number and are read as empty, for example "
            f"{value} in row {key}; correct what computes it"
        )
    return f"{where}: {count:,} values mean none and are read as empty, for example {value} ({key})"
