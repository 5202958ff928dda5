"""CSV files as the sheets of one workbook, numbers and days as such, for `bench/loading.py`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

NUMBERS = {"line_no", "quantity", "net_amount", "cost_amount", "standard_cost"}


def write(folder: Path, names: Sequence[str]) -> None:
    """Put the folder's CSV files of these names into `book.xlsx`, in their place."""
    with xlsxwriter.Workbook(folder / "book.xlsx", {"constant_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name in names:
            path = folder / f"{name}.csv"
            with path.open(newline="") as file:
                _fill(book.add_worksheet(name), file, day)
            path.unlink()


def _fill(sheet: Any, lines: Iterable[str], day: Any) -> None:
    reader = csv.reader(lines)
    names = next(reader)
    sheet.write_row(0, 0, names)
    for row, values in enumerate(reader, start=1):
        for column, (name, value) in enumerate(zip(names, values, strict=True)):
            if name in NUMBERS:
                sheet.write_number(row, column, float(value))
            elif name == "invoice_date":
                sheet.write_datetime(row, column, date.fromisoformat(value), day)
            else:
                sheet.write_string(row, column, value)
