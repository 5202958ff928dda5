"""Rows as columns: how the sample company's generators hold days, money and "nothing".

A `Rows` is a dict of equally long arrays. Numbers are whole numbers throughout, so that every sum
is exact: a day is the days since 1970-01-01, money is cents, and so on (`tables.py` names each
column's unit). `NONE` (-1) is an empty value, `NEVER` the day of what does not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Array = NDArray
Rows = dict[str, Array]

NONE = -1
"""An empty value in a column of whole numbers."""

NEVER = 1_000_000
"""The day of an event that does not take place (year 4707)."""

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Window:
    """The change days to write: after one evening, up to and with another one."""

    after: int
    through: int


def to_day(value: date) -> int:
    """Return the days since 1970-01-01."""
    return value.toordinal() - _EPOCH


def to_date(day: int) -> date:
    """Return the date of a day number."""
    return date.fromordinal(int(day) + _EPOCH)


def month_start(value: date, months: int = 0) -> date:
    """Return the first day of the month that lies `months` after the month of `value`."""
    count = value.year * 12 + value.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def months_between(first: date, last: date) -> int:
    """Return how many months the month of `last` lies after the month of `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def month_of(days: Array) -> Array:
    """Return each day's first day of the month, as days."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(int)


def workday(days: Array) -> Array:
    """Move each day that falls on a weekend to the Monday after it."""
    weekday = (days + 3) % 7
    return days + np.where(weekday == 5, 2, np.where(weekday == 6, 1, 0))


def generator(seed: int, stream: int, month: int = 0) -> np.random.Generator:
    """Return the random numbers of one stream and month; any month can be drawn again alone."""
    return np.random.default_rng([seed, stream, month])


def take(rows: Rows, keep: Array) -> Rows:
    """Return the rows that a mask or an index selects."""
    return {name: column[keep] for name, column in rows.items()}


def concat(parts: list[Rows]) -> Rows:
    """Return the rows of several parts with the same columns, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def length(rows: Rows) -> int:
    """Return the number of rows."""
    return len(next(iter(rows.values())))


def divide(amount: Array, by: int | Array) -> Array:
    """Divide whole non-negative numbers, rounding half up as PostgreSQL rounds a numeric."""
    return (amount + by // 2) // by


def evening(days: Array) -> Array:
    """Return the seconds of 20:00 UTC of each day: when a day's changes are stamped."""
    return days * 86_400 + 20 * 3_600
