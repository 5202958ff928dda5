"""Reading a folder of delivered files: CSV files and the sheets of workbooks become tables.

A table is one file, or all files of one pattern (`tables` in source.yml). Files that are still
being written are waited for or left; a file that was delivered twice is read once; with `archive` a
copy of all that was read is kept, and a table is what the archive and the folder hold together.
Each file is read once, into Parquet files of text, from which the SELECTs read.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import content, drops, duck, markup, text_table
from customer_tiers.sources.content import Converted
from customer_tiers.sources.definition import System
from customer_tiers.sources.duck import path_literal, quoted
from customer_tiers.sources.staged import StagedExtract
from customer_tiers.sources.text_table import LINK, Text

ORIGIN = "_file"
"""A table of several files says in this column where a row comes from; another one if asked."""

NUMBER = "_row"
"""The rows of a file below its names are counted from 1 in this column, if a SELECT asks for it."""


@dataclass(frozen=True)
class Folder:
    """An opened folder."""

    path: Path
    system: System
    connection: duckdb.DuckDBPyConnection
    may_hold_commas: bool
    unclear: dict[str, set[str]]
    """View -> columns whose numbers may be written both ways: number cells have a point."""


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
            unclear: dict[str, set[str]] = {}
            with _file_named(system):
                for table, found in drops.tables(system, folder, keeps=keeps).items():
                    if queries is not None and not _is_named(table, queries):
                        continue
                    with _fault_placed(system):
                        _refuse_idle(system, table, found)
                        asked = _asked(found, queries or "")
                        may_hold_commas |= _add_table(
                            connection, table, found, scratch, asked, unclear
                        )
            yield Folder(folder, system, connection, may_hold_commas, unclear)


@dataclass(frozen=True)
class _Asked:
    """Whether a table has the columns ORIGIN and NUMBER."""

    origin: bool
    number: bool


def _asked(drop: drops.Table, queries: str) -> _Asked:
    said = set(re.findall(r"\w+", queries.lower()))
    return _Asked("files" in drop.options or ORIGIN in said, NUMBER in said)


def _refuse_idle(system: System, table: str, drop: drops.Table) -> None:
    """Refuse what a table's block in source.yml says and none of its files can follow.

    Raises:
        UserError: Such a field is there.
    """
    has_texts = any(content.kind(file) == "text" for file in drop.files)
    has_books = any(content.kind(file) != "text" for file in drop.files)
    for field_, can, what in (
        ("sheet", has_books, "workbooks"),
        ("delimiter", has_texts, "text files"),
        ("encoding", has_texts, "text files"),
        ("quote", has_texts, "text files"),
    ):
        if field_ in system.options.get("tables", {}).get(table, {}) and not can:
            raise UserError(
                f"{drop.files[0]}: `{field_}` of the table {table} in source.yml is for {what}, "
                "and it has none; take it out"
            )


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


@dataclass(frozen=True)
class _Sheet:
    """A Parquet file of a sheet, the name of its workbook, and the last row of its table."""

    file: str
    name: str
    last_row: int | None


@dataclass
class _Parts:
    """What a table is made of: text files, and sheets with the same names above their columns."""

    texts: list[Text] = field(default_factory=list)
    sheets: dict[tuple[str, ...], list[_Sheet]] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """The columns of all files, each once, in the order in which they were found."""
        found: dict[str, str] = {}
        for names in (*(text.shape.columns for text in self.texts), *self.sheets):
            for name in names:
                found.setdefault(name.lower(), name)
        return list(found.values())


def _add_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    drop: drops.Table,
    scratch: Path,
    asked: _Asked,
    unclear: dict[str, set[str]],
) -> bool:
    """Create the view, or the views, of a table's files; say if a value may hold a comma."""
    made: dict[str, _Parts] = {}
    may_hold_commas = False
    for file in drop.files:
        name = drops.shown_name(file)
        if content.kind(file) != "text":
            may_hold_commas = True
            for view, sheet in _sheets(table, drop, file, scratch):
                parts = made.setdefault(view, _Parts()).sheets
                last = _last_row(connection, file, sheet, drop.options.get("footer_rows", 0))
                parts.setdefault(tuple(sheet.names), []).extend(
                    _Sheet(one, name, last) for one in sheet.files
                )
                unclear.setdefault(view.lower(), set()).update(map(str.lower, sheet.unclear))
        elif text := text_table.inspect(file, name, drop.options):
            may_hold_commas |= text.file.has_quotes or text.shape.delimiter != ","
            made.setdefault(table, _Parts()).texts.append(text)
    for view, parts_ in made.items():
        if parts_.texts:  # all their columns
            unclear[view.lower()] = set(map(str.lower, parts_.columns()))
        try:
            _create_view(connection, view, parts_, scratch, asked)
        except duckdb.Error as error:
            raise UserError(f"{drop.files[0]}: {str(error).splitlines()[0][:300]}") from None
    return may_hold_commas


