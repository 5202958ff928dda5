"""SELECTs in DuckDB over what was staged there: the files of a folder, or the pages of an API.

The values stay text until they reach the typed stage table, so that a value of the wrong type is
reported with its column instead of being guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa

from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import lineage, number_style, unreadable
from customer_tiers.sources.definition import System
from customer_tiers.sources.duck import literal, own_limit, quoted
from customer_tiers.sources.extract import (
    FIRST_CHANGE,
    WHOLE,
    ZERO_DAY,
    Months,
    Rows,
    Window,
    as_csv,
    check_columns,
    unknown_columns,
)
from customer_tiers.sources.lineage import Origin
from customer_tiers.sources.number_style import AMOUNT, STYLE_OF, Evidence, Numbers, Style

BATCH_ROWS = 5_000
"""Rows handed to COPY at a time: about 1 MB, so memory does not grow with the source."""

ISO = r"^(\d{4}-\d{2}-\d{2}([ T].*)?|-?infinity)$"


class StagedExtract:
    """One entity's SELECT over tables of text."""

    is_partial = False
    _may_hold_commas = True
    """False spares the look at every number for a comma in it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        system: System,
        source: str,
        entity: Entity,
        query: str,
    ) -> None:
        self._connection = connection
        self._system = system
        self._text = query
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
        value, _ = self._seen
        return value.astimezone(UTC) if isinstance(value, datetime) else None

    @cached_property
    def _seen(self) -> tuple[datetime | None, dict[str, Numbers]]:
        """What one pass through all rows tells: the newest change, and which separators the
        columns of numbers hold. A file is read again for each pass."""
        newest = "max(cast(null as timestamptz))"
        if self._entity.cursor in self.columns:
            moment = f"try_cast({quoted(self._entity.cursor)} as timestamptz)"
            newest = f"max({moment}) filter (where isfinite({moment}))"
        looks = [
            look
            for column in self._numbers
            for look in number_style.look(
                quoted(column.name), may_hold_commas=self._may_hold_commas
            )
        ]
        value, *told = self._values(newest, *looks)
        flags = [Numbers(*map(bool, told[at : at + 3])) for at in range(0, len(told), 3)]
        names = [column.name for column in self._numbers]
        return value, dict(zip(names, flags, strict=True))

    @cached_property
    def _numbers(self) -> list[number_style.Column]:
        """The columns of numbers that the SELECT hands on as text that was delivered."""
        found = []
        for name in self.columns:
            kind = self._entity.column(name).type
            origin = self._origins.get(name, Origin(frozenset({("", name)})))
            is_number = kind in ("numeric", "integer") and self._is_text[name]
            if is_number and origin.columns:
                found.append(self._number(name, origin, is_integer=kind == "integer"))
        return found

    def _number(self, name: str, origin: Origin, *, is_integer: bool) -> number_style.Column:
        given = {self._system.decimal(table) for table, _ in origin.columns}
        return number_style.Column(
            name=name,
            delivered=origin.columns,
            given=STYLE_OF.get(str(given.pop())) if len(given) == 1 else None,
            is_mixed=origin.is_calculated,
            is_integer=is_integer,
        )

    @cached_property
    def _origins(self) -> dict[str, Origin]:
        """Where each column comes from; empty for a SELECT that cannot be followed."""
        try:
            traced = lineage.trace(self._connection, self._text, self._delivered)
        except lineage.Lost:
            return {}
        names = [name.lower() for name, _ in traced]
        if names != [name.lower() for name in self._is_text]:
            return {}
        return dict(zip(self._is_text, (origin for _, origin in traced), strict=True))

    @cached_property
    def _delivered(self) -> dict[str, list[str]]:
        """The delivered tables by name in lower case, with their columns."""
        rows = self._connection.execute(
            "select lower(table_name), column_name from duckdb_columns() where not internal "
            "order by table_name, column_index"
        ).fetchall()
        tables: dict[str, list[str]] = {}
        for table, column in rows:
            tables.setdefault(table, []).append(column)
        return tables

    def _is_typed(self, table: str, column: str) -> bool:
        """Whether a delivered column holds numbers, not text that looks like them."""
        return False

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
            text = _plain(self._entity.sum, self._number_styles.get(self._entity.sum))
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
        styles = self._number_styles
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

    @cached_property
    def _number_styles(self) -> dict[str, Style]:
        """How the number columns that are not plain are written.

        Raises:
            UserError: A column holds both ways, or only values such as 1,234 that could be either.
        """
        _, seen = self._seen
        if not any(number_style.needs_evidence(one, seen[one.name]) for one in self._numbers):
            return {}
        texts = [  # JSON's own numbers and a workbook's have a point, and say nothing of texts
            one for one in self._numbers if not all(self._is_typed(*at) for at in one.delivered)
        ]
        asked = [one for one in texts if number_style.needs_evidence(one, seen[one.name])]
        found: dict[str, Evidence] = {}
        if asked:
            columns = (quoted(column.name) for column in asked)
            told = self._values(*(part for one in columns for part in number_style.gather(one)))
            for place, column in enumerate(asked):
                found[column.name] = Evidence(*told[4 * place : 4 * place + 4])
        where = f"source {self._source}, entity {self._entity.name}"
        return number_style.decide(where, texts, seen, found)

    def _as_text(self, name: str, style: Style | None) -> str:
        """The column as text; days and moments must be ISO, or PostgreSQL would read 03.04. as it
        likes and `yesterday` as a day."""
        text = _plain(name, style)
        kind = self._entity.column(name).type
        if kind not in ("date", "timestamp"):
            return f"{text} as {quoted(name)}"
        problem = literal(f"{unreadable.NOT_ISO}{name}: ")
        key = ", ".join(f"cast({quoted(part)} as varchar)" for part in self._entity.key)
        return (
            f"case when starts_with({text}, {literal(ZERO_DAY)}) then '-infinity' "
            f"when {text} is null or regexp_matches({text}, {literal(ISO)}) then {text} "
            f"else error({problem} || left({text}, 40) || {literal(unreadable.OF_ROW)} || "
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
        is_none = (
            f"{column} is null or not isfinite({column}) or {column} < {literal(FIRST_CHANGE)}"
        )
        return f"({is_none} or ({start} and {column} <= {literal(window.end)}))"

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
        if column := re.search(r'Referenced column "([^"]+)" not found', message):
            return f"column {column[1]} is not {self._place()}; restore it or correct {path}"
        if limit := own_limit(message):
            return limit
        if unreadable.UNREADABLE.search(message) and unreadable.NOT_ISO not in message:
            found = unreadable.find(
                self._connection, self._query, self._tables_read(), self._entity.key
            )
            if found is not None:
                said = " ".join(message.split("LINE 1")[0].split())[:160]
                return (
                    f"{found}: the SELECT cannot read it ({said}); have it corrected, or use "
                    f"try_strptime or try_cast in {path}: then such a value is null, and a row "
                    "that lacks a required one waits in quarantine"
                )
        return unreadable.explain(message, path)

    def _tables_read(self) -> list[str]:
        """The delivered tables that the SELECT names."""
        try:
            parse = lineage.parsed(self._connection, self._text)
        except (lineage.Lost, duckdb.Error):
            return []
        named = dict.fromkeys(name.lower() for name in lineage.tables_of(parse))
        return [name for name in named if name in self._delivered]

    def _missing_table(self, table: str) -> str:
        return f"there is no table {table} {self._place()}"

    def _place(self) -> str:
        return "at the source"


def _plain(name: str, style: Style | None) -> str:
    """The column as text; a number without what separates its thousands, and with a point."""
    return number_style.plain(f"cast({quoted(name)} as varchar)", style)
