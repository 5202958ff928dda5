"""Reading a folder of CSV files: each file is a table of text, and the SELECT runs in DuckDB.

The values stay text until they reach the typed stage table, so that a value of the wrong type is
reported with its column instead of being guessed at.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window, check_columns, unknown_columns

MAX_LINE_BYTES = 20_000_000
"""Longest line read; DuckDB's own limit of 2 MB would stop a night for one long text cell."""

BATCH_ROWS = 50_000
"""Rows handed to COPY at a time: about 10 MB, so memory does not grow with the file."""


ISO = r"^\d{4}-\d{2}-\d{2}([ T].*)?$"
NOT_ISO = "not ISO, column "

OTHER_DELIMITERS = (";", "\t", "|")


@contextmanager
def connect(system: System, path: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the folder: every `<table>.csv` in it becomes a table of text columns."""
    folder = system.folder(path)
    with duckdb.connect(":memory:") as connection:
        connection.execute("set memory_limit = '256MB'")
        connection.execute("set threads = 2")
        connection.execute("set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        seen: set[str] = set()
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() == ".csv" and file.is_file():
                if file.stem.lower() in seen:
                    raise UserError(
                        f"source {system.source}, system {system.name}: {file} and another file "
                        "differ only in upper and lower case; keep one"
                    )
                seen.add(file.stem.lower())
                _add_table(connection, system, file)
        yield connection


def _add_table(connection: duckdb.DuckDBPyConnection, system: System, file: Path) -> None:
    delimiter = system.options.get("delimiter", ",")
    header = _header(file, delimiter)
    if not header:
        return  # An empty file has no columns; a SELECT that needs it says so.
    where = f"source {system.source}, system {system.name}, file {file}"
    for other in OTHER_DELIMITERS:
        if len(header) == 1 and other in header[0]:
            raise UserError(
                f"{where}: the values seem to be separated by {other!r}, not {delimiter!r}; "
                f"set `delimiter` in sources/{system.source}/source.yml"
            )
    for position, name in enumerate(header, start=1):
        if not name.strip():
            raise UserError(f"{where}: column {position} has no name; name it in the first line")
        if [other.lower() for other in header].count(name.lower()) > 1:
            raise UserError(f"{where}, column {name}: there twice; rename one in the first line")
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in header)
    connection.execute(
        f"create view {_quoted(file.stem)} as select * from read_csv({_literal(str(file))}, "
        f"header = true, auto_detect = false, delim = {_literal(delimiter)}, quote = '\"', "
        f"escape = '\"', columns = {{{columns}}}, max_line_size = {MAX_LINE_BYTES}, "
        f"buffer_size = {2 * MAX_LINE_BYTES})"
    )


def _header(file: Path, delimiter: str) -> list[str]:
    with file.open("rb") as stream:
        line = stream.readline(MAX_LINE_BYTES)
    try:
        return next(csv.reader(io.StringIO(line.decode("utf-8-sig")), delimiter=delimiter), [])
    except UnicodeDecodeError:
        raise UserError(f"{file}: line 1 is not valid UTF-8; save the file as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{file}, line 1: {error}; save the file as ordinary CSV") from None


class FileExtract:
    """One entity's SELECT over a folder of CSV files."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        system: System,
        path: str | None,
        entity: Entity,
        query: str,
    ) -> None:
        self._connection = connection
        self._system = system
        self._folder = system.folder(path)
        self._entity = entity
        self._query = f"(\n{query}\n) as extract"
        with self._fault_named():
            described = connection.execute(f"describe select * from {self._query}").fetchall()
        returned = [str(row[0]) for row in described]
        self.columns = check_columns(system.source, entity, returned)
        self.extra = unknown_columns(entity, returned)

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows, read as UTC where it names no zone."""
        column = _quoted(str(self._entity.cursor))
        value = self._value(f"max(try_cast({column} as timestamptz))")
        return value.astimezone(UTC) if isinstance(value, datetime) else None

    def has_rows(self) -> bool:
        """Whether the files hold any row at all."""
        return bool(self._value("count(*) > 0"))

    def _value(self, expression: str) -> Any:
        with self._fault_named():
            row = self._connection.execute(f"select {expression} from {self._query}").fetchone()
        return row[0] if row else None

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the window's rows as CSV for COPY; all values as text."""
        names = ", ".join(self._as_text(name) for name in self.columns)
        with self._fault_named():
            relation = self._connection.sql(
                f"select {names} from {self._query} where {self._within(window)}"
            )
            for batch in relation.to_arrow_reader(BATCH_ROWS):
                yield _as_csv(batch)

    def _as_text(self, name: str) -> str:
        """The column as text; days and moments must be ISO, or PostgreSQL would read 03.04. as it
        likes and `yesterday` as a day."""
        text = f"cast({_quoted(name)} as varchar)"
        if self._entity.column(name).type not in ("date", "timestamp"):
            return f"{text} as {_quoted(name)}"
        problem = _literal(f"{NOT_ISO}{name}: ")
        return (
            f"case when {text} is null or regexp_matches({text}, {_literal(ISO)}) then {text} "
            f"else error({problem} || left({text}, 40)) end as {_quoted(name)}"
        )

    def _within(self, window: Window) -> str:
        if window.end is None:
            return "true"
        column = f"try_cast({_quoted(str(self._entity.cursor))} as timestamptz)"
        start = "true" if window.start is None else f"{column} >= {_literal(window.start)}"
        return f"({column} is null or ({start} and {column} <= {_literal(window.end)}))"

    @contextmanager
    def _fault_named(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:  # OSError: while streaming
            where = f"source {self._system.source}, entity {self._entity.name}"
            raise UserError(f"{where}: {self._explain(str(error))}") from None

    def _explain(self, message: str) -> str:
        """Turn DuckDB's many lines into one that says what to do."""
        path = f"sources/{self._system.source}/{self._entity.name.replace('.', '/')}.sql"
        if table := re.search(r"Table with name (\S+) does not exist", message):
            return f"there is no file {table[1]}.csv with a header in {self._folder}; add it"
        if not_iso := re.search(f"{NOT_ISO}(.*)", message):
            name, _, value = not_iso[1].partition(": ")
            return (
                f"column {name}: {value!r} is no date in the form YYYY-MM-DD; correct it, or read "
                f"it with strptime in {path}"
            )
        if column := re.search(r'Referenced column "([^"]+)" not found', message):
            return (
                f"column {column[1]} is not in its file in {self._folder}; "
                f"restore the column or correct {path}"
            )
        if "nvalid unicode" in message or "not utf-8" in message:
            return first_bad_text(self._folder, message, self._system.options.get("delimiter", ","))
        file = re.search(r"file = (\S+)", message)
        line = re.search(r"Line: (\d+)", message)
        place = f"{file[1]}, line {line[1]}: " if file and line else ""
        if "Maximum line size" in message:
            return f"{place}a line is longer than {MAX_LINE_BYTES:,} bytes; shorten it in the file"
        text = re.sub(r"Original Line: .*", "", message.split("Possible")[0])
        return f"{place}{' '.join(text.split())[:300]}; correct the file or {path}"


def first_bad_text(folder: Path, message: str, delimiter: str) -> str:
    """Say which file, line and column is not UTF-8, for the file that the message names."""
    named = re.search(r"file = (.+?)\s*(\n|$)", message)
    files = [Path(named[1])] if named else sorted(folder.glob("*.csv"))
    for file in files:
        with file.open("rb") as stream:
            header = stream.readline().decode("utf-8-sig", "replace").strip().split(delimiter)
            for number, line in enumerate(stream, start=2):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    index = min(line[: error.start].count(delimiter.encode()), len(header) - 1)
                    return (
                        f"{file}, line {number}, column {header[index]}: "
                        "not valid UTF-8; save the file as UTF-8"
                    )
    return f"a file in {folder} is not valid UTF-8; save it as UTF-8"


def _as_csv(batch: pa.RecordBatch) -> bytes:
    """CSV in which an absent value is empty and an empty text is quoted, as COPY reads them."""
    sink = io.BytesIO()
    pa_csv.write_csv(batch, sink, pa_csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str | datetime) -> str:
    text = value.isoformat() if isinstance(value, datetime) else value
    return "'" + text.replace("'", "''") + "'"
