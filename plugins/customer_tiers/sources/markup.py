"""Tables in XML Spreadsheet 2003 and in HTML, which programs deliver as `.xls`.

Both are read from beginning to end by the parsers of Python, which fetch nothing. A document that
declares entities is refused: they could make it as large as they like.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from customer_tiers.errors import UserError
from customer_tiers.sources.content import (
    HEAD_BYTES,
    NUMBER,
    SPREADSHEET,
    UNCLEAR,
    Converted,
    Kind,
    encoding_of,
)
from customer_tiers.sources.headers import column_names

LARGEST = 60_000_000
"""Bytes of such a file; its cells lie in memory whole."""

MOST_COLUMNS = 16_384
"""Columns that a sheet may have, as in a workbook: a place beyond them is no place."""

SS = f"{SPREADSHEET} "


class _Table:
    """A sheet's rows, and the places whose cells are typed as numbers only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[list[str | None]] = []
        self.texts: set[int] = set()
        self._spans: dict[int, int] = {}

    def start_row(self, number: int | None = None) -> None:
        """Begin a row, at a number counted from 1 where the file gives one."""
        if number is not None:
            self.rows.extend([] for _ in range(min(number, 2_000_000) - 1 - len(self.rows)))
        self.rows.append([])

    def put(self, value: str | None, place: int | None = None, *, is_number: bool = False) -> int:
        """Put a value into the last row, at a place or at the next that is free."""
        row = self.rows[-1]
        at = len(row) if place is None else place
        while place is None and self._spans.get(at, 0) >= len(self.rows):
            at += 1
        if at >= MOST_COLUMNS:
            raise UserError(f"{self.name}: a row has more than {MOST_COLUMNS} columns")
        row.extend([None] * (at + 1 - len(row)))
        row[at] = value or None
        if value and not is_number and len(self.rows) > 1:
            self.texts.add(at)
        return at

    def span(self, at: int, rows: int) -> None:
        """Keep a place free in the rows below."""
        self._spans[at] = len(self.rows) + rows - 1


def convert(
    path: Path, kind: Kind, wanted: str | None, header_row: int | None, folder: Path
) -> list[Converted]:
    """Write the tables of a file as Parquet files with columns of text.

    Args:
        path: The file.
        kind: xml or html.
        wanted: Name of the one sheet to read; None for all. A table of HTML is named by its number.
        header_row: Row of the names, counted from 1; None for the first row that is not empty.
        folder: Where to write.

    Raises:
        UserError: The file cannot be read, or has no such sheet or row.
    """
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path}: too large for its format; save it as .xlsx or .csv")
    tables = _spreadsheet(path) if kind == "xml" else _html(path)
    chosen = [table for table in tables if wanted in (None, table.name)]
    if not chosen:
        there = ", ".join(table.name for table in tables) or "none"
        raise UserError(f"{path}: there is no sheet {wanted!r}; it has: {there}")
    return [_written(path, table, header_row, folder) for table in chosen]


def _written(path: Path, table: _Table, header_row: int | None, folder: Path) -> Converted:
    filled = [number for number, row in enumerate(table.rows, start=1) if any(row)]
    top = header_row or (filled[0] if filled else 0)
    if header_row is not None and header_row not in filled:
        raise UserError(
            f"{path}, sheet {table.name}: has no names in row {header_row}, which `header_row` in "
            "source.yml names; give the row in which the names of the columns stand"
        )
    if not top:
        return Converted(table.name, [], [], [])
    body = table.rows[top:]
    width = max(map(len, table.rows[top - 1 :]))
    columns = [[row[at] if at < len(row) else None for row in body] for at in range(width)]
    header = table.rows[top - 1]
    written = [header[at] if at < len(header) else None for at in range(width)]
    while written and not written[-1] and not any(columns[len(written) - 1]):
        written.pop()
    names = column_names(written)
    arrays = [pa.array(columns[at], pa.string()) for at in range(len(names))]
    rows = pa.table([*arrays, pa.array(range(1, len(body) + 1), pa.int64())], [*names, NUMBER])
    handle, target = tempfile.mkstemp(suffix=".parquet", dir=folder)
    os.close(handle)
    parquet.write_table(rows, target, compression="none")
    unclear = [
        name
        for at, name in enumerate(names)
        if at in table.texts and pc.any(pc.match_substring_regex(arrays[at], UNCLEAR)).as_py()
    ]
    return Converted(table.name, names, [target], unclear)


