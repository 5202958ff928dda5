"""Play past nights again, one after the other: what the sources know today about days long gone."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from customer_tiers import connections, night, runner
from customer_tiers.embedded import services
from customer_tiers.errors import UserError
from customer_tiers.load import tables

STEPS = ("day", "week", "month")

PUBLISHED = """
    select distinct business_date from bi.publication
    where status = 'published' and business_date between %s and %s
    order by business_date
"""

Say = Callable[[str], None]


def play(
    source: str, first: date, last: date, *, every: str | None, path: Path | None, say: Say
) -> None:
    """Play the nights of a range in order, since each remembers the one before it.

    Raises:
        UserError: The range or the step is none, or a night failed: those after it are not played.
    """
    if first > last:
        raise UserError(f"--from {first} lies after --to {last}")
    if every not in (None, *STEPS):
        raise UserError(f"--every {every}: it is {', '.join(STEPS[:-1])} or {STEPS[-1]}")
    runner.check_source(source, path)
    services.up(say)
    days = nights(source, first, last, every)
    say(f"backfill of source {source}: {len(days)} nights, {days[0]} to {days[-1]}")
    for number, day in enumerate(days, start=1):
        say(f"night {number} of {len(days)}")
        try:
            runner.run_night(
                source, business_date=day.isoformat(), path=path, say=say, is_quiet=True
            )
        except UserError as error:
            raise UserError(
                f"backfill stopped at {day}, {number - 1} of {len(days)} nights done: {error}"
            ) from error


def nights(source: str, first: date, last: date, every: str | None) -> list[date]:
    """The nights to be played: those published in the range, or all steps of it.

    Without a step and without a published night, it is every day.
    """
    if every is None:
        published = _published(source, first, last)
        if published:
            return published
    return list(_steps(first, last, every or "day"))


def _published(source: str, first: date, last: date) -> list[date]:
    connections.ensure("warehouse", connections.embedded_warehouse(source))
    with night.connect(source) as connection:
        if not tables.is_prepared(connection):
            return []
        return [row[0] for row in connection.execute(PUBLISHED, [first, last])]


def _steps(first: date, last: date, every: str) -> Iterator[date]:
    for number in count():
        day = _later(first, every, number)
        if day > last:
            return
        yield day


def _later(day: date, every: str, number: int) -> date:
    """The day a number of steps later; a month too short for it ends with its last day."""
    if every != "month":
        return day + timedelta(days=number * (7 if every == "week" else 1))
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
