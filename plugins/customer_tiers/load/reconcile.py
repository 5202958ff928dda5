"""Months in which raw differs from the source are read again whole.

A window by cursor cannot see a deleted row, and misses one that was stamped wrongly. So after an
extract by cursor, in each load or every so many days as source.yml says, count and sum per month
are compared with the source, and a month that differs is read again: what is there comes in, what
is gone goes. A month that differs even then is kept in `ops.reconciliation` and read again only
when the difference is another. An entity without a `period` is one month, `WHOLE`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity
from customer_tiers.sources.extract import WHOLE, Months

ROUNDING = Decimal("0.005")
"""How far the sums of a month may lie apart: a server that keeps amounts as doubles, and a file's
amounts of many decimals, are added up with less digits than raw is."""

Apart = tuple[int, Decimal]
"""Rows and sum that the source has more than raw."""

NOTHING: Apart = (0, Decimal(0))


def is_due(connection: psycopg.Connection, entity: Entity, today: date, every_days: int) -> bool:
    """Whether the months are to be compared in a load of today; with 0 days, in each load."""
    row = connection.execute(
        "select reconciled_on from ops.watermark where entity = %s", [entity.name]
    ).fetchone()
    last = row[0] if row else None
    return last is None or not 0 <= (today - last).days < every_days


def settle(connection: psycopg.Connection, entity: Entity, today: date) -> None:
    """Remember that the months were compared, and that what differed was read again."""
    connection.execute(
        "update ops.watermark set reconciled_on = %s where entity = %s", [today, entity.name]
    )


def month_of(entity: Entity, alias: str) -> sql.Composed:
    """SQL of the month (UTC) that a row of raw or stage belongs to."""
    return sql.SQL("date_trunc('month', {}::timestamp)::date").format(_day_of(entity, alias))


def _day_of(entity: Entity, alias: str) -> sql.Composable:
    if entity.period is None:
        return sql.Literal(WHOLE)
    column = sql.Identifier(alias, entity.period)
    if entity.column(entity.period).type == "timestamp":
        return sql.SQL("({} at time zone 'UTC')::date").format(column)
    return column


COUNT = """
select date_trunc('month', day::timestamp)::date, sum(lines)::bigint, sum(total)
from (
    select {raw_day} as day, count(*) as lines, {raw_total} as total from {raw} as raw group by 1
) as days
group by 1
"""
"""Rows and sum of raw per month; by day first, since few days are quicker to turn into months."""

FOLLOW = """
insert into ops.month_in_raw as known (entity, month_start, lines, total)
select
    {entity},
    date_trunc('month', {touched_day}::timestamp)::date,
    sum(case version when 'new' then 1 else -1 end),
    {touched_total}
