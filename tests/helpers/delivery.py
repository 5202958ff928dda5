"""A delivered folder in a test: written, read by a SELECT, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import files
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window

PRODUCTS = contract.load().entities["erp.products"]
QUERY = "select Key as product_id, Label as name, Cost as standard_cost from Product"
ALL = Window(None, None)


def read(folder: Path, query: str = QUERY, window: Window = ALL, **options: object) -> str:
    """The rows of a SELECT of products as CSV; the options are those of source.yml."""
    system = System("shop", "erp", "files", {"kind": "files", "path": str(folder), **options})
    with files.connect(system, str(folder)) as connection:
        extract = files.FileExtract(connection, "shop", PRODUCTS, query)
        return b"".join(bytes(block) for block in extract.copy_csv(window)).decode()


def write(folder: Path, content: bytes, name: str = "Product.csv") -> Path:
    """Write a file into the folder, and return the folder."""
    (folder / name).write_bytes(content)
    return folder


def refused(folder: Path, query: str = QUERY, **options: object) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(UserError) as caught:
        read(folder, query, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


def workbook(folder: Path, sheets: dict[str, list[list[object]]], name: str = "B.xlsx") -> Path:
    """Write a workbook with these sheets into the folder, and return the folder."""
    import xlsxwriter

    with xlsxwriter.Workbook(folder / name, {"default_date_format": "dd.mm.yyyy"}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for row, values in enumerate(rows):
                sheet.write_row(row, 0, values)
    return folder