def _last_row(
    connection: duckdb.DuckDBPyConnection, file: Path, sheet: Converted, footer_rows: int
) -> int | None:
    """The number of the last row above the `footer_rows` that are not empty."""
    if not footer_rows:
        return None
    names = ", ".join(map(quoted, sheet.names))
    rows = connection.execute(
        f"select {quoted(content.NUMBER)} from {_read_parquet(map(Path, sheet.files))} "
        f"where coalesce({names}) is not null order by 1 desc limit {footer_rows}"
    ).fetchall()
    if len(rows) < footer_rows:
        raise UserError(
            f"{file}, sheet {sheet.sheet}: holds no {footer_rows} rows below its names, as "
            "`footer_rows` in source.yml says; correct it"
        )
    return int(rows[-1][0]) - 1


def _create_view(
    connection: duckdb.DuckDBPyConnection, view: str, parts: _Parts, scratch: Path, asked: _Asked
) -> None:
    columns = parts.columns()
    lowered = [name.lower() for name in columns]
    # A column of that name in a file is the sender's, and stays.
    origin = ORIGIN if asked.origin and ORIGIN not in lowered else None
    number = NUMBER if asked.number and NUMBER not in lowered else None
    staged_files = text_table.stage(connection, parts.texts, columns, origin, number, scratch)
    selects = []
    if staged_files:
        idle = _empty_columns(connection, parts.texts, staged_files)
        columns = [name for name in columns if name not in idle or parts.sheets]
        have = [name for text in parts.texts for name in text.shape.columns]
        more = [quoted(name) for name in (origin, number) if name is not None]
        list_ = ", ".join((_padded(have, columns), *more))
        selects.append(f"select {list_} from {_read_parquet(staged_files)}")
    for names, sheets in parts.sheets.items():
        selects.append(_sheet_select(names, sheets, columns, origin, number))
    connection.execute(f"create view {quoted(view)} as {' union all '.join(selects)}")


def _empty_columns(
    connection: duckdb.DuckDBPyConnection, texts: list[Text], staged_files: list[Path]
) -> set[str]:
    """The last columns that have neither a name nor a value in any file."""
    unnamed = sorted({name for text in texts for name in text.shape.unnamed})
    if not unnamed:
        return set()
    counts = ", ".join(f"count({quoted(name)})" for name in unnamed)
    [filled] = connection.execute(f"select {counts} from {_read_parquet(staged_files)}").fetchall()
    return {name for name, count in zip(unnamed, filled, strict=True) if not count}


def _sheet_select(
    names: tuple[str, ...],
    sheets: list[_Sheet],
    columns: list[str],
    origin: str | None,
    number: str | None,
) -> str:
    """The SELECT of all sheets with these names, without their empty rows and what is below."""
    list_ = _padded(names, columns)
    source = _read_parquet(Path(sheet.file) for sheet in sheets)
    is_row = f"coalesce({', '.join(map(quoted, names))}) is not null"
    if origin is not None or any(sheet.last_row is not None for sheet in sheets):
        rows = ", ".join(
            f"({duck.literal(one.file)}, {duck.literal(one.name)}, "
            f"{'null' if one.last_row is None else one.last_row})"
            for one in sheets
        )
        source += f" join (values {rows}) as delivered (file_link, file_name, last_row)"
        source += f" on file_link = {quoted(LINK)}"
        is_row += f" and coalesce({quoted(content.NUMBER)} <= last_row, true)"
    if origin is not None:
        list_ += f", file_name as {quoted(origin)}"
    if number is not None:
        list_ += f", {quoted(content.NUMBER)} as {quoted(number)}"
    return f"select {list_} from {source} where {is_row}"


def _padded(have: Sequence[str], columns: Sequence[str]) -> str:
    """All columns of a table as a SELECT list over rows that have some of them."""
    own = {name.lower() for name in have}
    return ", ".join(
        quoted(name) if name.lower() in own else f"cast(null as varchar) as {quoted(name)}"
        for name in columns
    )


def _read_parquet(files: Iterable[Path]) -> str:
    paths = list(map(path_literal, files))
    return (
        f"read_parquet([{', '.join(paths)}], union_by_name = {len(paths) > 1}, "
        f"hive_partitioning = false, filename = {duck.literal(LINK)})"
    )


def _sheets(
    table: str, drop: drops.Table, file: Path, scratch: Path
) -> Iterator[tuple[str, Converted]]:
    """View and rows of each sheet; several sheets give `<table>_<sheet>`."""
    options = drop.options
    kind = content.kind(file)
    if kind == "workbook":
        from customer_tiers.sources import workbook

        made = workbook.convert(file, options.get("sheet"), options.get("header_row"), scratch)
    else:
        made = markup.convert(file, kind, options.get("sheet"), options.get("header_row"), scratch)
    several = len({part.sheet for part in made}) > 1
    for part in made:
        if part.names:  # An empty sheet is no table; a SELECT that needs it says so.
            suffix = re.sub(r"\W+", "_", part.sheet)
            yield (f"{table}_{suffix}" if several else table), part


class FileExtract(StagedExtract):
    """One entity's SELECT over a folder of files."""

    def __init__(self, folder: Folder, source: str, entity: Entity, query: str) -> None:
        self._folder = folder.path
        self._may_hold_commas = folder.may_hold_commas
        self._unclear = folder.unclear
        super().__init__(folder.connection, folder.system, source, entity, query)

    def _is_typed(self, table: str, column: str) -> bool:
        return column.lower() not in self._unclear.get(table, {column.lower()})

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