class _Sheets:
    """Collects the sheets of an XML Spreadsheet 2003 while it is parsed."""

    def __init__(self, path: Path) -> None:
        self.tables: list[_Table] = []
        self._path = path
        self._cell: dict[str, str] = {}
        self._text: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._refuse

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if tag == f"{SS}Worksheet":
            self.tables.append(_Table(given.get(f"{SS}Name", str(len(self.tables) + 1))))
        elif tag == f"{SS}Row":
            self.tables[-1].start_row(_number(given.get(f"{SS}Index")))
        elif tag == f"{SS}Cell":
            self._cell, self._text = dict(given), []
        elif tag == f"{SS}Data":
            self._cell["type"] = given.get(f"{SS}Type", "String")
            self.parser.CharacterDataHandler = self._text.append

    def _end(self, tag: str) -> None:
        if tag == f"{SS}Data":
            self.parser.CharacterDataHandler = None
        elif tag == f"{SS}Cell":
            index = _number(self._cell.get(f"{SS}Index"))
            kind = self._cell.get("type", "String")
            value = _value("".join(self._text), kind)
            place = None if index is None else index - 1
            at = self.tables[-1].put(value, place, is_number=kind == "Number")
            if across := _number(self._cell.get(f"{SS}MergeAcross")):
                self.tables[-1].put(None, at + across)

    def _refuse(self, *_: object) -> None:
        raise UserError(
            f"{self._path}: declares entities, as no program's table does; save it as .xlsx"
        )


def _spreadsheet(path: Path) -> list[_Table]:
    """The sheets of an XML Spreadsheet 2003."""
    sheets = _Sheets(path)
    try:
        with path.open("rb") as stream:
            sheets.parser.ParseFile(stream)
    except (expat.ExpatError, IndexError, ValueError) as error:
        raise UserError(
            f"{path}: an XML Spreadsheet 2003 that is not whole ({error}); get it again, or save "
            "it as .xlsx"
        ) from None
    return sheets.tables


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _value(text: str, kind: str) -> str | None:
    """A cell's text: a moment at midnight is a day, an error is no value."""
    if kind == "DateTime":
        return text.removesuffix(".000").replace("T", " ").removesuffix(" 00:00:00")
    return None if kind == "Error" else text


class _Reader(HTMLParser):
    """Collects the tables of a page; their names are their numbers."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self._path = path
        self._depth = 0
        self._cell: dict[str, str | None] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth > 1:
                raise UserError(
                    f"{self._path}: HTML with a table in a table; save it as .xlsx or .csv"
                )
            self.tables.append(_Table(str(len(self.tables) + 1)))
        elif tag == "tr" and self._depth:
            self._close_cell()
            self.tables[-1].start_row()
        elif tag in ("td", "th") and self._depth:
            self._close_cell()
            self._cell, self._text = dict(attrs), []
        elif tag in ("br", "p", "div") and self._text:
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._close_cell()
        if tag == "table" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._text.append(data)

    def _close_cell(self) -> None:
        if self._cell is None:
            return
        table, cell, self._cell = self.tables[-1], self._cell, None
        if not table.rows:
            table.start_row()
        text = "".join(self._text).replace("\xa0", " ").strip()
        at = table.put(text)
        for place in range(at + 1, at + _span(cell.get("colspan"))):
            table.put(None, place)
        for place in range(at, at + _span(cell.get("colspan"))):
            table.span(place, _span(cell.get("rowspan")))


def _span(text: str | None) -> int:
    return min(int(text), MOST_COLUMNS) if text and text.strip().isdigit() and int(text) else 1


def _html(path: Path) -> list[_Table]:
    """The tables of a page in HTML that hold anything."""
    reader = _Reader(path)
    for text in _decoded(path):
        reader.feed(text)
    reader.close()
    tables = [table for table in reader.tables if any(any(row) for row in table.rows)]
    if not tables:
        raise UserError(f"{path}: a page in HTML without a table; look at what it says")
    return tables


def _decoded(path: Path) -> Iterator[str]:
    with path.open("rb") as stream:
        encoding = encoding_of(stream.read(HEAD_BYTES))
    try:
        with path.open(encoding=encoding) as text:
            while block := text.read(1 << 20):
                yield block
    except UnicodeDecodeError:
        raise UserError(f"{path}: HTML that is not {encoding}; save it as .xlsx or .csv") from None
