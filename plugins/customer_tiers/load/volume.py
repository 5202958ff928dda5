"""The circuit breaker: a day far outside the band of the same weekday is a fault, not a trend.

Half an extract looks like half the customers leaving, and half the receivables like good payers. So
the business date's rows and amount are held against the same weekday of the last weeks, before
anything is computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Contract, Entity
from customer_tiers.errors import UserError

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
"""The same for the sum of amounts; wrong units are beyond it."""

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

select day, count(*), sum(amount) filter (where place <= 0.9 * lines)
from lines
group by day
"""
"""Rows and sum of each day; the sum leaves out the largest tenth of the rows, since one honest
invoice may be worth forty usual days."""


NEWEST = "select max({day}) from raw.{table} where {day} <= %s"

LINES = "erp.invoice_lines"
"""Their newest day is the business date; other entities may be a day or two behind it."""


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
def check_all(
    connection: psycopg.Connection, source: str, contract: Contract, day: date, *, is_accepted: bool
) -> list[str]:
    """Hold each entity that has amounts against its weekdays, on its newest day up to `day`.

    How many activities or orders there are decides little, and swings more.

    Raises:
        UserError: One is out of its band.
    """
    found = []
    for entity in contract.entities.values():
        if entity.sum is None:
            continue
        newest = day if entity.name == LINES else _newest(connection, entity, day)
        if newest is not None:
            found.append(check(connection, source, entity, newest, is_accepted=is_accepted))
    return [line for line in found if line is not None]


def _newest(connection: psycopg.Connection, entity: Entity, day: date) -> date | None:
    statement = sql.SQL(NEWEST).format(
        day=sql.Identifier(str(entity.period)), table=sql.Identifier(entity.table)
    )
    [(newest,)] = connection.execute(statement, [day]).fetchall()
    return newest


def check(
    connection: psycopg.Connection, source: str, entity: Entity, day: date, *, is_accepted: bool
) -> str | None:
    """Hold the entity's rows and sum of a day against the same weekday of the last weeks.

    Args:
        connection: To the warehouse.
        source: The company, named in the line.
        entity: An entity with `period`, and perhaps `sum`.
        day: The day.
        is_accepted: Somebody knows and wants the night all the same.

    Returns:
        A warning if the day is out of its band and accepted.

    Raises:
        UserError: It is out of its band.
    """
    out = [band for band in _bands(_days(connection, entity, day), day) if band.is_out]
    if not out:
        return None
    line = (
        f"source {source}, entity {entity.name}, column {entity.period}: {day} has "
        f"{out[0].found:,} {out[0].what}, where {WEEKS} weeks of the same weekday had "
        f"{out[0].usual:,} in the middle"
    )
    if is_accepted:
        return f"warning: {line}"
    raise UserError(
        f"{line}; check that the extract is whole and there once, or run the night with "
        "--accept-drift if the day was like that"
    )


def _days(
    connection: psycopg.Connection, entity: Entity, day: date
) -> dict[date, tuple[int, Decimal | None]]:
    """Rows and sum of the day and of the same weekday before it; a day without rows is left out."""
    days = [date.fromordinal(day.toordinal() - 7 * week) for week in range(WEEKS + 1)]
    statement = sql.SQL(DAYS).format(
        day=sql.Identifier(str(entity.period)),
        amount=sql.Identifier(entity.sum) if entity.sum else sql.SQL("null::numeric"),
        table=sql.Identifier(entity.table),
    )
    rows = connection.execute(statement, {"days": days}).fetchall()
    return {found: (count, total) for found, count, total in rows}


def _bands(days: dict[date, tuple[int, Decimal | None]], day: date) -> Sequence[Band]:
    before = [figures for found, figures in days.items() if found != day]
    if len(before) < FEWEST_WEEKS or _median([Decimal(rows) for rows, _ in before]) < FEWEST_ROWS:
        return []
    rows, total = days.get(day, (0, Decimal(0)))
    usual = _median([Decimal(count) for count, _ in before])
    bands = [Band("rows", Decimal(rows), usual, LOW, HIGH)]
    sums = [amount for _, amount in before if amount is not None]
    if len(sums) == len(before) and _median(sums) > 0:
        found = total or Decimal(0)
        bands.append(
            Band(
                "in sum but for the largest tenth of its rows",
                found,
                _median(sums),
                LOWEST_SUM,
                HIGHEST_SUM,
            )
        )
    return bands


def _median(values: Sequence[Decimal]) -> Decimal:
    ordered, middle = sorted(values), len(values) // 2
    if len(values) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