from pg_temp.touched as touched
where exists (select from ops.month_in_raw where entity = {entity}) and {touched_day} is not null
group by 2
on conflict (entity, month_start) do update
set lines = known.lines + excluded.lines, total = known.total + excluded.total
"""
"""What a load changed, old versions less and new ones more."""

WAITING = """
with waiting as materialized (
    select distinct on (held.row_key) waiting_row.*
    from quarantine.rows as held
    cross join lateral jsonb_populate_record(null::{raw}, held.row_data) as waiting_row
    where held.entity = {entity} and (held.resolved_run is null or held.resolved_run = 'dropped')
    order by held.row_key, held.last_seen_at desc
)
select date_trunc('month', day::timestamp)::date, sum(lines)::bigint, sum(total)
from (
    select {waiting_day} as day, count(*) as lines, {waiting_total} as total
    from waiting group by 1
    union all
    select {raw_day}, -count(*), -{raw_total} from {raw} as raw
    where ({raw_key}) in (select {waiting_key} from waiting) group by 1
) as days
where day between '0001-01-01' and '9999-12-31'
group by 1
"""
"""What waits in quarantine is at the source too, in the place of what raw has of it."""


def follow(connection: psycopg.Connection, entity: Entity, *, is_first: bool) -> None:
    """Keep the months of raw true, in the transaction of a load and on its `touched` rows.

    After a first load they are counted, while its rows are still in memory.
    """
    if entity.cursor is None:
        return
    if is_first:
        connection.execute("delete from ops.month_in_raw where entity = %s", [entity.name])
        _months_in_raw(connection, entity)
    else:
        connection.execute(_filled(FOLLOW, entity))


def months_read(connection: psycopg.Connection, entity: Entity) -> Months:
    """Rows and sum per month as read so far."""
    months = _months_in_raw(connection, entity)
    for month, lines, total in connection.execute(_filled(WAITING, entity)).fetchall():
        known_lines, known_total = months.get(month, (0, None))
        months[month] = (known_lines + lines, (known_total or Decimal(0)) + (total or 0))
    return {month: found for month, found in months.items() if found[0]}


def _months_in_raw(connection: psycopg.Connection, entity: Entity) -> Months:
    known = connection.execute(
        "select month_start, lines, total from ops.month_in_raw where entity = %s", [entity.name]
    ).fetchall()
    if not known:
        counted = connection.execute(_filled(COUNT, entity)).fetchall()
        known = [
            (month, lines, total if total is not None or not entity.sum else Decimal(0))
            for month, lines, total in counted
            if month is not None
        ]
        with connection.transaction(), connection.cursor() as cursor:  # all of them, or none
            cursor.executemany(
                "insert into ops.month_in_raw (entity, month_start, lines, total) "
                "values (%s, %s, %s, %s) on conflict do nothing",
                [(entity.name, *month) for month in known],
            )
    return {month: (lines, total) for month, lines, total in known}


def _filled(statement: str, entity: Entity) -> sql.Composed:
    """A statement above with the entity's names."""
    names: dict[str, sql.Composable] = {
        "raw": sql.Identifier("raw", entity.table),
        "entity": sql.Literal(entity.name),
    }
    for alias in ("raw", "waiting", "touched"):
        amount: sql.Composable = sql.SQL("null::numeric")
        if entity.sum:
            amount = sql.Identifier(alias, entity.sum)
        if alias == "touched" and entity.sum:
            amount = sql.SQL("case version when 'new' then {0} else -{0} end").format(amount)
        total = sql.SQL("sum({})").format(amount)
        if alias == "touched" and entity.sum:
            total = sql.SQL("coalesce({}, 0)").format(total)
        names |= {
            f"{alias}_day": _day_of(entity, alias),
            f"{alias}_key": _prefixed(entity.key, alias),
            f"{alias}_total": total,
        }
    return sql.SQL(statement).format(**names)  # type: ignore[arg-type]


def _prefixed(names: tuple[str, ...], table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) for name in names)


def differing(connection: psycopg.Connection, entity: Entity, theirs: Months) -> list[date]:
    """The months in which raw is not what the source has, less those known to be explained."""
    ours = months_read(connection, entity)
    explained = {
        month: _apart((rows, total), (our_rows, our_total))
        for month, rows, total, our_rows, our_total in connection.execute(
            "select month_start, source_rows, source_sum, raw_rows, raw_sum "
            "from ops.reconciliation where entity = %s",
            [entity.name],
        )
    }
    none = (0, None)
    apart = {
        month: _apart(theirs.get(month, none), ours.get(month, none))
        for month in filter(None, {*ours, *theirs})
    }
    return sorted(
        month
        for month, found in apart.items()
        if not any(_agree(found, known) for known in (NOTHING, explained.get(month, NOTHING)))
    )


def remember(connection: psycopg.Connection, entity: Entity, theirs: Months, run_id: str) -> None:
    """Keep the months that still differ, in the transaction that loaded them if any was."""
    ours = months_read(connection, entity)
    connection.execute("delete from ops.reconciliation where entity = %s", [entity.name])
    none = (0, None)
    left = [
        (entity.name, month, *theirs.get(month, none), *ours.get(month, none), run_id)
        for month in sorted(filter(None, {*ours, *theirs}))
        if not _agree(_apart(theirs.get(month, none), ours.get(month, none)), NOTHING)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.reconciliation (entity, month_start, source_rows, source_sum, "
            "raw_rows, raw_sum, run_id) values (%s, %s, %s, %s, %s, %s, %s)",
            left,
        )


def _apart(theirs: tuple[int, Decimal | None], ours: tuple[int, Decimal | None]) -> Apart:
    """Rows and sum that the source has more; no amount counts as nothing, and sums of which one is
    no number are not compared."""
    of_source, of_raw = (Decimal(0) if total is None else total for total in (theirs[1], ours[1]))
    is_comparable = of_source.is_finite() and of_raw.is_finite()
    return theirs[0] - ours[0], of_source - of_raw if is_comparable else Decimal(0)


def _agree(apart: Apart, known: Apart) -> bool:
    return apart[0] == known[0] and abs(apart[1] - known[1]) < ROUNDING
