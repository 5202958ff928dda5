"""Cutting the rows of a large sheet into workbooks of their own, each with the names on top.

Only the ends of rows are looked for here; what is in a cell is the reader's business.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

PART_BYTES = 16_000_000
"""Unpacked XML of the rows read at a time, some 30,000 rows of ten columns."""

SHELL = (
    "[content_types].xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/sharedstrings.xml",
    "xl/styles.xml",
)
"""What a workbook needs beside the rows of a sheet."""

FIRST_ROW = re.compile(rb"<(\w+:)?row\b")
ROW_NUMBER = re.compile(rb'<(?:\w+:)?row\b[^>]*? r="(\d+)"')
CELL_NUMBER = re.compile(rb' r="([A-Z]*)\d+"')
HAS_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)\b[^>]*>[^<]")


@dataclass(frozen=True)
class Part:
    """A sheet's XML, and the number of its first row, counted from the row below the names."""

    xml: bytes
    first_row: int


def cut(stream: IO[bytes], header_row: int | None) -> Iterator[Part]:
    """Cut a sheet's XML into sheets of about PART_BYTES, each with the row of names on top."""
    rest, top, header, end = b"", b"", b"", b""
    next_row = 1
    while True:
        block = stream.read(PART_BYTES)
        rest += block
        if not end:
            first = FIRST_ROW.search(rest)
            if first is None:
                if block:
                    continue
                return
            prefix = first[1] or b""
            end = b"</%srow>" % prefix
            bottom = b"</%ssheetData></%sworksheet>" % (prefix, prefix)
            top, rest = rest[: first.start()], rest[first.start() :]
        if not header:
            header, rest = _split_header(rest, prefix, header_row)
            if not header and block:
                continue
        at = rest.rfind(end) + len(end)
        if at >= len(end):
            first_row = _distance(header, rest) or next_row
            yield Part(top + _moved_above(header, rest) + rest[:at] + bottom, first_row)
            next_row = first_row + rest.count(end, 0, at)
            rest = rest[at:]
        if not block:
            return


def _split_header(rows: bytes, prefix: bytes, header_row: int | None) -> tuple[bytes, bytes]:
    """Take the row of names off: the one of that number, or the first that has a value."""
    pattern = rb"<%srow\b[^>]*?(?:/>|>.*?</%srow>)" % (prefix, prefix)
    for row in re.finditer(pattern, rows, re.DOTALL):
        number = ROW_NUMBER.search(row[0])
        is_named = header_row is not None and number and int(number[1]) == header_row
        if is_named or (header_row is None and HAS_VALUE.search(row[0])):
            return row[0], rows[row.end() :]
    return b"", rows


def _distance(header: bytes, rows: bytes) -> int | None:
    """How far below the names the first row stands; None where rows have no numbers."""
    names, first = ROW_NUMBER.search(header), ROW_NUMBER.search(rows)
    return None if names is None or first is None else int(first[1]) - int(names[1])


def _moved_above(header: bytes, rows: bytes) -> bytes:
    """The row of names, numbered as if it stood right above the first of the rows."""
    number = ROW_NUMBER.search(rows)
    if number is None:
        return header
    return CELL_NUMBER.sub(rb' r="\g<1>%d"' % (int(number[1]) - 1), header)


def packed(shell: dict[str, bytes], part: str, rows: bytes) -> bytes:
    """A workbook in memory with one sheet's rows."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**shell, part: rows}.items():
            archive.writestr(name, content)
    return target.getvalue()
