"""Reading a folder of delivered files: CSV files and the sheets of workbooks become tables.

A table is one file, or all files of one pattern (`tables` in source.yml). Files that are still
being written are waited for or left; a file that was delivered twice is read once; with `archive` a
copy of all that was read is kept, and a table is what the archive and the folder hold together.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import drops, staged, text_file
from customer_tiers.sources.definition import System
from customer_tiers.sources.staged import StagedExtract, literal, quoted
from customer_tiers.sources.text_file import TextFile

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TEXTS = (".csv", ".tsv", ".txt")

MAX_LINE_BYTES = 20_000_000
"""Longest record read: beyond it a quote was opened and never closed."""

LEAST_BUFFER = 2_000_000
"""DuckDB's reading buffer, per thread; larger only for a file with longer records."""


@dataclass(frozen=True)
class Folder:
    """An opened folder."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    may_hold_commas: bool


@contextmanager
def connect(
    system: System, path: str | None, queries: str | None = None, *, keeps: bool = True
) -> Iterator[Folder]:
    """Open the folder: the tables that source.yml and the files' names give can be selected from.

    Args:
        system: Its block in source.yml.
        path: The folder, if not the one in source.yml.
        queries: All SELECTs on it; a file that none of them names is not looked at. None: all are.
        keeps: What is read goes to the archive, if there is one.

    Raises:
        UserError: A file cannot be read as what it claims to be.
    """
    folder = system.folder(path)
    with tempfile.TemporaryDirectory(prefix="customer-tiers-") as temporary:
        scratch = Path(temporary)
        with staged.connect(scratch) as connection:
            may_hold_commas = False
            for table, found in drops.tables(system, folder, keeps=keeps).items():
                if queries is not None and table.lower() not in queries.lower():
                    continue
                with _fault_placed(system):
                    may_hold_commas |= _add_table(connection, table, found, scratch)
            yield Folder(folder, connection, may_hold_commas)


@contextmanager
def _fault_placed(system: System) -> Iterator[None]:
    """Say which source a fault of a file belongs to."""
    try:
        yield
    except UserError as error:
        raise UserError(f"source {system.source}, system {system.name}, file {error}") from None


def _add_table(
    connection: duckdb.DuckDBPyConnection, table: str, drop: drops.Table, scratch: Path
) -> bool:
    """Create the view, or the views, of a table's files; say if a value may hold a comma."""
    selects: dict[str, list[str]] = {}
    may_hold_commas = False
    for file in drop.files:
        if file.suffix.lower() in WORKBOOKS:
            found = list(_sheets(table, drop, file, scratch))
            may_hold_commas = True
        else:
            text = text_file.inspect(file, drop.options.get("encoding"))
            delimiter = text_file.delimiter_of(text, drop.options.get("delimiter"))
            may_hold_commas |= text.has_quotes or delimiter != ","
            found = [(table, select) for select in _text(drop, text, delimiter, scratch)]
        for name, select in found:
            selects.setdefault(name, []).append(select)
    for name, parts in selects.items():
        try:
            union = " union all by name ".join(dict.fromkeys(parts))
            connection.execute(f"create view {quoted(name)} as {union}")
        except duckdb.Error as error:
            raise UserError(f"{drop.files[0]}: {str(error).splitlines()[0][:300]}") from None
    return may_hold_commas


def _sheets(table: str, drop: drops.Table, file: Path, scratch: Path) -> Iterator[tuple[str, str]]:
    """Table name and SELECT of each sheet: a workbook of several gives `<table>_<sheet>`."""
    from customer_tiers.sources import workbook

    options = drop.options
    made = workbook.convert(file, options.get("sheet"), options.get("header_row"), scratch)
    for sheet in made:
        if not sheet.names:
            continue  # An empty sheet is no table; a SELECT that needs it says so.
        suffix = re.sub(r"\W+", "_", sheet.sheet)
        columns = ", ".join(map(quoted, sheet.names))
        targets = ", ".join(map(literal, sheet.files))
        yield (
            table if len(made) == 1 else f"{table}_{suffix}",
            f"select {columns}{_origin(drop, file)} from read_parquet([{targets}]) "
            f"where coalesce({columns}) is not null",
        )


def _text(drop: drops.Table, file: TextFile, delimiter: str, scratch: Path) -> Iterator[str]:
    """The SELECT of a CSV file; none for an empty one, which has no columns."""
    header = _header(file, delimiter)
    if not header:
        return  # A SELECT that needs it says so.
    if file.longest > MAX_LINE_BYTES:
        raise UserError(
            f"{file.path}: a line is longer than {MAX_LINE_BYTES:,} bytes; look for a quote that "
            "is never closed, or shorten it"
        )
    lowered = [name.lower() for name in header]
    for position, name in enumerate(header, start=1):
        if not name.strip():
            raise UserError(
                f"{file.path}: column {position} has no name; name it in the first line"
            )
        if lowered.count(name.lower()) > 1:
            raise UserError(
                f"{file.path}, column {name}: there twice; rename one in the first line"
            )
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    buffer = max(LEAST_BUFFER, 2 * file.longest)
    yield (
        f"select *{_origin(drop, file.path)} "
        f"from read_csv({literal(str(text_file.as_utf8(file, scratch)))}, "
        f"header = true, auto_detect = false, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', columns = {{{columns}}}, max_line_size = {buffer}, "
        f"buffer_size = {buffer})"
    )


def _origin(drop: drops.Table, file: Path) -> str:
    """A table of several files says in `_file` where a row comes from."""
    return f", {literal(drops.delivered_name(file))} as _file" if "files" in drop.options else ""


def _header(file: TextFile, delimiter: str) -> list[str]:
    try:
        first = next(csv.reader(io.StringIO(text_file.head(file)), delimiter=delimiter), [])
    except csv.Error as error:
        raise UserError(f"{file.path}, line 1: {error}; save the file as ordinary CSV") from None
    return [name.strip() for name in first]


class FileExtract(StagedExtract):
    """One entity's SELECT over a folder of files."""

    def __init__(self, folder: Folder, source: str, entity: Entity, query: str) -> None:
        self._folder = folder.path
        self._may_hold_commas = folder.may_hold_commas
        super().__init__(folder.connection, source, entity, query)

    def _missing_table(self, table: str) -> str:
        found = self._connection.execute(
            "select view_name from duckdb_views() where not internal order by 1"
        ).fetchall()
        there = ", ".join(name for (name,) in found) or "none"
        return (
            f"there is no file {table}.csv with a header in {self._folder}, nor a sheet of that "
            f"name; add it, or name the file under `tables` in source.yml (tables there: {there})"
        )

    def _place(self) -> str:
        return f"in its file in {self._folder}"
