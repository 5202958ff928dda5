"""Text files become Parquet files of text, all files that are written alike in one go.

DuckDB takes the name of a file for a pattern, so it is given links with plain names. How many rows
it read is compared with how many each file holds: a reader that splits or skips rows is noticed.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from customer_tiers.errors import UserError
from customer_tiers.sources import duck, text_file
from customer_tiers.sources.duck import literal, path_literal, quoted
from customer_tiers.sources.text_file import TextFile

MAX_LINE_BYTES = 20_000_000
"""Longest record read: beyond it a quote was opened and never closed."""

LEAST_BUFFER = 2_000_000
"""DuckDB's reading buffer, per thread; larger only for a file with longer records."""

ROW_GROUP = "row_group_size 20000, row_group_size_bytes '8MB'"
"""What is held in memory before it is written."""

LINK = "customer_tiers link"
"""Name of the column in which DuckDB says from which link a row comes."""


@dataclass(frozen=True)
class TextShape:
    """How a file is cut into rows and values. Files of one shape are read by one statement.

    `blank_lines` stand above the names.
    """

    columns: tuple[str, ...]
    delimiter: str
    blank_lines: int


@dataclass(frozen=True)
class Text:
    """An inspected file, the name under which it was delivered, and its shape."""

    file: TextFile
    name: str
    shape: TextShape

    @property
    def rows(self) -> int:
        """How many rows it holds by its line ends and quotes, without the names."""
        return self.file.records - 1


def inspect(path: Path, name: str, options: dict[str, Any]) -> Text | None:
    """Read a file once and say how it is written; None for an empty one, which has no columns.

    Args:
        path: The file.
        name: The name under which it was delivered.
        options: The fields of its table in source.yml.

    Raises:
        UserError: It is not text, or its first line does not name its columns.
    """
    file = text_file.inspect(path, options.get("encoding"))
    delimiter = text_file.delimiter_of(file, options.get("delimiter"))
    columns, blank_lines = _header(file, delimiter)
    if not columns:
        return None
    if file.longest > MAX_LINE_BYTES:
        raise UserError(
            f"{path}: a line is longer than {MAX_LINE_BYTES:,} bytes; look for a quote that "
            "is never closed, or shorten it"
        )
    return Text(file, name, TextShape(columns, delimiter, blank_lines))


def _header(file: TextFile, delimiter: str) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and how many blank lines stand above them."""
    text = text_file.head(file)
    lines = text.lstrip("\n")
    try:
        first = next(csv.reader(io.StringIO(lines), delimiter=delimiter), [])
    except csv.Error as error:
        raise UserError(f"{file.path}, line 1: {error}; save the file as ordinary CSV") from None
    names = tuple(name.strip() for name in first)
    lowered = [name.lower() for name in names]
    for position, name in enumerate(names, start=1):
        if not name:
            raise UserError(
                f"{file.path}: column {position} has no name; name it in the first line"
            )
        if lowered.count(name.lower()) > 1:
            raise UserError(
                f"{file.path}, column {name}: there twice; rename one in the first line"
            )
    return names, len(text) - len(lines)


def stage(
    connection: duckdb.DuckDBPyConnection,
    texts: Iterable[Text],
    columns: Sequence[str],
    origin: str | None,
    scratch: Path,
) -> list[Path]:
    """Write the rows of files as Parquet files, one for all files of one shape.

    Args:
        connection: Reads and writes them.
        texts: The files.
        columns: The columns of all of them, as they are to be written.
        origin: Name of a column more, which holds the name of a row's file; None for none.
        scratch: Where to write.

    Raises:
        UserError: A file cannot be read, or another number of rows than it holds was read.
    """
    groups: dict[TextShape, list[Text]] = {}
    for text in texts:
        groups.setdefault(text.shape, []).append(text)
    return [
        _stage_group(connection, shape, group, columns, origin, scratch)
        for shape, group in groups.items()
    ]


def _stage_group(
    connection: duckdb.DuckDBPyConnection,
    shape: TextShape,
    texts: list[Text],
    columns: Sequence[str],
    origin: str | None,
    scratch: Path,
) -> Path:
    """Write the rows of files of one shape as one Parquet file."""
    handle, name = tempfile.mkstemp(suffix=".parquet", dir=scratch)
    os.close(handle)
    target = Path(name)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        links = [Path(place) / f"{number}.csv" for number in range(len(texts))]
        for link, text in zip(links, texts, strict=True):
            link.symlink_to(text_file.as_utf8(text.file, Path(place)).absolute())
        source = _read_csv(shape, links, max(text.file.longest for text in texts))
        own = {name.lower() for name in shape.columns}
        found = ", ".join(quoted(name) for name in columns if name.lower() in own)
        select = f"select {found} from {source}"
        if origin is not None:
            names = named(zip(links, (text.name for text in texts), strict=True))
            select = (
                f"select {found}, file_name as {quoted(origin)} "
                f"from {source} join {names} on file_link = {quoted(LINK)}"
            )
        if len(shape.columns) == 1:  # a blank line is no row, as in a file of several columns
            select += f" where {quoted(shape.columns[0])} is not null"
        try:
            [(rows,)] = connection.execute(
                f"copy ({select}) to {literal(str(target))} "
                f"(format parquet, compression snappy, {ROW_GROUP})"
            ).fetchall()
        except duckdb.Error as error:
            raise _fault(str(error), texts) from None
    if rows != sum(text.rows for text in texts):
        _compare(connection, target, texts, origin)
    return target


def _read_csv(shape: TextShape, links: list[Path], longest: int) -> str:
    """The table function that reads files of one shape; all values are text."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in shape.columns)
    buffer = max(LEAST_BUFFER, 2 * longest)
    return (
        f"read_csv([{', '.join(map(path_literal, links))}], header = true, "
        f"skip = {shape.blank_lines}, auto_detect = false, delim = {literal(shape.delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}, compression = 'none', "
        f"hive_partitioning = false, filename = {literal(LINK)}, "
        f"max_line_size = {buffer}, buffer_size = {buffer})"
    )


