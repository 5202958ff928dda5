"""Seeded mutations of a delivered workbook, and what a right reader may make of each.

The workbook has the sheets `customers`, `products` and `lines`. A `Book` keeps each line's true
values beside the cell that is written for it, so what the workbook says is known without a reader.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import xlsxwriter

COLUMNS = ["invoice", "line", "customer", "product", "day", "qty", "cost", "amount", "note"]
CUSTOMERS = [(f"C{n:02}", f"Customer {n}") for n in range(1, 13)]
PRODUCTS = [("P1", "Oxygen", 4), ("P2", "Argon", 7.5)]

Line = dict[str, Any]


@dataclass
class Book:
    """The lines as cells, and how they are written.

    `bad` holds the keys of the lines that were made unreadable; `is_harmless` stays true while a
    reader has no excuse to refuse.
    """

    lines: list[Line]
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    rows_above: int = 0
    blank_rows: set[int] = field(default_factory=set)
    sheets_before: list[str] = field(default_factory=list)
    hides_columns: bool = False
    is_1904: bool = False
    number_format: str = "0.00"
    formulas: bool = False
    bad: set[tuple[str, str]] = field(default_factory=set)
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    is_harmless: bool = True
    names: list[str] = field(default_factory=list)

    def written(self) -> bytes:
        """The file's bytes."""
        sink = io.BytesIO()
        options = {"in_memory": True, "date_1904": self.is_1904}
        with xlsxwriter.Workbook(sink, options) as book:
            formats = {
                "day": book.add_format({"num_format": "dd.mm.yyyy"}),
                "number": book.add_format({"num_format": self.number_format}),
            }
            for name in self.sheets_before:
                book.add_worksheet(name).write_row(0, 0, ["A", "B"])
            _rows(book.add_worksheet("customers"), ["id", "name"], CUSTOMERS)
            _rows(book.add_worksheet("products"), ["id", "name", "cost"], PRODUCTS)
            self._fill(book.add_worksheet("lines"), formats)
        content = sink.getvalue()
        for edit in self.edits:
            content = edit(content)
        return content

    def _fill(self, sheet: Any, formats: dict[str, Any]) -> None:
        for row in range(self.rows_above):
            sheet.write(row, 0, "Sales of the year" if row % 2 == 0 else "")
        sheet.write_row(self.rows_above, 0, self.columns)
        if self.hides_columns:
            sheet.set_column(1, 3, None, None, {"hidden": True})
        at = self.rows_above
        for number, line in enumerate(self.lines):
            at += 2 if number in self.blank_rows else 1
            for column, name in enumerate(self.columns):
                self._cell(sheet, at, column, line.get(name), formats)

    def _cell(self, sheet: Any, row: int, column: int, value: Any, formats: dict[str, Any]) -> None:
        if value is None:
            return
        if isinstance(value, date):
            sheet.write_datetime(row, column, value, formats["day"])
        elif isinstance(value, Decimal) and self.formulas:
            sheet.write_formula(row, column, f"={value}+0", formats["number"], float(value))
        elif isinstance(value, Decimal):
            sheet.write_number(row, column, float(value), formats["number"])
        else:
            sheet.write_string(row, column, str(value))

    def truth(self) -> dict[tuple[str, str], set[tuple]]:
        """Key -> the different rows of that key: day, quantity, cost, amount."""
        found: dict[tuple[str, str], set[tuple]] = {}
        for line in self.lines:
            row = (_day(line["day"]), *(_number(line[name]) for name in ("qty", "cost", "amount")))
            found.setdefault((str(line["invoice"]), str(line["line"])), set()).add(row)
        return found


def _rows(sheet: Any, names: list[str], rows: list[tuple]) -> None:
    for at, row in enumerate([tuple(names), *rows]):
        sheet.write_row(at, 0, row)


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if str(value)[4:5] == "-" else None
    except ValueError:
        return None


