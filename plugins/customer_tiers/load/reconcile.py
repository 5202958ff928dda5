"""Months in which raw differs from the source are read again whole.

A window by cursor cannot see a deleted row, and misses one that was stamped wrongly. So after each
extract by cursor, count and sum per month are compared with the source, and a month that differs is
read again: what is there comes in, what is gone goes. A month that differs even then is kept in
`ops.reconciliation` and read again only when either side has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, cast

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity

Months = dict[date, tuple[int, Decimal | None]]
"""First day of a month -> rows and sum; the sum is None for an entity without one."""


class Reconcilable(Protocol):
    """An extract that can be asked by month, as a source that is read by cursor should."""

    def months(self) -> Months:
        """Rows and sum per month (UTC) of the contract's `period`."""
        ...

    def copy_months(self, months: list[date]) -> Iterator[bytes | memoryview]:
        """Yield all rows of some months as CSV for COPY."""
        ...


def reconcilable(entity: Entity, extract: Any) -> Reconcilable | None:
    """The extract, if entity and source can be compared by month."""
    if entity.period is None or entity.period not in extract.columns:
        return None
    return cast(Reconcilable, extract) if hasattr(extract, "months") else None


def month_of(entity: Entity, alias: str) -> sql.Composed:
    """SQL of the month (UTC) that a row of raw or stage belongs to."""
    column = sql.Identifier(alias, str(entity.period))
    moment = (
        sql.SQL("{} at time zone 'UTC'").format(column)
        if entity.column(str(entity.period)).type == "timestamp"
        else sql.SQL("{}::timestamp").format(column)
    )
    return sql.SQL("date_trunc('month', {})::date").format(moment)


READ = """
with waiting as (
    select distinct on (held.row_key) waiting_row.*
    from quarantine.rows as held
    cross join lateral jsonb_populate_record(null::{raw}, held.row_data) as waiting_row
    where held.entity = {entity} and (held.resolved_run is null or held.resolved_run = 'dropped')
    order by held.row_key, held.last_seen_at desc
),
held as (
    select raw.* from {raw} as raw
    where not exists (select from waiting where ({waiting_key}) = ({raw_key}))
    union all
    select * from waiting
)
select {month}, count(*), {total} from held group by 1
"""
"""What we have of each month: in raw, or waiting in quarantine, which is at the source too."""


def months_read(connection: psycopg.Connection, entity: Entity) -> Months:
    """Rows and sum per month as read so far."""
    total = sql.SQL("sum({})").format(sql.Identifier("held", entity.sum)) if entity.sum else None
    rows = connection.execute(
        sql.SQL(READ).format(
            raw=sql.Identifier("raw", entity.table),
            entity=sql.Literal(entity.name),
            waiting_key=_prefixed(entity.key, "waiting"),
            raw_key=_prefixed(entity.key, "raw"),
            month=month_of(entity, "held"),
            total=total or sql.SQL("null::numeric"),
        )
    ).fetchall()
    return {month: (count, amount) for month, count, amount in rows}


def _prefixed(names: tuple[str, ...], table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) for name in names)


def differing(connection: psycopg.Connection, entity: Entity, theirs: Months) -> list[date]:
    """The months in which raw is not what the source has, less those known to be explained."""
    ours = months_read(connection, entity)
    seen = {
        month: ((rows, total), (our_rows, our_total))
        for month, rows, total, our_rows, our_total in connection.execute(
            "select month_start, source_rows, source_sum, raw_rows, raw_sum "
            "from ops.reconciliation where entity = %s",
            [entity.name],
        )
    }
    none = (0, None)
    return sorted(
        month
        for month in {*ours, *theirs}
        if month is not None
        and not _agree(theirs.get(month, none), ours.get(month, none))
        and seen.get(month) != (theirs.get(month, none), ours.get(month, none))
    )


def remember(connection: psycopg.Connection, entity: Entity, theirs: Months, run_id: str) -> int:
    """Keep the months that still differ, in the transaction that loaded them; return how many."""
    ours = months_read(connection, entity)
    connection.execute("delete from ops.reconciliation where entity = %s", [entity.name])
    none = (0, None)
    left = [
        (entity.name, month, *theirs.get(month, none), *ours.get(month, none), run_id)
        for month in sorted(filter(None, {*ours, *theirs}))
        if not _agree(theirs.get(month, none), ours.get(month, none))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.reconciliation (entity, month_start, source_rows, source_sum, "
            "raw_rows, raw_sum, run_id) values (%s, %s, %s, %s, %s, %s, %s)",
            left,
        )
    return len(left)


def _agree(theirs: tuple[int, Decimal | None], ours: tuple[int, Decimal | None]) -> bool:
    """Equal rows and equal sums, where no amount counts as nothing."""
    return theirs[0] == ours[0] and (theirs[1] or 0) == (ours[1] or 0)
