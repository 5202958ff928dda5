"""Records that are merged into one another in a ring, or into themselves: they stay apart."""

from __future__ import annotations

import psycopg

from customer_tiers.contract import Entity
from customer_tiers.spelling import Ask

MOST_STEPS = 50

RING = """
with recursive walk as (
    select {id} as start_id, merged_into_id as at_id, 1 as steps
    from {rows}
    where merged_into_id is not null
    union all
    select walk.start_id, followed.merged_into_id, walk.steps + 1
    from walk
    inner join {rows} as followed on followed.{id} = walk.at_id
    where
        followed.merged_into_id is not null
        and walk.at_id <> walk.start_id
        and walk.steps < {most}
)

select distinct start_id from walk where at_id = start_id order by 1
"""

REASON = "merged in a ring or into itself, so it stays a record of its own"

FORGET = "delete from ops.merge_ring where entity = %s and not record_id = any(%s)"

KEEP = """
insert into ops.merge_ring (entity, record_id, reason, first_seen_run) values (%s, %s, %s, %s)
on conflict do nothing
"""


def find(ask: Ask, entity: Entity, rows: str) -> list[str]:
    """The keys of records whose chain of merges leads back to them, in order."""
    if "merged_into_id" not in entity.column_names:
        return []
    statement = RING.format(id=entity.key[0], rows=rows, most=MOST_STEPS)
    return [str(key) for (key,) in ask(statement)]


def line(entity: Entity, keys: list[str]) -> str:
    """What a reader is told of them."""
    shown = ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
    return (
        f"{entity.name}, column merged_into_id: {shown} are merged in a ring, or into themselves, "
        "so each stays a record of its own; correct it at the source, or make it null in the SELECT"
    )


def note(connection: psycopg.Connection, source: str, entity: Entity, run_id: str) -> list[str]:
    """Keep the rings in raw for `bi.stewardship`; return a warning if there is any."""
    if "merged_into_id" not in entity.column_names:
        return []
    table = f"raw.{entity.table}"
    keys = find(lambda text: connection.execute(text).fetchall(), entity, table)  # type: ignore[call-overload]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(FORGET, [entity.name, keys])
        cursor.executemany(KEEP, [(entity.name, key, REASON, run_id) for key in keys])
    return [f"warning: source {source}, {line(entity, keys)}"] if keys else []
