"""Reading any other database that SQLAlchemy reaches: MySQL, MariaDB, SQL Server, Oracle.

The SELECT runs there, in that server's own SQL; its rows come through a server-side cursor in
blocks, so that memory does not grow with the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources.extract import (
    FIRST_CHANGE,
    WHOLE,
    ZERO_DAY,
    Months,
    Rows,
    Window,
    as_csv,
    check_columns,
    sent_columns,
    unknown_columns,
)

BLOCK_ROWS = 5_000
"""Rows fetched and handed to COPY at a time."""

KINDS = ("STRING", "NUMBER", "DECIMAL", "DATETIME", "BINARY")
"""Type objects that tell kinds of columns apart, of PEP 249 and, DECIMAL, of pymssql."""

MYSQL_KINDS = {
    "an integer": (1, 2, 3, 8, 9, 13, 16),
    "a decimal number": (0, 246),
    "a floating number": (4, 5),
    "a timestamp": (7, 17),
    "a datetime": (12, 18),
    "a date": (10, 14),
}
"""Kind of column -> types of MySQL's protocol, which its drivers do not sort as finely; all others
count as text, whose type depends on its length."""

LARGEST_VALUE = 20_000_000
"""Longest text taken from a cell; beyond it something else than a name or number was selected."""

DRIVERS = {
    "mysql": ("mysql+pymysql", "pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "pymysql", "mysql"),
    "mssql": ("mssql+pymssql", "pymssql", "mssql"),
    "oracle": ("oracle+oracledb", "oracledb", "oracle"),
}
"""Kind of database -> SQLAlchemy's name with the driver, the driver's module, our extra."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "pymysql": {
        "connect_timeout": 10,
        "charset": "utf8mb4",
        "init_command": "set time_zone='+00:00'",
    },
    "pymssql": {"login_timeout": 10, "charset": "UTF-8"},
    "oracledb": {"tcp_connect_timeout": 10},
}
"""What each driver is told besides the address."""

ISOLATION: dict[str, dict[str, Any]] = {
    "mysql": {"isolation_level": "REPEATABLE READ"},
    "mariadb": {"isolation_level": "REPEATABLE READ"},
}
"""How all is read as of one moment. Oracle does by READ_ONLY; SQL Server only where its database
allows snapshots, which is for its owner to say."""

READ_ONLY = {
    "mysql": "set session transaction read only",
    "mariadb": "set session transaction read only",
    "oracle": "set transaction read only",
}
"""How a session promises to change nothing. SQL Server has no such promise: grant SELECT only."""


DAY = {"oracle": "trunc({})"}
"""The day of a moment where `cast({} as date)` is none: Oracle's dates have a time."""


@contextmanager
def connect(source: str, system: str, name: str, url: str) -> Iterator[sa.Connection]:
    """Open a connection on which every entity is read.

    Raises:
        UserError: The address names no such database, its driver is missing, or it is not reached.
    """
    where = f"source {source}, system {system}"
    variable = f"AIRFLOW_CONN_{name.upper()}"
    engine = _engine(where, variable, url)
    try:
        connection = engine.connect()
    except TypeError as error:
        raise UserError(f"{where}: {variable} has an option too many: {error}") from None
    except sa.exc.DBAPIError as error:
        raise UserError(
            f"{where}: cannot connect: {said(error)}; "
            f"check that it runs and {variable} (host, port, user, password)"
        ) from None
    try:
        with connection:
            if promise := READ_ONLY.get(engine.dialect.name):
                connection.exec_driver_sql(promise)
            yield connection
    finally:
        engine.dispose()


