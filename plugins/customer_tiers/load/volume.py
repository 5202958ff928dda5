"""The circuit breaker: a day far outside the band of the same weekday is a fault, not a trend.

Half an extract looks like half the customers leaving, and half the receivables like good payers. So
the business date's rows and amount are held against the same weekday of the last weeks, before
anything is computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Contract, Entity
from customer_tiers.errors import UserError
from customer_tiers.load.dirty import LINES

WEEKS = 8
"""How many of the same weekday a day is held against; days without a row do not count."""

FEWEST_WEEKS = 4
"""With fewer there is no band yet."""

FEWEST_ROWS = 50
"""A usual day of fewer rows swings too much to be judged."""

LOW, HIGH = Decimal("0.25"), Decimal(4)
"""Rows below a quarter or beyond four times the median are out of the band. A bridge day or a
month's end stays within; half an export, or one of all years, does not."""

LOWEST_SUM, HIGHEST_SUM = Decimal("0.05"), Decimal(20)
"""The same for the sum of amounts but for the largest tenth of them, since one honest invoice may
be worth forty usual days; wrong units are beyond it."""

HIGHEST_WHOLE = Decimal(400)
"""The same for the sum of all: ten times such an invoice is a slip of the keys."""

RECENT = timedelta(days=7)
"""Days of so long before the business date are judged, too, if they changed: they may have come
late or half, or have lost rows."""

DAYS = """
with lines as (
    select
        {day} as day,
        {amount} as amount,
        row_number() over (partition by {day} order by {amount}) as place,
        count(*) over (partition by {day}) as lines
    from raw.{table}
    where {day} = any(%(days)s)
)

select
    day,
    count(*),
    coalesce(sum(amount) filter (where place <= 0.9 * lines), 0),
    coalesce(sum(amount), 0)
from lines
group by day
"""

NEWEST = "select max({day}) from raw.{table} where {day} <= %s"

CHANGED = """
select distinct day
from ops.dirty_day
where fact = 'sales' and day <= %(day)s and day > %(since)s
"""

KNOWN = "select day from ops.accepted_day where entity = %s"

ACCEPT = """
insert into ops.accepted_day (entity, day) values (%s, %s) on conflict do nothing
"""


@dataclass(frozen=True)
class Figures:
    """Rows of a day, the sum of all but the largest tenth, and of all."""

    rows: int
    most: Decimal
    whole: Decimal


@dataclass(frozen=True)
class Band:
    """A day's figure and the usual one of its weekday."""

    what: str
    found: Decimal
    usual: Decimal
    low: Decimal
    high: Decimal

    @property
    def is_out(self) -> bool:
        """Whether it is below or beyond what a weekday may be."""
        return not self.usual * self.low <= self.found <= self.usual * self.high


@stopwatch.part("volume")
def check(
    connection: psycopg.Connection, source: str, contract: Contract, day: date, *, is_accepted: bool
) -> list[str]:
    """Hold each entity that has amounts against the same weekdays of the weeks before.

    How many activities or orders there are decides little, and swings more. A day that somebody has
    accepted is not judged again.

    Args:
        connection: To the warehouse.
        source: The company, named in the line.
        contract: Its entities.
        day: The business date.
        is_accepted: Somebody knows and wants the night all the same.

    Returns:
        A warning for each day that is out of its band and accepted.

    Raises:
        UserError: A day is out of its band.
    """
    warnings = []
    for entity in contract.entities.values():
        if entity.sum is None:
            continue
        known = {accepted for (accepted,) in connection.execute(KNOWN, [entity.name])}
        for judged in sorted(_judged(connection, entity, day) - known):
            line = fault(source, entity, judged, _figures(connection, entity, judged))
            if line is None:
                continue
            if not is_accepted:
                raise UserError(
                    f"{line}; check that the extract is whole and there once, or run the night "
                    "with --accept-drift if the day was like that"
                )
            connection.execute(ACCEPT, [entity.name, judged])
            warnings.append(f"warning: {line}")
    return warnings


def fault(source: str, entity: Entity, day: date, figures: dict[date, Figures]) -> str | None:
    """Say how a day is out of its band, if it is; `figures` are its own and of the weeks before."""
    out = [band for band in _bands(figures, day) if band.is_out]
    if not out:
        return None
    return (
        f"source {source}, entity {entity.name}, column {entity.period}: {day} has "
        f"{out[0].found:,} {out[0].what}, where {WEEKS} weeks of the same weekday had "
        f"{out[0].usual:,} in the middle"
    )


def _judged(connection: psycopg.Connection, entity: Entity, day: date) -> set[date]:
    if entity.name == LINES:  # their newest day is the business date, others may be behind it
        changed = connection.execute(CHANGED, {"day": day, "since": day - RECENT})
        return {day, *(found for (found,) in changed)}
    statement = sql.SQL(NEWEST).format(
        day=sql.Identifier(str(entity.period)), table=sql.Identifier(entity.table)
    )
    [(newest,)] = connection.execute(statement, [day]).fetchall()
    return set() if newest is None else {newest}


def _figures(connection: psycopg.Connection, entity: Entity, day: date) -> dict[date, Figures]:
    """Of the day and of the same weekday before it; a day without rows is left out."""
    days = [day - timedelta(weeks=week) for week in range(WEEKS + 1)]
    statement = sql.SQL(DAYS).format(
        day=sql.Identifier(str(entity.period)),
        amount=sql.Identifier(str(entity.sum)),
        table=sql.Identifier(entity.table),
    )
    rows = connection.execute(statement, {"days": days}).fetchall()
    return {found: Figures(*figures) for found, *figures in rows}


def _bands(figures: dict[date, Figures], day: date) -> Sequence[Band]:
    before = [found for other, found in figures.items() if other != day]
    if len(before) < FEWEST_WEEKS:
        return []
    rows, most, whole = (
        _median([getattr(each, name) for each in before]) for name in ("rows", "most", "whole")
    )
    if rows < FEWEST_ROWS:
        return []
    today = figures.get(day, Figures(0, Decimal(0), Decimal(0)))
    bands = [Band("rows", Decimal(today.rows), rows, LOW, HIGH)]
    if most > 0:
        what = "in sum but for the largest tenth of its rows"
        bands.append(Band(what, today.most, most, LOWEST_SUM, HIGHEST_SUM))
    if whole > 0:
        bands.append(Band("in sum", abs(today.whole), whole, Decimal(0), HIGHEST_WHOLE))
    return bands


def _median(values: Sequence[Decimal]) -> Decimal:
    ordered, middle = sorted(map(Decimal, values)), len(values) // 2
    if len(values) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
