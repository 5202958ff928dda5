"""What every kind of source offers the loader: an opened SELECT that streams rows for COPY."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pa_compute
import pyarrow.csv as pa_csv

from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.errors import UserError

Months = dict[date, tuple[int, Decimal | None]]
"""First day of a month -> rows and sum; the sum is None for an entity without one."""

FIRST_CHANGE = datetime(1902, 1, 1, tzinfo=UTC)
"""A change time before it (1753-01-01, 1900-01-01) means none."""

ZERO_DAY = "0000-00-00"
"""MySQL's day that is none, and is no day in any other system; it is sent as -infinity."""

WHOLE = date.min
"""The one month of an entity whose rows have no `period`: all its rows are counted in it."""


@dataclass(frozen=True)
class Window:
    """The rows to read: changed at or after `start` (None: all), up to and with `end` (None: all).

    `end` is the newest change that the source showed when the window was fixed, so rows that change
    while we read belong to the next night, and no clock of ours is asked. With `months` (their
    first days) it is the rows of these months, with `keys` those whose first part of the key is
    one of these texts, changed at any time.
    """

    start: datetime | None = None
    end: datetime | None = None
    months: tuple[date, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows on their way into COPY: the form they are in, and blocks that may end within a row."""

    form: Literal["csv", "binary"]
    blocks: Iterator[bytes | memoryview]


class Extract(Protocol):
    """An entity's SELECT, opened at its source."""

    columns: tuple[str, ...]
    extra: tuple[str, ...]
    """Columns that the SELECT returns and the contract does not know."""
    types: dict[str, str]
    """Column -> kind of type that the source declares; empty where it declares none."""
    is_partial: bool
    """Whether the source shows only what changed since it was asked last."""

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows; None without rows."""
        ...

    def has_rows(self) -> bool:
        """Whether the source shows any row at all."""
        ...

    def rows(self, window: Window) -> Rows:
        """The window's rows, with `sent_columns` in order, in the form that costs least."""
        ...

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the same rows as CSV, whatever form would cost least."""
        ...

    def months(self) -> Months | None:
        """Rows and sum per month (UTC) of the contract's `period`, which is one of `columns`.

        All rows in `WHOLE` for an entity without one; None if the source shows a part of its rows.
        """
        ...


def check_columns(source: str, entity: Entity, returned: list[str]) -> tuple[str, ...]:
    """Check the names that a SELECT returns against the contract; return those that are loaded.

    What else it returns are the `unknown_columns`.

    Raises:
        UserError: A required column is missing, or a column is there twice.
    """
    where = f"source {source}, entity {entity.name}"
    unknown = unknown_columns(entity, returned)
    for name in returned:
        if returned.count(name) > 1:
            raise UserError(f"{where}, column {name}: the SELECT returns it twice; keep one")
    for column in entity.columns:
        if not column.nullable and column.name not in returned:
            renamed = f"; it returns column {', column '.join(unknown)} instead" if unknown else ""
            raise UserError(
                f"{where}, column {column.name}: required, but not in the SELECT{renamed}; "
                "add or rename it"
            )
    return tuple(name for name in returned if name in entity.column_names)


def unknown_columns(entity: Entity, returned: list[str]) -> tuple[str, ...]:
    """The columns of a SELECT that the contract does not know."""
    return tuple(name for name in returned if name not in entity.column_names)


def sent_columns(extract: Extract) -> tuple[str, ...]:
    """What the rows of an extract hold: the contract's columns, and all others in one."""
    return (*extract.columns, UNKNOWN) if extract.extra else extract.columns


def as_csv(batch: pa.RecordBatch) -> bytes:
    """Text columns as CSV in which an absent value is empty and an empty text is quoted.

    COPY reads it a sixth faster where nothing is quoted, so values are only if one must be.
    """
    lengths = (pa_compute.min(pa_compute.binary_length(column)).as_py() for column in batch.columns)
    if 0 not in lengths:
        try:
            return _written(batch, "none")
        except pa.ArrowInvalid:  # a value holds a comma, a quote or a line break
            pass
    return _written(batch, "needed")


def _written(batch: pa.RecordBatch, quoting: Literal["none", "needed"]) -> bytes:
    sink = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, quoting_style=quoting)
    pa_csv.write_csv(batch, sink, options)
    return sink.getvalue()
