"""Seeded mutations of a delivered text file, and what a right reader may make of each.

A `Delivery` is the file of invoice lines as rows of text plus the way it is written. A mutation
changes rows, the way of writing, or the written bytes. `Truth` says what the file then holds, found
without the project's reader: from the rows, or by Python's `csv` where bytes were changed.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

KEY = ("SalesOrderNumber", "ProductKey")
NUMBERS = ("OrderQuantity", "TotalProductCost", "SalesAmount")

Row = dict[str, str]
Values = tuple[date | None, Decimal | None, Decimal | None, Decimal | None]
"""Day, quantity, cost and amount of a line; None where the text is no value of that type."""


@dataclass
class Delivery:
    """The lines and how they are written.

    `is_harmless`: a reader has no excuse to refuse the file; `bad` holds the keys of
    the rows that were made unreadable; `edits` change the bytes.
    """

    rows: list[Row]
    columns: list[str]
    delimiter: str = ","
    encoding: str = "utf-8"
    newline: str = "\n"
    quotes_all: bool = False
    decimal_comma: bool = False
    above: list[str] = field(default_factory=list)
    bad: set[tuple[str, ...]] = field(default_factory=set)
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    is_harmless: bool = True
    names: list[str] = field(default_factory=list)

    def written(self) -> bytes:
        """The file's bytes."""
        sink = io.StringIO(newline="")
        for line in self.above:
            sink.write(line + self.newline)
        quoting = csv.QUOTE_ALL if self.quotes_all else csv.QUOTE_MINIMAL
        writer = csv.writer(
            sink, delimiter=self.delimiter, lineterminator=self.newline, quoting=quoting
        )
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([self._text(name, row.get(name, "")) for name in self.columns])
        content = sink.getvalue().encode(self.encoding, "xmlcharrefreplace")
        for edit in self.edits:
            content = edit(content)
        return content

    def _text(self, name: str, value: str) -> str:
        return value.replace(".", ",") if self.decimal_comma and name in NUMBERS else value

    def truth(self) -> dict[tuple[str, ...], set[Values]] | None:
        """Key -> the different rows of that key; None if the file is no table of these columns."""
        rows = self.rows if not self.edits else self._parsed()
        if rows is None:
            return None
        found: dict[tuple[str, ...], set[Values]] = {}
        for row in rows:
            found.setdefault(_key(row), set()).add(values(row))
        return found

    def _parsed(self) -> list[Row] | None:
        try:
            text = self.written().decode(self.encoding)
        except UnicodeDecodeError:
            return None
        try:
            lines = [
                line
                for line in csv.reader(
                    io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True
                )
                if line
            ]
        except csv.Error:
            return None
        lines = lines[len([line for line in self.above if line]) :]
        if not lines or any(len(line) != len(lines[0]) for line in lines):
            return None
        header = [name.strip().removeprefix("\ufeff") for name in lines[0]]
        if not {*KEY, *NUMBERS, "OrderDate", "ResellerKey"} <= set(header):
            return None
        rows = [dict(zip(header, line, strict=True)) for line in lines[1:]]
        if self.decimal_comma:
            for row in rows:
                row.update({name: row[name].replace(",", ".") for name in NUMBERS})
        return rows


def _key(row: Row) -> tuple[str, ...]:
    """Its number, as it is, and its line, a whole number; a column may be gone."""
    document, line = (row.get(name, "") for name in KEY)
    return document, line.strip()


def values(row: Row) -> Values:
    """What a line says."""
    quantity, cost, amount = (number(row.get(name, "")) for name in NUMBERS)
    return day(row.get("OrderDate", "")), quantity, cost, amount


def number(text: str) -> Decimal | None:
    """A plain number, or None."""
    if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII):
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def day(text: str) -> date | None:
    """An ISO day, with or without a time, or None."""
    try:
        return date.fromisoformat(text.strip()[:10]) if text[4:5] == "-" else None
    except ValueError:
        return None


Mutation = Callable[[random.Random, Delivery], None]


def _pick(pick: random.Random, delivery: Delivery) -> Row:
    return pick.choice(delivery.rows)


def _spoil(pick: random.Random, delivery: Delivery, columns: tuple[str, ...], texts: list[str]):
    row = _pick(pick, delivery)
    row[pick.choice(columns)] = pick.choice(texts)
    delivery.bad.add(_key(row))
    delivery.is_harmless = False


def another_delimiter(pick, delivery):
    delivery.delimiter = pick.choice([";", "\t", "|"])


def another_encoding(pick, delivery):
    delivery.encoding = pick.choice(["utf-8-sig", "utf-16"])


def another_line_end(pick, delivery):
    delivery.newline = pick.choice(["\r\n", "\n"])


def old_line_end(pick, delivery):
    delivery.newline = "\r"
    delivery.is_harmless = False


def all_quoted(pick, delivery):
    delivery.quotes_all = True


def columns_moved(pick, delivery):
    pick.shuffle(delivery.columns)


def rows_moved(pick, delivery):
    pick.shuffle(delivery.rows)


def another_column(pick, delivery):
    name = pick.choice(["Remark", "Bemerkung", "备注", "select", 'a "b"'])
    delivery.columns.insert(pick.randrange(len(delivery.columns)), name)
    for row in delivery.rows:
        row[name] = pick.choice(["", "x", "line\nbreak", 'said "so"', "a,b;c", "ü"])


def a_row_twice(pick, delivery):
    delivery.rows.append(dict(_pick(pick, delivery)))


