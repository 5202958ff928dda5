"""Text files become Parquet files of text, all files that are written alike in one go.

DuckDB takes the name of a file for a pattern, so it is given links with plain names. How many rows
it read is compared with how many each file holds: a reader that splits or skips rows is noticed.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
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
from customer_tiers.sources.headers import column_names
from customer_tiers.sources.text_file import TextFile

MAX_LINE_BYTES = 20_000_000
"""Longest record read: beyond it a quote was opened and never closed."""

LEAST_BUFFER = 2_000_000
"""DuckDB's reading buffer, per thread; larger only for a file with longer records."""

ROW_GROUP = "row_group_size 20000, row_group_size_bytes '8MB'"
"""What is held in memory before it is written."""

SEPARATOR = re.compile(r"(?i)\"?sep=(.)\"?\s*")
"""The first line by which Excel is told the delimiter."""

LINK = "customer_tiers link"
"""Name of the column in which DuckDB says from which link a row comes."""


@dataclass(frozen=True)
class TextShape:
    """How a file is cut into rows and values. Files of one shape are read by one statement.

    `lines_above` stand above the names, `footer_rows` behind the table; `unnamed` are those of the
    last columns that have no name in the file; `quote` is empty where nothing is quoted.
    """

    columns: tuple[str, ...]
    delimiter: str
    lines_above: int = 0
    quote: str = '"'
    footer_rows: int = 0
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """An inspected file, the name under which it was delivered, and its shape.

    `records_above` are the lines above the names that are not blank.
    """

    file: TextFile
    name: str
    shape: TextShape
    records_above: int = 0

    @property
    def rows(self) -> int:
        """How many rows its table holds by the file's line ends and quotes."""
        return self.file.records - self.records_above - 1 - self.shape.footer_rows


def inspect(path: Path, name: str, options: dict[str, Any]) -> Text | None:
    """Read a file once and say how it is written; None for an empty one, which has no columns.

    Args:
        path: The file.
        name: The name under which it was delivered.
        options: The fields of its table in source.yml.

    Raises:
        UserError: It is not text, or its first line does not name its columns.
    """
    quote = {None: '"', "none": ""}.get(options.get("quote"), options.get("quote"))
    file = text_file.inspect(path, options.get("encoding"), str(quote))
    if not file.records:
        return None
    if file.longest > MAX_LINE_BYTES:
        raise UserError(
            f"{path}: a line is longer than {MAX_LINE_BYTES:,} bytes; look for a quote that "
            "is never closed, shorten it, or set `quote: none` in source.yml if nothing is quoted"
        )
    return _inspected(file, name, options, str(quote))


def _inspected(file: TextFile, name: str, options: dict[str, Any], quote: str) -> Text:
    """Find the names of the columns, and what stands above them and behind the table."""
    given = options.get("header_row")
    lines = text_file.head(file, text_file.SAMPLE_LINES + (given or 1)).split("\n")
    first = next(at for at, line in enumerate(lines) if line.strip())
    said = SEPARATOR.fullmatch(lines[first])
    if given is None and said and any(line.strip() for line in lines[first + 1 :]):
        first = next(at for at, line in enumerate(lines[first + 1 :], first + 1) if line.strip())
    if given is not None:
        first = given - 1
        if first >= len(lines) or not lines[first].strip():
            what = "is empty" if first < len(lines) - 1 else "lies behind the end of the file"
            raise UserError(
                f"{file.path}: line {given}, which `header_row` in source.yml names, {what}; "
                "give the line in which the names of the columns stand"
            )
    footer_rows = int(options.get("footer_rows", 0))
    filled = [at for at, line in enumerate(lines) if at >= first and line.strip()]
    is_whole = sum(bool(line.strip()) for line in lines) == file.records
    if is_whole and 0 < footer_rows < len(filled):
        del lines[filled[-footer_rows] :]
    text = "\n".join(lines[first:])
    delimiter = options.get("delimiter") or (said and said[1])
    delimiter = delimiter or text_file.delimiter_of(file.path, text, quote)
    columns, unnamed = _header(file, text, str(delimiter), quote)
    shape = TextShape(columns, str(delimiter), first, quote, footer_rows, unnamed)
    found = Text(file, name, shape, sum(bool(line.strip()) for line in lines[:first]))
    if found.rows < 0:
        raise UserError(
            f"{file.path}: holds no {footer_rows} lines below its names, as `footer_rows` in "
            "source.yml says; correct it"
        )
    return found