def _number(value: Any) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def lines(count: int = 120) -> list[Line]:
    """Plain lines: two a day, amounts with two decimals."""
    return [
        {
            "invoice": f"I{n // 2:04}",
            "line": n % 2 + 1,
            "customer": CUSTOMERS[n % len(CUSTOMERS)][0],
            "product": PRODUCTS[n % 2][0],
            "day": date(2026, 1, 1) + timedelta(days=n // 2),
            "qty": Decimal(n % 7 + 1),
            "cost": Decimal(n % 11 + 3) / 4,
            "amount": Decimal(n * 37 % 9000 + 100) / 100 + 10,
            "note": None,
        }
        for n in range(count)
    ]


def _spoil(pick: random.Random, book: Book, columns: tuple[str, ...], values: list[Any]) -> None:
    line = pick.choice(book.lines)
    line[pick.choice(columns)] = pick.choice(values)
    book.bad.add((str(line["invoice"]), str(line["line"])))
    book.is_harmless = False


def rows_above_the_names(pick, book):
    book.rows_above = pick.choice([1, 2, 4])
    book.is_harmless = False


def blank_rows(pick, book):
    book.blank_rows = {pick.randrange(len(book.lines)) for _ in range(5)}


def another_sheet(pick, book):
    book.sheets_before = [pick.choice(["Cover", "Deckblatt", "目录", "lines (2)"])]


def hidden_columns(pick, book):
    book.hides_columns = True


def days_from_1904(pick, book):
    book.is_1904 = True


def another_number_format(pick, book):
    book.number_format = pick.choice(["#,##0.00", "0%", "0.00E+00", '#,##0.00 "EUR"', "0"])


def results_of_formulas(pick, book):
    book.formulas = True


def columns_moved(pick, book):
    pick.shuffle(book.columns)


def rows_moved(pick, book):
    pick.shuffle(book.lines)


def notes(pick, book):
    for line in book.lines:
        line["note"] = pick.choice([None, "x", "line\nbreak", '"', "ü 中", "=1+1", " "])


def a_column_without_a_name(pick, book):
    book.columns[pick.randrange(len(book.columns))] = ""
    book.is_harmless = False


def a_name_twice(pick, book):
    book.columns[book.columns.index("note")] = pick.choice(["amount", "Amount", "day"])
    book.is_harmless = False


def a_row_twice(pick, book):
    book.lines.append(dict(pick.choice(book.lines)))


def a_key_with_two_amounts(pick, book):
    line = dict(pick.choice(book.lines))
    line["amount"] = Decimal("12345.67")
    book.lines.append(line)
    book.is_harmless = False


def rows_gone(pick, book):
    del book.lines[: max(1, len(book.lines) // pick.choice([3, 10, 50]))]
    book.is_harmless = False


def numbers_as_text(pick, book):
    for line in book.lines:
        if isinstance(line["amount"], Decimal):
            line["amount"] = str(line["amount"])


def days_as_text(pick, book):
    for line in book.lines:
        if isinstance(line["day"], date):
            line["day"] = line["day"].isoformat()


def long_numbers(pick, book):
    pick.choice(book.lines)["amount"] = Decimal(str(pick.choice([0.1 + 0.2, 1e-7, 123456789.12])))


def a_number_unreadable(pick, book):
    _spoil(
        pick,
        book,
        ("qty", "cost", "amount"),
        [
            "n/a",
            "12-",
            "(5)",
            "1.2.3",
            "NaN",
            "5 EUR",
            "#N/A",
            "",
            "1'000",
            "\uff11\uff12",
            "--",
            "1e999",
        ],
    )


def a_day_unreadable(pick, book):
    _spoil(
        pick,
        book,
        ("day",),
        [
            None,
            "31.02.2026",
            "soon",
            datetime(9999, 12, 31),
            date(1900, 3, 1),
            "2026-02-30",
            "45000",
        ],
    )


def a_key_unreadable(pick, book):
    _spoil(pick, book, ("invoice", "line", "customer"), [None, " ", "C99", "1.5", "x"])


def cut_off(pick, book):
    share = pick.random()
    book.edits.append(lambda content: content[: int(len(content) * share)])
    book.is_harmless = False


def bytes_changed(pick, book):
    places = [pick.random() for _ in range(20)]

    def edit(content: bytes) -> bytes:
        changed = bytearray(content)
        for place in places if changed else ():
            changed[int(len(changed) * place)] ^= 0x5A
        return bytes(changed)

    book.edits.append(edit)
    book.is_harmless = False


def something_else(pick, book):
    other = pick.choice(
        [b"", b"PK\x03\x04", b"<html></html>", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0" * 9]
    )
    book.edits.append(lambda content: other)
    book.is_harmless = False


MUTATIONS = (
    rows_above_the_names, blank_rows, another_sheet, hidden_columns, days_from_1904,
    another_number_format, results_of_formulas, columns_moved, rows_moved, notes,
    a_column_without_a_name, a_name_twice, a_row_twice, a_key_with_two_amounts, rows_gone,
    numbers_as_text, days_as_text, long_numbers, a_number_unreadable, a_day_unreadable,
    a_key_unreadable, cut_off, bytes_changed, something_else,
)  # fmt: skip


def mutated(seed: int) -> Book:
    """The workbook of a seed: one to three mutations, in a random order."""
    pick = random.Random(seed)
    book = Book(lines())
    for mutation in pick.sample(MUTATIONS, pick.choice([1, 1, 2, 3])):
        mutation(pick, book)
        book.names.append(mutation.__name__)
    return book
