"""What a delivered file is by its content: programs write texts, HTML and XML under `.xls`, too."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["workbook", "text", "xml", "html"]

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

HEAD_BYTES = 8192

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How workbooks begin: .xlsx, .xlsb and .ods are archives, .xls is not."""

SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
"""The namespace of XML Spreadsheet 2003."""

MARKUP = re.compile(r"(?i)\s*<(\?xml|!doctype|!--|html|head|meta|body|table|style)")

NUMBER = "customer_tiers row"
"""Column of the Parquet files that counts the rows of a sheet from the one below its names."""

UNCLEAR = r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*$"
"""Text that is one number with a decimal point and another one with a decimal comma."""


@dataclass(frozen=True)
class Converted:
    """Rows of a sheet as Parquet files with columns of text; without names the sheet is empty.

    Parts of a sheet whose columns differ are several of these. `unclear` are the columns with
    texts such as 1.234 that are no number cells.
    """

    sheet: str
    names: list[str]
    files: list[str]
    unclear: list[str]


def kind(path: Path) -> Kind:
    """Say what a file is, whatever its name ends in."""
    with path.open("rb") as stream:
        start = stream.read(HEAD_BYTES)
    if start.startswith((ZIP, OLE)):
        return "workbook"
    text = start.decode(encoding_of(start), "replace")
    if MARKUP.match(text):
        if SPREADSHEET in text:
            return "xml"
        if re.search(r"(?i)<(html|head|body|table)\b", text):
            return "html"
    if path.suffix.lower() not in WORKBOOKS:
        return "text"
    first = text.lstrip().partition("\n")[0]
    return "text" if re.search(r"[\t;,|]", first) and "\0" not in text else "workbook"


def encoding_of(start: bytes) -> str:
    """The encoding that a file's first bytes name; UTF-8 without any."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if named := re.search(rb"""(?i)(?:charset|encoding)\s*=\s*["']?([\w-]+)""", start):
        try:
            return codecs.lookup(named[1].decode()).name
        except LookupError:
            return "utf-8-sig"
    return "utf-8-sig"
