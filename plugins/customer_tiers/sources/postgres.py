"""Reading a PostgreSQL source: the SELECT runs there and its rows are streamed out by COPY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import copy_out
from customer_tiers.sources.extract import (
    FIRST_CHANGE,
    WHOLE,
    Months,
    Rows,
    Window,
    check_columns,
    unknown_columns,
)

FALSE = sql.SQL("false")

CONNECT_TIMEOUT_SECONDS = 10
"""A source that does not answer within this time counts as down."""

INTEGERS = ("int2", "int4", "int8")
SAME_AS_TEXT = {
    "text": ("text", "varchar", "name", "uuid", *INTEGERS),
    "integer": INTEGERS,
    "numeric": ("numeric", *INTEGERS),
    "date": ("date",),
    "timestamp": ("timestamptz", "timestamp"),
    "boolean": ("bool",),
}
"""Type of the contract -> types at the source whose cast to it gives what their text would. Columns
of these travel in COPY's binary form, which spares both servers most of the work. With any other
column among them all travel as text, so that a wrong value is reported with its row and column."""


KINDS = {
    "an integer": ("smallint", "integer", "bigint"),
    "a text": ("text", "character varying", "name"),
    "a floating number": ("real", "double precision"),
}
"""Kind of type -> types whose values are written alike; any other type is a kind of its own."""


@contextmanager
def connect(source: str, system: str, name: str, url: str) -> Iterator[psycopg.Connection]:
    """Open a read-only connection on which every entity is read, all of them as of one moment."""
    try:
        connection = psycopg.connect(
            url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            options="-c timezone=UTC -c datestyle=ISO -c client_encoding=UTF8 "
            "-c idle_in_transaction_session_timeout=0",
            application_name="customer-tiers",
        )
    except psycopg.Error as error:
        raise UserError(
            f"source {source}, system {system}: cannot connect: {reason(error)}; "
            f"check that it runs and AIRFLOW_CONN_{name.upper()} (host, port, user, password)"
        ) from None
    with connection:
        connection.read_only = True
        # A row that is written while we read would be counted and not read, or read without what
        # it refers to.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("select 1")
        yield connection


class PostgresExtract:
    """One entity's SELECT on a PostgreSQL source."""

    is_partial = False

    def __init__(
        self, connection: psycopg.Connection, source: str, entity: Entity, query: str
    ) -> None:
        self._connection = connection
        self._source = source
        self._entity = entity
        self._query = sql.SQL("(\n" + query + "\n) as extract")  # type: ignore[arg-type]
        with self._fault_named(), connection.transaction(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("select * from {} limit 0").format(self._query))
            described = cursor.description or []
            returned = [column.name for column in described]
        types = {column.name: column.type_code for column in described}
        self.columns = check_columns(source, entity, returned)
        self.extra = unknown_columns(entity, returned)
        self.types = self._kinds(described)
        self._is_typed = all(
            types[name] in {psycopg.adapters.types[kind].oid for kind in self._fitting(name)}
            for name in self.columns
        )

    def _kinds(self, described: list[psycopg.Column]) -> dict[str, str]:
        with self._fault_named(), self._connection.transaction():
            names = self._connection.execute(
                "select format_type(oid, null) from unnest(%s::oid[]) with ordinality "
                "as found (oid) order by ordinality",
                [[column.type_code for column in described]],
            ).fetchall()
        kinds = {}
        for column, (name,) in zip(described, names, strict=True):
            kinds[column.name] = next((k for k, types in KINDS.items() if name in types), name)
            if name == "character":  # is filled up with blanks
                kinds[column.name] = f"{name}({column.display_size})"
            if name == "numeric" and column.scale is not None and self._is_text(column.name):
                kinds[column.name] = f"{name} of {column.scale} decimals"
        return kinds

    def _is_text(self, column: str) -> bool:
        return column in self.columns and self._entity.column(column).type == "text"

    def _fitting(self, column: str) -> tuple[str, ...]:
        return SAME_AS_TEXT[self._entity.column(column).type]

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows; None without rows."""
        # The last one in order, and not the maximum: an index finds it under joins as well.
        cursor = sql.Identifier(str(self._entity.cursor))
        is_none = sql.SQL("{} = 'infinity'").format(cursor) if self._is_moment else FALSE
        with self._fault_named(), self._connection.transaction():
            row = self._connection.execute(
                sql.SQL(
                    "select {0} from {1} where {0} is not null and not {2} "
                    "order by {0} desc limit 1"
                ).format(cursor, self._query, is_none)
            ).fetchone()
        value = row[0] if row else None
        if value is not None and not isinstance(value, datetime):
            raise UserError(
                f"source {self._source}, entity {self._entity.name}, column {self._entity.cursor}: "
                f"must be a timestamp, but holds {value!r}; cast it in the SELECT"
            )
        # A column without a zone is UTC by contract.
        return value.replace(tzinfo=value.tzinfo or UTC) if value else None

    def has_rows(self) -> bool:
        """Whether the source shows any row at all."""
        with self._fault_named(), self._connection.transaction():
            row = self._connection.execute(
                sql.SQL("select exists (select 1 from {})").format(self._query)
            ).fetchone()
        return bool(row and row[0])

    def rows(self, window: Window) -> Rows:
        """The window's rows: in binary form as the types of the contract where that is safe."""
        if not self._is_typed:
            return Rows("csv", self.copy_csv(window))
        return Rows("binary", self._copy(window, is_typed=True))

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the window's rows as CSV for COPY."""
        return self._copy(window)

    def months(self) -> Months:
        """Rows and sum per month (UTC)."""
        total = sql.SQL("sum({})").format(sql.Identifier(str(self._entity.sum)))
        with self._fault_named(), self._connection.transaction():
            rows = self._connection.execute(
                sql.SQL(
                    "select {month}, sum(lines)::bigint, sum(total) from ("
                    "select {day} as day, count(*) as lines, {total} as total from {rows} "
                    "group by 1) as days where {month} between {first} and {last} group by 1"
                ).format(
                    first=sql.Literal(date.min),
                    last=sql.Literal(date.max),
                    month=self._month(sql.Identifier("day")),
                    day=self._period,
                    total=total if self._sums else sql.SQL("null::numeric"),
                    rows=self._query,
                )
            ).fetchall()
        return {month: (count, amount) for month, count, amount in rows if month is not None}

    @property
    def _sums(self) -> bool:
        return self._entity.sum in self.columns

    @property
    def _period(self) -> sql.Composable:
        if self._entity.period is None:
            return sql.Literal(WHOLE)
        return sql.Identifier(self._entity.period)

    def _month(self, period: sql.Composable) -> sql.Composed:
        # the session's zone is UTC, so a day and a moment without a zone are taken as UTC
        return sql.SQL("date_trunc('month', {}::timestamptz)::date").format(period)

    def _copy(self, window: Window, *, is_typed: bool = False) -> Iterator[bytes | memoryview]:
        columns: list[sql.Composable] = [
            sql.SQL("{}::{}").format(sql.Identifier(name), self._type(name))
            if is_typed
            else sql.Identifier(name)
            for name in self.columns
        ]
        if self.extra:
            known = sql.Literal(list(self.columns))
            columns.append(sql.SQL("to_jsonb(extract.*) - {}::text[]").format(known))
        statement = sql.SQL("copy (select {} from {} where {}) to stdout (format {})").format(
            sql.SQL(", ").join(columns),
            self._query,
            self._within(window),
            sql.SQL("binary" if is_typed else "csv"),
        )
        with self._fault_named(), self._connection.transaction():
            yield from copy_out.blocks(self._connection, statement)

    def _type(self, column: str) -> sql.SQL:
        return sql.SQL(self._entity.column(column).sql_type)  # type: ignore[arg-type]

    def _within(self, window: Window) -> sql.Composable:
        if window.months:
            listed = sql.SQL(", ").join(map(sql.Literal, window.months))
            return sql.SQL("{} in ({})").format(self._month(self._period), listed)
        if window.keys:
            listed = sql.SQL(", ").join(map(sql.Literal, window.keys))
            return sql.SQL("{} in ({})").format(sql.Identifier(self._entity.key[0]), listed)
        if window.end is None:
            return sql.SQL("true")
        column = sql.Identifier(str(self._entity.cursor))
        start: sql.Composable = sql.SQL("true")
        if window.start is not None:
            start = sql.SQL("{} >= {}").format(column, sql.Literal(window.start))
        # A row without a change time would never be read again, so it is read each time.
        is_none: sql.Composable = FALSE
        if self._is_moment:
            is_none = sql.SQL("{0} = 'infinity' or {0} < {1}").format(
                column, sql.Literal(FIRST_CHANGE)
            )
        return sql.SQL("({} is null or {} or ({} and {} <= {}))").format(
            column, is_none, start, column, sql.Literal(window.end)
        )

    @property
    def _is_moment(self) -> bool:
        """Whether the cursor can be infinite."""
        return self.types.get(str(self._entity.cursor), "").startswith("timestamp")

    @contextmanager
    def _fault_named(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            raise self._fault(error, "grant SELECT on it to the user of the connection") from None
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise self._fault(error, "correct the SELECT or restore it at the source") from None
        except psycopg.OperationalError as error:
            raise self._fault(error, "check the source and run the night again") from None
        except psycopg.Error as error:
            raise self._fault(error, "correct the SELECT") from None

    def _fault(self, error: psycopg.Error, advice: str) -> UserError:
        path = f"sources/{self._source}/{self._entity.name.replace('.', '/')}.sql"
        return UserError(
            f"source {self._source}, entity {self._entity.name}: {reason(error)}; {advice} ({path})"
        )


def reason(error: psycopg.Error) -> str:
    """The database's own words on one line: the last that says what failed."""
    if error.diag.message_primary:
        return " ".join(error.diag.message_primary.split())
    lines = str(error).strip().splitlines() or [type(error).__name__]
    telling = [line for line in lines if "failed:" in line or "FATAL:" in line] or lines
    return telling[-1].split("FATAL:")[-1].strip(" -")
