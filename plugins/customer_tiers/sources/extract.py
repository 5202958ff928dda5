"""What every kind of source offers the loader: an opened SELECT that streams COPY text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError


@dataclass(frozen=True)
class Window:
    """The rows to read by cursor: changed at or after `start` (None: all), up to and with `end`.

    `end` is the newest change that the source showed when the window was fixed, so rows that change
    while we read belong to the next night, and no clock of ours is asked.
    """

    start: datetime | None
    end: datetime | None


class Extract(Protocol):
    """An entity's SELECT, opened at its source."""

    columns: tuple[str, ...]
    extra: tuple[str, ...]
    """Columns that the SELECT returns and the contract does not know."""

    def newest_change(self) -> datetime | None:
        """The largest cursor value of all rows; None without rows."""
        ...

    def has_rows(self) -> bool:
        """Whether the source shows any row at all."""
        ...

    def copy_csv(self, window: Window) -> Iterator[bytes | memoryview]:
        """Yield the window's rows as CSV for COPY, with `columns` in order."""
        ...


def check_columns(source: str, entity: Entity, returned: list[str]) -> tuple[str, ...]:
    """Check the names that a SELECT returns against the contract; return those that are loaded.

    A column that the contract does not know is kept aside, see `unknown_columns`.

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


def as_csv(batch: pa.RecordBatch) -> bytes:
    """CSV in which an absent value is empty and an empty text is quoted, as COPY reads them."""
    sink = io.BytesIO()
    pa_csv.write_csv(batch, sink, pa_csv.WriteOptions(include_header=False))
    return sink.getvalue()