def a_key_with_two_amounts(pick, delivery):
    row = dict(_pick(pick, delivery))
    row["SalesAmount"] = (
        str(Decimal(row["SalesAmount"] or "0") + 1)
        if number(row["SalesAmount"]) is not None
        else "1"
    )
    delivery.rows.append(row)
    delivery.is_harmless = False


def rows_gone(pick, delivery):
    del delivery.rows[: max(1, len(delivery.rows) // pick.choice([3, 10, 50]))]
    delivery.is_harmless = False


def all_rows_gone(pick, delivery):
    delivery.rows.clear()
    delivery.is_harmless = False


def an_amount_changed(pick, delivery):
    row = _pick(pick, delivery)
    row["SalesAmount"] = f"{pick.randrange(1, 10**6) / 100:.{pick.choice([2, 3, 4])}f}"
    delivery.is_harmless = False  # three decimals in one row may be asked about


def decimal_commas(pick, delivery):
    delivery.decimal_comma = True
    delivery.delimiter = ";"
    delivery.is_harmless = False


def three_decimals(pick, delivery):
    for row in delivery.rows:
        if number(row["SalesAmount"]) is not None:
            row["SalesAmount"] = f"{Decimal(row['SalesAmount']):.3f}"
    delivery.is_harmless = False


def a_number_unreadable(pick, delivery):
    _spoil(
        pick,
        delivery,
        NUMBERS,
        ["n/a", "", "1.2.3", "12-", "(5.00)", "NaN", "Infinity", "-inf",
         "\uff11\uff12", "0x1F", "1,234",
         "1.234.567,8", "€ 5", "5 EUR",
         "--", "1e999", "#DIV/0!", "1 000"],
    )  # fmt: skip


def a_day_unreadable(pick, delivery):
    _spoil(
        pick,
        delivery,
        ("OrderDate",),
        ["", "2017-13-01", "2017-02-30", "01.07.2017", "07/01/2017", "yesterday", "infinity",
         "0001-01-01", "9999-12-31", "1753-01-01", "1900-01-01", "20170701", "n/a", "today"],
    )  # fmt: skip


def a_key_unreadable(pick, delivery):
    _spoil(pick, delivery, (*KEY, "ResellerKey"), ["", " ", "NULL", "ab'c", "\\N", "0", "-1"])


def a_day_with_a_time(pick, delivery):
    row = _pick(pick, delivery)
    row["OrderDate"] = row["OrderDate"][:10] + pick.choice([" 00:00:00", "T00:00:00"])


def a_column_gone(pick, delivery):
    name = pick.choice([c for c in delivery.columns if c in (*KEY, *NUMBERS, "OrderDate")])
    delivery.columns.remove(name)
    for row in delivery.rows:
        row[name] = ""
    delivery.is_harmless = False


def a_column_renamed(pick, delivery):
    index = pick.randrange(len(delivery.columns))
    old, new = delivery.columns[index], pick.choice(["", "X", delivery.columns[0], "sum(1)"])
    delivery.columns[index] = new
    for row in delivery.rows:
        row[new] = row.get(old, "")
        if new != old:
            row.pop(old, None)
    delivery.is_harmless = False


def a_line_above(pick, delivery):
    delivery.above = [pick.choice(["Report of 2026-03-31", "sep=" + delivery.delimiter, ""])]
    delivery.is_harmless = False


def cut_off(pick, delivery):
    share = pick.random()
    delivery.edits.append(lambda content: content[: int(len(content) * share)])
    delivery.is_harmless = False


def a_byte_changed(pick, delivery):
    place, byte = pick.random(), bytes([pick.choice([0, 9, 10, 13, 34, 44, 46, 48, 57, 255])])

    def edit(content: bytes) -> bytes:
        at = int(len(content) * place)
        return content[:at] + byte + content[at + 1 :]

    delivery.edits.append(edit)
    delivery.is_harmless = False


def a_line_doubled_or_torn(pick, delivery):
    place = pick.random()

    def edit(content: bytes) -> bytes:
        at = content.find(b"\n", int(len(content) * place)) + 1
        return content[:at] + pick_line(content, at) + content[at:]

    def pick_line(content: bytes, at: int) -> bytes:
        line = content[at : content.find(b"\n", at) + 1]
        return line[: len(line) // 2] + b"\n" if pick_torn else line

    pick_torn = pick.random() < 0.5
    delivery.edits.append(edit)
    delivery.is_harmless = False


def blank_lines_at_the_end(pick, delivery):
    ends = delivery.newline * pick.choice([1, 3])
    delivery.edits.append(lambda content: content + ends.encode(_plain(delivery.encoding)))


def _plain(encoding: str) -> str:
    """The codec without a byte order mark, for text behind others."""
    return {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)


MUTATIONS: tuple[Mutation, ...] = (
    another_delimiter, another_encoding, another_line_end, old_line_end, all_quoted,
    columns_moved, rows_moved, another_column, a_row_twice, a_key_with_two_amounts, rows_gone,
    all_rows_gone, an_amount_changed, decimal_commas, three_decimals, a_number_unreadable,
    a_day_unreadable, a_key_unreadable, a_day_with_a_time, a_column_gone, a_column_renamed,
    a_line_above, cut_off, a_byte_changed, a_line_doubled_or_torn, blank_lines_at_the_end,
)  # fmt: skip


def mutated(seed: int, rows: list[Row], columns: list[str]) -> Delivery:
    """The delivery of a seed: one to three mutations of the rows, in a random order."""
    pick = random.Random(seed)
    delivery = Delivery([dict(row) for row in rows], list(columns))
    for mutation in pick.sample(MUTATIONS, pick.choice([1, 1, 2, 3])):
        if delivery.rows:
            mutation(pick, delivery)
            delivery.names.append(mutation.__name__)
    return delivery