def named(files: Iterable[tuple[Path | str, str]]) -> str:
    """A table of the files that DuckDB reads and the names under which they were delivered."""
    rows = ", ".join(f"({literal(str(file))}, {literal(name)})" for file, name in files)
    return f"(values {rows}) as delivered (file_link, file_name)"


def _fault(message: str, texts: list[Text]) -> UserError:
    """Name the file and the line that DuckDB could not read."""
    if limit := duck.own_limit(message):
        return UserError(f"{texts[0].file.path}: {limit}")
    line = re.search(r"Line: (\d+)", message)
    link = re.search(r"file = .*?(\d+)\.csv", message)
    text = texts[int(link[1])] if link else texts[0]
    place = f"{text.file.path}, line {line[1]}" if line else str(text.file.path)
    if not link and len(texts) > 1:
        place += f" or another of {len(texts)} files"
    said = re.sub(r"Original Line: .*", "", message.split("Possible")[0])
    return UserError(f"{place}: {' '.join(said.split())[:300]}; correct what was delivered")


def _compare(
    connection: duckdb.DuckDBPyConnection, target: Path, texts: list[Text], origin: str | None
) -> None:
    """Compare the rows read with those of each file, whose quotes are looked at value by value.

    Raises:
        UserError: Another number of rows was read than the file holds.
    """
    source = f"read_parquet({path_literal(target)})"
    name = "null" if origin is None else quoted(origin)
    read = dict(connection.execute(f"select {name}, count(*) from {source} group by 1").fetchall())
    for text in texts:
        rows = read.get(None if origin is None else text.name, 0)
        if rows != text.rows and rows != (held := _counted(text)):
            raise UserError(
                f"{text.file.path}: holds {held:,} rows below its names, but {rows:,} were read; "
                "look for quotes that do not enclose a whole value"
            )


def _counted(text: Text) -> int:
    """The rows of a file by Python's reader of CSV, to which a quote within a value is a letter."""
    before = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        with text.file.path.open(encoding=text.file.encoding, newline="") as stream:
            rows = csv.reader(stream, delimiter=text.shape.delimiter, skipinitialspace=True)
            return sum(1 for row in rows if row and (len(row) > 1 or row[0])) - 1
    except csv.Error as error:
        raise UserError(f"{text.file.path}: {error}; save the file as ordinary CSV") from None
    finally:
        csv.field_size_limit(before)
