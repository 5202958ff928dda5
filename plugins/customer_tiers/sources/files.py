"""Reading a folder of delivered files: CSV files and the sheets of workbooks become tables.

A table is one file, or all files of one pattern (`tables` in source.yml). Files that are still
being written are waited for or left; a file that was delivered twice is read once; with `archive` a
copy of all that was read is kept, and a table is what the archive and the folder hold together.
Each file is read once, into Parquet files of text, from which the SELECTs read.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import drops, duck, text_table
from customer_tiers.sources.definition import System
from customer_tiers.sources.duck import path_literal, quoted
from customer_tiers.sources.staged import StagedExtract
from customer_tiers.sources.text_table import LINK, Text

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

ORIGIN = "_file"
"""A table of several files says in this column where a row comes from."""


@dataclass(frozen=True)
class Folder:
    """An opened folder."""

    path: Path
    system: System
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
        with duck.connect(scratch) as connection:
            may_hold_commas = False
            with _file_named(system):
                for table, found in drops.tables(system, folder, keeps=keeps).items():
                    if queries is not None and not _is_named(table, queries):
                        continue
                    with _fault_placed(system):
                        may_hold_commas |= _add_table(connection, table, found, scratch)
            yield Folder(folder, system, connection, may_hold_commas)


def _is_named(table: str, queries: str) -> bool:
    """Whether a SELECT may read the table; a quote in its name is written twice there."""
    text, name = queries.lower(), table.lower()
    return name in text or quoted(name)[1:-1] in text


@contextmanager
def _fault_placed(system: System) -> Iterator[None]:
    """Say which source a fault of a file belongs to."""
    try:
        yield
    except UserError as error:
        line = " ".join(str(error).encode("utf-8", "backslashreplace").decode().splitlines())
        raise UserError(f"source {system.source}, system {system.name}, file {line}") from None


@contextmanager
def _file_named(system: System) -> Iterator[None]:
    """Say which file is gone or must not be read."""
    try:
        yield
    except OSError as error:
        said = duck.own_limit(str(error)) or (
            f"{error.strerror}; let it lie there until the night is over, and let it be read"
        )
        where = f"source {system.source}, system {system.name}, file {error.filename}"
        raise UserError(f"{where}: {said}") from None


@dataclass
class _Parts:
    """What a table is made of: text files, and sheets with the same names above their columns."""

    texts: list[Text] = field(default_factory=list)
    sheets: dict[tuple[str, ...], list[tuple[str, str]]] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """The columns of all files, each once, in the order in which they were found."""
        found: dict[str, str] = {}
        for names in (*(text.shape.columns for text in self.texts), *self.sheets):
            for name in names:
                found.setdefault(name.lower(), name)
        return list(found.values())


def _add_table(
    connection: duckdb.DuckDBPyConnection, table: str, drop: drops.Table, scratch: Path
) -> bool:
    """Create the view, or the views, of a table's files; say if a value may hold a comma."""
    made: dict[str, _Parts] = {}
    may_hold_commas = False
    for file in drop.files:
        name = drops.shown_name(file)
        if file.suffix.lower() in WORKBOOKS:
            may_hold_commas = True
            for view, names, rows in _sheets(table, drop, file, scratch):
                sheets = made.setdefault(view, _Parts()).sheets
                sheets.setdefault(names, []).extend((one, name) for one in rows)
        elif text := text_table.inspect(file, name, drop.options):
            may_hold_commas |= text.file.has_quotes or text.shape.delimiter != ","
            made.setdefault(table, _Parts()).texts.append(text)
    for view, parts in made.items():
        try:
            _create_view(connection, view, parts, scratch, has_origin="files" in drop.options)
        except duckdb.Error as error:
            raise UserError(f"{drop.files[0]}: {str(error).splitlines()[0][:300]}") from None
    return may_hold_commas


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    parts: _Parts,
    scratch: Path,
    *,
    has_origin: bool,
) -> None:
    columns = parts.columns()
    # A column of that name in a file is the sender's, and stays.
    origin = ORIGIN if has_origin and ORIGIN not in map(str.lower, columns) else None
    staged_files = text_table.stage(connection, parts.texts, columns, origin, scratch)
    selects = []
    if staged_files:
        have = [name for text in parts.texts for name in text.shape.columns]
        list_ = _padded(have, columns)
        if origin is not None:
            list_ += f", {quoted(origin)}"
        selects.append(f"select {list_} from {_read_parquet(staged_files)}")
    for names, sheets in parts.sheets.items():
        selects.append(_sheet_select(names, sheets, columns, origin))
    connection.execute(f"create view {quoted(view)} as {' union all '.join(selects)}")


def _sheet_select(
    names: tuple[str, ...], sheets: list[tuple[str, str]], columns: list[str], origin: str | None
) -> str:
    """The SELECT of all sheets with these names, without their empty rows."""
    list_ = _padded(names, columns)
    source = _read_parquet([Path(file) for file, _ in sheets])
    if origin is not None:
        list_ += f", file_name as {quoted(origin)}"
        source += f" join {text_table.named(sheets)} on file_link = {quoted(LINK)}"
    return (
        f"select {list_} from {source} where coalesce({', '.join(map(quoted, names))}) is not null"
    )


def _padded(have: Sequence[str], columns: Sequence[str]) -> str:
    """All columns of a table as a SELECT list over rows that have some of them."""
    own = {name.lower() for name in have}
    return ", ".join(
        quoted(name) if name.lower() in own else f"cast(null as varchar) as {quoted(name)}"
        for name in columns
    )


def _read_parquet(files: list[Path]) -> str:
    paths = ", ".join(map(path_literal, files))
    return (
        f"read_parquet([{paths}], union_by_name = {len(files) > 1}, hive_partitioning = false, "
        f"filename = {duck.literal(LINK)})"
    )


def _sheets(
    table: str, drop: drops.Table, file: Path, scratch: Path
) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """View, columns and Parquet files of each sheet; several sheets give `<table>_<sheet>`."""
    from customer_tiers.sources import workbook

    options = drop.options
    made = workbook.convert(file, options.get("sheet"), options.get("header_row"), scratch)
    for sheet in made:
        if not sheet.names:
            continue  # An empty sheet is no table; a SELECT that needs it says so.
        suffix = re.sub(r"\W+", "_", sheet.sheet)
        view = table if len(made) == 1 else f"{table}_{suffix}"
        yield view, tuple(sheet.names), sheet.files


class FileExtract(StagedExtract):
    """One entity's SELECT over a folder of files."""

    def __init__(self, folder: Folder, source: str, entity: Entity, query: str) -> None:
        self._folder = folder.path
        self._may_hold_commas = folder.may_hold_commas
        super().__init__(folder.connection, folder.system, source, entity, query)

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
