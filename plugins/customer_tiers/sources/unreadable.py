"""Values that a SELECT over files or records cannot read, and where they were delivered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

import duckdb

from customer_tiers.sources.duck import literal, quoted

KEPT = '"customer_tiers kept"'
"""Temporary table of a delivered table's rows, numbered."""

UNREADABLE = re.compile(r"(Conversion|Invalid Input|Out of Range) Error")
"""How DuckDB's messages on a value begin."""

NOT_ISO = "not ISO, column "
OF_ROW = " of the row with the key "
"""What the error of a day that is not ISO consists of: column, value, key."""


def explain(message: str, path: str) -> str:
    """Turn DuckDB's many lines on a value into one that says what to do.

    Args:
        message: What DuckDB says.
        path: The file of the SELECT.
    """
    if not_iso := re.search(f"{NOT_ISO}(.*)", message):
        name, _, value = not_iso[1].partition(": ")
        value, _, key = value.rpartition(OF_ROW)
        return (
            f"column {name}, row {key}: {value!r} is no date in the form YYYY-MM-DD; correct "
            f"it, or read it with strptime in {path}"
        )
    text = message.split("Possible")[0]
    return f"{' '.join(text.split())[:300]}; correct what was delivered or {path}"


def find(
    connection: duckdb.DuckDBPyConnection, query: str, tables: Iterable[str], key: Sequence[str]
) -> str | None:
    """Say which delivered value a SELECT cannot read, or None if no single row is to blame.

    The SELECT is tried over halves of a delivered table until one row is left, and then without
    one of its values after the other.

    Args:
        connection: With the delivered tables.
        query: The SELECT, in brackets and with a name.
        tables: The delivered tables that it reads.
        key: Columns of the SELECT that name a row.
    """
    for table in tables:
        try:
            connection.execute(
                f"create or replace temp table {KEPT} as select row_number() over () as "
                f"customer_tiers_number, * from memory.main.{quoted(table)}"
            )
            if (found := _find_in(connection, query, table, key)) is not None:
                return found
        except duckdb.Error:
            continue
        finally:
            with suppress(duckdb.Error):
                connection.execute(f"drop view if exists temp.{quoted(table)}")
                connection.execute(f"drop table if exists {KEPT}")
    return None


def _find_in(
    connection: duckdb.DuckDBPyConnection, query: str, table: str, key: Sequence[str]
) -> str | None:
    def fails(first: int, last: int, without: str = "") -> bool:
        replaced = f" replace (null::varchar as {quoted(without)})" if without else ""
        connection.execute(
            f"create or replace temp view {quoted(table)} as "
            f"select * exclude (customer_tiers_number){replaced} from {KEPT} "
            f"where customer_tiers_number between {first} and {last}"
        )
        return not _reads(connection, f"max(cast(columns(*) as varchar)) from {query}")

    [(last,)] = connection.execute(f"select count(*) from {KEPT}").fetchall()
    first = 1
    if fails(0, 0):
        return None  # another table is to blame
    while first < last:
        middle = (first + last) // 2
        if fails(first, middle):
            last = middle
        elif fails(middle + 1, last):
            first = middle + 1
        else:
            return None
    rows = connection.execute(f"select * from {KEPT} where customer_tiers_number = {first}")
    names = [str(column[0]) for column in rows.description or ()][1:]
    values = dict(zip(names, rows.fetchall()[0][1:], strict=True))
    guilty = [
        name
        for name, value in values.items()
        if value is not None
        and not name.startswith("_")
        and not fails(first, first, name)
        and connection.execute(f"select count(*) > 0 from {query}").fetchall() == [(True,)]
    ]  # without a value that only joins or filters there is no row left
    fails(first, first)
    named = " | ".join(_value(connection, query, name) for name in key)
    place = f"{values.get('_file') or table}, row {first} of those below the names"
    if values.get("_file"):  # rows are numbered over all files
        [(before,)] = connection.execute(
            f"select count(*) from {KEPT} where customer_tiers_number <= {first} "
            f"and _file = {literal(str(values['_file']))}"
        ).fetchall()
        place = f"{values['_file']}, row {before} of those below the names"
    what = f", column {guilty[0]}: {values[guilty[0]]!r:.60}" if guilty else ""
    return f"row {named} ({place}{what})"


def _reads(connection: duckdb.DuckDBPyConnection, select: str) -> bool:
    try:
        connection.execute(f"select {select}").fetchall()
    except duckdb.Error as error:
        if UNREADABLE.search(str(error)):
            return False
        raise
    return True


def _value(connection: duckdb.DuckDBPyConnection, query: str, name: str) -> str:
    """The value of a column in the one row that is left; the column's name if that is to blame."""
    try:
        [(value,)] = connection.execute(
            f"select max(cast({quoted(name)} as varchar)) from {query}"
        ).fetchall()
    except duckdb.Error:
        return name
    return str(value)
