"""A table as a mail prints it: text cells, numbers, and bars drawn with table cells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rich.cells import cell_len

GAP = "  "


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller note under it, and a bar of so many percent."""

    text: str
    note: str = ""
    mark: str = ""
    is_number: bool = False
    is_strong: bool = False
    bar: int | None = None
    tone: str = "other"

    @property
    def said(self) -> str:
        """The cell in one line of plain text."""
        text = f"*{self.text}*" if self.is_strong and self.is_number else self.text
        said = f"{self.mark} {text}".strip()
        return f"{said} ({self.note})" if self.note and self.note != self.text else said


@dataclass(frozen=True)
class Table:
    """Rows under a title; `widths` are percent, `notes` stand below."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        return tuple(any(row[n].is_number for row in self.rows) for n in range(len(self.head)))

    @property
    def lines(self) -> tuple[str, ...]:
        """The table as plain text, in columns as wide as their widest cell."""
        printed = [self.head, *(tuple(cell.said for cell in row) for row in self.rows)]
        sizes = [max(cell_len(row[n]) for row in printed) for n in range(len(self.head))]
        lines = []
        for row in printed:
            cells = [
                " " * (size - cell_len(text)) + text
                if is_number
                else text.ljust(size - cell_len(text) + len(text))
                for text, size, is_number in zip(row, sizes, self.is_number, strict=True)
            ]
            lines.append(GAP.join(cells).rstrip())
        return tuple(lines)


def bar(amount: Decimal, most: Decimal) -> int:
    """Length of a bar in percent of the longest; anything but nothing is seen."""
    if most <= 0 or amount <= 0:
        return 0
    return max(2, min(100, int(100 * amount / most)))