def _engine(where: str, variable: str, url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UserError(f"{where}: {variable} is no address of a database") from None
    kind = address.get_backend_name()
    if kind not in DRIVERS:
        raise UserError(
            f"{where}: {variable} names {kind!r}; there are postgresql, {', '.join(DRIVERS)}"
        )
    full, module, extra = DRIVERS[kind]
    if "+" not in address.drivername:
        address = address.set(drivername=full)
    try:
        return sa.create_engine(
            address,
            poolclass=sa.NullPool,
            connect_args=ARGUMENTS.get(module, {}) if module in address.drivername else {},
            **ISOLATION.get(kind, {}),
        )
    except ModuleNotFoundError as error:
        raise UserError(
            f"{where}: the driver {error.name} is not installed; "
            f"install it with: pip install 'customer-tiers[{extra}]'"
        ) from None


class DatabaseExtract:
    """One entity's SELECT on such a database."""

    is_partial = False

    def __init__(self, connection: sa.Connection, source: str, entity: Entity, query: str) -> None:
        self._connection = connection
        self._source = source
        self._entity = entity
        self._query = f"(\n{query}\n) extract_"
        with self._fault_named():
            result = self._run(f"select * from {self._query} where 1 = 0")
            described = result.cursor.description if result.cursor is not None else ()
            returned = list(map(str, result.keys()))
            result.close()
        # Oracle and others answer in capitals what was not quoted.
        self._own_name = {name.lower(): name for name in returned}
        lowered = [name.lower() for name in returned]
        self.columns = check_columns(source, entity, lowered)
        self.extra = unknown_columns(entity, lowered)
        self.types = dict(zip(lowered, map(self._kind, described), strict=True))

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows, read as UTC where it names no zone."""
        column = self._named(str(self._entity.cursor))
        with self._fault_named():
            value = self._run(f"select max({column}) from {self._query}").scalar()
        if value is not None and not isinstance(value, datetime):
            raise UserError(
                f"source {self._source}, entity {self._entity.name}, column {self._entity.cursor}: "
                f"must be a timestamp, but holds {str(value)[:40]!r}; cast it in the SELECT"
            )
        return value.replace(tzinfo=value.tzinfo or UTC) if value else None

    def has_rows(self) -> bool:
        """Whether the source shows any row at all."""
        with self._fault_named():
            return bool(self._run(f"select count(*) from {self._query}").scalar())

    def months(self) -> Months:
        """Rows and sum per month, added up here from days: servers share no function for months."""
        if self._entity.period is None:
            with self._fault_named():
                count = self._run(f"select count(*) from {self._query}").scalar()
            return {WHOLE: (int(count), None)} if count else {}
        day = DAY.get(self._connection.dialect.name, "cast({} as date)").format(self._period)
        total = "null"
        if self._entity.sum in self.columns:
            total = f"sum({self._named(self._entity.sum)})"
        found: Months = {}
        with self._fault_named():
            days = self._run(f"select {day}, count(*), {total} from {self._query} group by {day}")
            for row in days:
                on, lines, amount = tuple(row)
                if isinstance(on, date):  # and not MySQL's 0000-00-00, which comes as text
                    month = date(on.year, on.month, 1)
                    known, so_far = found.get(month, (0, None))
                    added = Decimal(str(amount or 0))  # str: some servers keep amounts as doubles
                    found[month] = known + int(lines), added + (so_far or 0)
        return found

    @property
    def _period(self) -> str:
        return self._named(str(self._entity.period))

    def rows(self, window: Window) -> Rows:
        """The window's rows as CSV."""
        return Rows("csv", self.copy_csv(window))

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the window's rows as CSV for COPY."""
        names = ", ".join(map(self._named, (*self.columns, *self.extra)))
        statement, values = self._within(f"select {names} from {self._query}", window)
        with self._fault_named():
            result = self._run(statement, values, stream=True)
            try:
                for rows in result.partitions(BLOCK_ROWS):
                    yield self._as_csv(rows)
            finally:
                result.close()

    def _kind(self, described: Sequence[Any]) -> str:
        """The kind of type of a column, as its driver tells it."""
        name, code, _, _, _, scale, _ = described
        dialect = self._connection.dialect
        if dialect.name in ("mysql", "mariadb"):
            kind = next((kind for kind, codes in MYSQL_KINDS.items() if code in codes), "a text")
        else:
            found = (kind for kind in KINDS if code == getattr(dialect.dbapi, kind, None))
            kind = getattr(code, "name", None) or next(found, "another")  # oracledb names them
        own = name.lower()
        is_text = own in self.columns and self._entity.column(own).type == "text"
        is_decimal = scale and kind in ("a decimal number", "DECIMAL", "DB_TYPE_NUMBER")
        return f"{kind} of {scale} decimals" if is_text and is_decimal else kind

    def _run(
        self, statement: str, values: dict[str, Any] | None = None, *, stream: bool = False
    ) -> sa.CursorResult[Any]:
        # A colon before a letter would be a parameter of SQLAlchemy's, so the user's are escaped.
        text = statement if values else statement.replace(":", "\\:")
        options = {"stream_results": True, "yield_per": BLOCK_ROWS} if stream else {}
        return self._connection.execute(sa.text(text), values or {}, execution_options=options)

    def _named(self, column: str) -> str:
        name = self._own_name[column]
        return self._connection.dialect.identifier_preparer.quote_identifier(name)

    def _within(self, statement: str, window: Window) -> tuple[str, dict[str, Any]]:
        if window.months:
            return self._in_months(statement, window.months)
        if window.keys:
            return self._of_keys(statement, window.keys)
        if window.end is None:
            return statement, {}
        column = self._named(str(self._entity.cursor))
        values = {"window_end": _naive(window.end), "first_change": _naive(FIRST_CHANGE)}
        start = ""
        if window.start is not None:
            start, values["window_start"] = f"{column} >= :window_start and ", _naive(window.start)
        # A row without a change time would never be read again, so it is read each time.
        escaped = statement.replace(":", "\\:")
        is_none = f"{column} is null or {column} < :first_change"
        return f"{escaped} where {is_none} or ({start}{column} <= :window_end)", values

    def _in_months(self, statement: str, months: tuple[date, ...]) -> tuple[str, dict[str, Any]]:
        if self._entity.period is None:
            return statement, {}
        values: dict[str, Any] = {}
        for number, month in enumerate(months):
            is_last = month >= date.max.replace(day=1)
            later = date.max if is_last else (month + timedelta(days=31)).replace(day=1)
            values |= {f"from_{number}": month, f"to_{number}": later}
        within = " or ".join(
            f"({self._period} >= :from_{number} and {self._period} < :to_{number})"
            for number in range(len(months))
        )
        escaped = statement.replace(":", "\\:")
        return f"{escaped} where {within}", values

    def _of_keys(self, statement: str, keys: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        values = {f"key_{number}": key for number, key in enumerate(keys)}
        listed = ", ".join(f":{name}" for name in values)
        escaped = statement.replace(":", "\\:")
        return f"{escaped} where {self._named(self._entity.key[0])} in ({listed})", values

    def _as_csv(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """The rows as CSV, with `sent_columns` as the arrays' names."""
        columns = [
            pa.array([self._text(value, name) for value in values], pa.string())
            for name, values in zip(self.columns, zip(*rows, strict=True), strict=False)
        ]
        if self.extra:
            others = (zip(self.extra, row[len(columns) :], strict=True) for row in rows)
            columns.append(pa.array([json.dumps(dict(each), default=str) for each in others]))
        return as_csv(pa.record_batch(columns, names=list(sent_columns(self))))

    def _text(self, value: Any, name: str) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            kind = self._entity.column(name).type
            if value.startswith(ZERO_DAY) and kind in ("date", "timestamp"):
                return "-infinity"
            if len(value) > LARGEST_VALUE:
                raise self._fault(
                    f"column {name}: a value of {len(value):,} characters",
                    "shorten it in the SELECT",
                )
            return value
        if isinstance(value, datetime):
            return value.isoformat(" ")
        if isinstance(value, bytes | bytearray):
            return self._from_bytes(bytes(value), name)
        return str(value)

    def _from_bytes(self, value: bytes, name: str) -> str:
        if value in (b"\x00", b"\x01"):  # MySQL's bit(1)
            return "1" if value == b"\x01" else "0"
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise self._fault(
                f"column {name}: holds bytes that are no text",
                "cast it in the SELECT",
            ) from None

    @contextmanager
    def _fault_named(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise self._fault(said(error), "check the source, its rights and the SELECT") from None
        except sa.exc.SQLAlchemyError as error:
            raise self._fault(said(error), "correct the SELECT, or grant SELECT on it") from None

    def _fault(self, what: str, advice: str) -> UserError:
        path = f"sources/{self._source}/{self._entity.name.replace('.', '/')}.sql"
        return UserError(
            f"source {self._source}, entity {self._entity.name}: {what}; {advice} ({path})"
        )


def _naive(moment: datetime) -> datetime:
    """UTC without a zone, as these databases keep moments."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def said(error: sa.exc.SQLAlchemyError) -> str:
    """The driver's own words on one line, without SQLAlchemy's."""
    original = getattr(error, "orig", None)
    words = original.args[-1] if original is not None and original.args else original or error
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:300]
