"""SELECTs in DuckDB over what was staged there: the files of a folder, or the pages of an API.

The values stay text until they reach the typed stage table, so that a value of the wrong type is
reported with its column instead of being guessed at.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from customer_tiers import settings
from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.errors import UserError
from customer_tiers.sources.extract import (
    WHOLE,
    Months,
    Rows,
    Window,
    as_csv,
    check_columns,
    unknown_columns,
)

BATCH_ROWS = 5_000
"""Rows handed to COPY at a time: about 1 MB, so memory does not grow with the source."""

ISO = r"^\d{4}-\d{2}-\d{2}([ T].*)?$"
NOT_ISO = "not ISO, column "
OF_ROW = " of the row with the key "

DECIMAL_COMMA = r"^\s*[+-]?(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,}))\s*$"
"""Numbers that are only right if the comma separates the decimals: 1.234,5 and 0,75."""

DECIMAL_POINT = r"^\s*[+-]?(\d{1,3}(,\d{3})+\.\d*|\d+\.\d+|\d{1,3}(,\d{3}){2,})\s*$"
"""Numbers that are only right if the comma separates thousands: 1,234.5 and 1,234,567."""

AMOUNT = "decimal(18, 6)"
"""What the amounts of a month are added up as: wider ones take ten times longer."""

THOUSANDS = r"^\s*[+-]?\d{1,3}(\.\d{3})+\s*$"
"""Numbers with points between thousands and no decimals."""


@contextmanager
def connect(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of our own in memory, which spills to the scratch folder."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"set memory_limit = {literal(settings.LOADER_MEMORY)}")
        connection.execute("set threads = 1")  # each has its buffers; COPY needs a core, too
        connection.execute("set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"set temp_directory = {literal(str(scratch))}")
        yield connection


class StagedExtract:
    """One entity's SELECT over tables of text."""

    is_partial = False
    _may_hold_commas = True
    """False spares the look at every number for a comma in it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: str, entity: Entity, query: str
    ) -> None:
        self._connection = connection
        self._source = source
        self._entity = entity
        self._query = f"(\n{query}\n) as extract"
        with self._fault_named():
            described = connection.execute(f"describe select * from {self._query}").fetchall()
        returned = [str(row[0]) for row in described]
        self.columns = check_columns(source, entity, returned)
        self.extra = unknown_columns(entity, returned)
        self.types: dict[str, str] = {}  # all is text but what the SELECT itself casts
        self._is_text = {str(row[0]): str(row[1]) == "VARCHAR" for row in described}

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows, read as UTC where it names no zone."""
        value = self._seen["newest"]
        return value.astimezone(UTC) if isinstance(value, datetime) else None

    @cached_property
    def _seen(self) -> dict[str, Any]:
        """What one pass through all rows tells: the newest change, and the columns of numbers in
        which there are commas. A file is read again for each pass."""
        numbers = [
            name
            for name in self.columns
            if self._may_hold_commas
            and self._is_text[name]
            and self._entity.column(name).type in ("numeric", "integer")
        ]
        newest = "max(cast(null as timestamptz))"
        if self._entity.cursor in self.columns:
            newest = f"max(try_cast({quoted(self._entity.cursor)} as timestamptz))"
        value, *commas = self._values(
            newest, *(f"bool_or(contains({quoted(name)}, ','))" for name in numbers)
        )
        have = [name for name, has_commas in zip(numbers, commas, strict=True) if has_commas]
        return {"newest": value, "numbers": numbers, "commas": have}

    def has_rows(self) -> bool:
        """Whether there is any row at all."""
        return bool(self._values("count(*) > 0")[0])

    def _values(self, *expressions: str) -> tuple[Any, ...]:
        statement = f"select {', '.join(expressions)} from {self._query}"
        with self._fault_named():
            # fetchone would leave the result open, and the connection busy with it.
            values: tuple[Any, ...] = self._connection.execute(statement).fetchall()[0]
        return values

    def months(self) -> Months | None:
        """Rows and sum per month (UTC); a value that is no day or number is left out."""
        total = "null"
        if self._entity.sum in self.columns:
            text = _plain(self._entity.sum, self._number_styles().get(self._entity.sum))
            total = f"sum(try_cast({text} as {AMOUNT}))"
        with self._fault_named():
            rows = self._connection.execute(
                f"select {self._month}, count(*), {total} from {self._query} group by 1"
            ).fetchall()
        return {month: (count, amount) for month, count, amount in rows if month is not None}

    @property
    def _month(self) -> str:
        if self._entity.period is None:
            return f"date {literal(WHOLE)}"
        period = self._entity.column(self._entity.period)
        text = f"cast({quoted(period.name)} as varchar)"
        day = f"try_cast({text} as timestamptz)"  # in a session whose zone is UTC
        if period.type == "date":
            day = f"try_cast(left({text}, 10) as date)"
        return f"cast(date_trunc('month', cast({day} as date)) as date)"

    def rows(self, window: Window) -> Rows:
        """The window's rows as CSV."""
        return Rows("csv", self.copy_csv(window))

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the window's rows as CSV for COPY; all values as text."""
        styles = self._number_styles()
        texts = [self._as_text(name, styles.get(name)) for name in self.columns]
        if self.extra:
            fields = ", ".join(f"{literal(name)}: {quoted(name)}" for name in self.extra)
            texts.append(f"cast(to_json({{{fields}}}) as varchar) as {quoted(UNKNOWN)}")
        names = ", ".join(texts)
        with self._fault_named():
            relation = self._connection.sql(
                f"select {names} from {self._query} where {self._within(window)}"
            )
            for batch in relation.to_arrow_reader(BATCH_ROWS):
                yield as_csv(batch)

    def _number_styles(self) -> dict[str, str]:
        """Number columns that are not plain: `comma` for 1.234,56 and `point` for 1,234.56.

        Raises:
            UserError: A column holds both ways, or only values such as 1,234 that could be either.
        """
        texts = self._seen["numbers"]
        styles = {name: self._style(name) for name in self._seen["commas"]}
        if "comma" in styles.values():  # then 1.234 in another column is a thousand and more
            thousands = self._values(
                *(
                    f"bool_and(regexp_matches({quoted(name)}, {literal(THOUSANDS)})) "
                    f"filter (where contains({quoted(name)}, '.'))"
                    for name in texts
                )
            )
            styles |= {n: "comma" for n, is_one in zip(texts, thousands, strict=True) if is_one}
        return styles

    def _style(self, name: str) -> str:
        column = quoted(name)
        comma, point, example = self._values(
            f"count_if(regexp_matches({column}, {literal(DECIMAL_COMMA)}))",
            f"count_if(regexp_matches({column}, {literal(DECIMAL_POINT)}))",
            f"min({column}) filter (where contains({column}, ','))",
        )
        if bool(comma) != bool(point):
            return "comma" if comma else "point"
        raise UserError(
            f"source {self._source}, entity {self._entity.name}, column {name}: is {example!r} "
            "written with a decimal comma or with commas between thousands? Say so in the SELECT, "
            f"for example replace({name}, ',', '.')"
        )

    def _as_text(self, name: str, style: str | None) -> str:
        """The column as text; days and moments must be ISO, or PostgreSQL would read 03.04. as it
        likes and `yesterday` as a day."""
        text = _plain(name, style)
        kind = self._entity.column(name).type
        if kind not in ("date", "timestamp"):
            return f"{text} as {quoted(name)}"
        problem = literal(f"{NOT_ISO}{name}: ")
        key = ", ".join(f"cast({quoted(part)} as varchar)" for part in self._entity.key)
        return (
            f"case when {text} is null or regexp_matches({text}, {literal(ISO)}) then {text} "
            f"else error({problem} || left({text}, 40) || {literal(OF_ROW)} || "
            f"concat_ws('|', {key})) end as {quoted(name)}"
        )

    def _within(self, window: Window) -> str:
        if window.months:
            # A row whose month we cannot tell may be of one of them; left out, it would be deleted.
            months = ", ".join(f"date {literal(month)}" for month in window.months)
            return f"({self._month} in ({months}) or {self._month} is null)"
        if window.keys:
            keys = ", ".join(map(literal, window.keys))
            return f"cast({quoted(self._entity.key[0])} as varchar) in ({keys})"
        if window.end is None:
            return "true"
        column = f"try_cast({quoted(str(self._entity.cursor))} as timestamptz)"
        start = "true" if window.start is None else f"{column} >= {literal(window.start)}"
        return f"({column} is null or ({start} and {column} <= {literal(window.end)}))"

    @contextmanager
    def _fault_named(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:  # OSError: while streaming
            where = f"source {self._source}, entity {self._entity.name}"
            raise UserError(f"{where}: {self._explain(str(error))}") from None

    def _explain(self, message: str) -> str:
        """Turn DuckDB's many lines into one that says what to do."""
        path = f"sources/{self._source}/{self._entity.name.replace('.', '/')}.sql"
        if table := re.search(r"Table with name (.+?) does not exist", message):
            return self._missing_table(table[1])
        if not_iso := re.search(f"{NOT_ISO}(.*)", message):
            name, _, value = not_iso[1].partition(": ")
            value, _, key = value.rpartition(OF_ROW)
            return (
                f"column {name}, row {key}: {value!r} is no date in the form YYYY-MM-DD; correct "
                f"it, or read it with strptime in {path}"
            )
        if column := re.search(r'Referenced column "([^"]+)" not found', message):
            return f"column {column[1]} is not {self._place()}; restore it or correct {path}"
        if limit := own_limit(message):
            return limit
        text = message.split("Possible")[0]
        return f"{' '.join(text.split())[:300]}; correct what was delivered or {path}"

    def _missing_table(self, table: str) -> str:
        return f"there is no table {table} {self._place()}"

    def _place(self) -> str:
        return "at the source"


def _plain(name: str, style: str | None) -> str:
    """The column as text; a number without what separates its thousands, and with a point."""
    text = f"cast({quoted(name)} as varchar)"
    if style == "comma":
        return f"replace(replace({text}, '.', ''), ',', '.')"
    return f"replace({text}, ',', '')" if style == "point" else text


def quoted(name: str) -> str:
    """A name as DuckDB quotes it."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: Path | str) -> str:
    """The path of a file as DuckDB reads it: to DuckDB a path is a pattern."""
    return literal(re.sub(r"[\[*?{]", r"[\g<0>]", str(path)))


def own_limit(message: str) -> str | None:
    """Say of a fault of DuckDB that it is a limit of ours, and what to do; None if it is none."""
    if "Out of Memory" in message:
        return (
            f"reading it needs more memory than the {settings.LOADER_MEMORY} that DuckDB may take "
            "here, which is a limit of this program and no fault of the data; set "
            "CUSTOMER_TIERS_LOADER_MEMORY to more, for example 400MB"
        )
    if "max_temp_directory_size" in message or "No space left" in message:
        return (
            f"the disk of {tempfile.gettempdir()}, where rows lie while they are read, is full, "
            "which is no fault of the data; make room, or set TMPDIR to a folder with more"
        )
    return None


def literal(value: str | date) -> str:
    """A value as DuckDB quotes it."""
    text = value.isoformat() if isinstance(value, date) else value
    return "'" + text.replace("'", "''") + "'"