def _header(
    file: TextFile, text: str, delimiter: str, quote: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the columns, and which of the last ones have none in the file."""
    found = text_file.rows_of(io.StringIO(text), delimiter, quote)
    try:
        written = next(found)
    except csv.Error as error:
        raise UserError(
            f"{file.path}, line 1: {error}; set `quote: none` in source.yml if nothing is quoted"
        ) from None
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # a value that is too long for Python's reader
        rows.extend(row for row in found if row)
    widths = {len(row) for row in rows}
    named = len(written)
    while named > 1 and not written[named - 1].strip():
        named -= 1
    # A delimiter may stand at the end of the names only, or of the rows only.
    width = len(written)
    if len(widths) == 1 and named <= (only := widths.pop()):
        is_empty = all(not "".join(row[width:]).strip() for row in rows)
        width = only if is_empty else width
    names = column_names((*written[:width], *[""] * (width - len(written))))
    return tuple(names), tuple(names[named:])


def stage(
    connection: duckdb.DuckDBPyConnection,
    texts: Iterable[Text],
    columns: Sequence[str],
    origin: str | None,
    number: str | None,
    scratch: Path,
) -> list[Path]:
    """Write the rows of files as Parquet files, one for all files of one shape.

    Args:
        connection: Reads and writes them.
        texts: The files.
        columns: The columns of all of them, as they are to be written.
        origin: Name of a column more, which holds the name of a row's file; None for none.
        number: Name of a column more, which counts the rows of a file from 1; None for none.
        scratch: Where to write.

    Raises:
        UserError: A file cannot be read, or another number of rows than it holds was read.
    """
    groups: dict[tuple[TextShape, Path | None], list[Text]] = {}
    for text in texts:  # rows are counted file by file
        alone = None if number is None else text.file.path
        groups.setdefault((text.shape, alone), []).append(text)
    return [
        _stage_group(connection, shape, group, columns, origin, number, scratch)
        for (shape, _), group in groups.items()
    ]


def _stage_group(
    connection: duckdb.DuckDBPyConnection,
    shape: TextShape,
    texts: list[Text],
    columns: Sequence[str],
    origin: str | None,
    number: str | None,
    scratch: Path,
) -> Path:
    """Write the rows of files of one shape as one Parquet file."""
    handle, name = tempfile.mkstemp(suffix=".parquet", dir=scratch)
    os.close(handle)
    target = Path(name)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        links = [Path(place) / f"{at}.csv" for at in range(len(texts))]
        for link, text in zip(links, texts, strict=True):
            link.symlink_to(
                text_file.as_plain(text.file, Path(place), shape.footer_rows).absolute()
            )
        source = _read_csv(shape, links, max(text.file.longest for text in texts))
        own = {name.lower() for name in shape.columns}
        found = ", ".join(quoted(name) for name in columns if name.lower() in own)
        if number is not None:
            found += f", {quoted(number)}"
            source = f"(select *, row_number() over () as {quoted(number)} from {source})"
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
        f"read_csv([{', '.join(map(path_literal, links))}], header = false, "
        f"skip = {shape.lines_above + 1}, auto_detect = false, delim = {literal(shape.delimiter)}, "
        f"quote = {literal(shape.quote)}, escape = {literal(shape.quote)}, "
        f"columns = {{{columns}}}, compression = 'none', hive_partitioning = false, "
        f"filename = {literal(LINK)}, "
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
    if width := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        return UserError(
            f"{place}: has {width[2]} values, but {width[1]} columns are named; correct it, or say "
            "in source.yml what it is: `header_row` for lines above the table, `footer_rows` for "
            "lines behind it, `delimiter`, `quote`"
        )
    said = re.sub(r"Original Line: .*", "", message.split("Possible")[0])
    advice = "correct what was delivered"
    if "quote" in said:
        advice += ", or set `quote: none` in source.yml if nothing is quoted there"
    return UserError(f"{place}: {' '.join(said.split())[:300]}; {advice}")


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
                "look for quotes that do not enclose a whole value, or set `quote: none` in "
                "source.yml"
            )


def _counted(text: Text) -> int:
    """The rows of a file by Python's reader of CSV, to which a quote within a value is a letter."""
    before = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        with text.file.path.open(encoding=text.file.encoding, newline="") as stream:
            below = itertools.islice(stream, text.shape.lines_above, None)
            rows = text_file.rows_of(
                below, text.shape.delimiter, text.shape.quote, skips_blanks=True
            )
            held = sum(1 for row in rows if row and (len(row) > 1 or row[0]))
            return held - 1 - text.shape.footer_rows
    except csv.Error as error:
        raise UserError(f"{text.file.path}: {error}; save the file as ordinary CSV") from None
    finally:
        csv.field_size_limit(before)
