"""A source that changed its shape: what is new is kept aside, what is gone stops the source.

A column that the contract does not know is listed in `bi.stewardship`; its values are kept in one
column of raw (`UNKNOWN`) in the rows that are read, and no model reads them. One
that was loaded before and is not there any more would empty itself in raw row by row; a renamed
column is both.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError

NOTE = """
insert into ops.source_column (entity, column_name, is_loaded, first_seen_run, last_seen_run)
select %(entity)s, name, is_loaded, %(run_id)s, %(run_id)s
from unnest(%(names)s::text[], %(loaded)s::boolean[]) as found (name, is_loaded)
on conflict (entity, column_name) do update set
    is_loaded = excluded.is_loaded, last_seen_run = excluded.last_seen_run
returning column_name, is_loaded, first_seen_run = %(run_id)s
"""


def refuse_missing(
    connection: psycopg.Connection,
    source: str,
    entity: Entity,
    columns: Sequence[str],
    extra: Sequence[str],
) -> None:
    """Stop a source that lost a column it delivered before.

    Args:
        connection: To the warehouse.
        source: The company, named in the line.
        entity: What is loaded.
        columns: The contract's columns that the SELECT returns tonight.
        extra: The others that it returns.

    Raises:
        UserError: Names the column, and the new ones, one of which may be its new name.
    """
    delivered = connection.execute(
        "select column_name from ops.source_column where entity = %s and is_loaded", [entity.name]
    )
    missing = sorted({name for (name,) in delivered} - set(columns))
    if not missing:
        return
    renamed = f" (new there: {', '.join(extra)})" if extra else ""
    raise UserError(
        f"source {source}, entity {entity.name}, column {missing[0]}: it was delivered until now "
        f"and is missing{renamed}; restore it or rename it in the SELECT, or run the night with "
        "--accept-drift if it is gone for good"
    )


def note(
    connection: psycopg.Connection,
    run_id: str,
    entity: Entity,
    columns: Sequence[str],
    extra: Sequence[str],
) -> list[str]:
    """Remember which columns there are, in the transaction of the load; say which are new and
    unknown."""
    names = [*columns, *extra]
    connection.execute(
        "delete from ops.source_column where entity = %s and not column_name = any(%s)",
        [entity.name, names],
    )
    found = connection.execute(
        NOTE,
        {
            "entity": entity.name,
            "run_id": run_id,
            "names": names,
            "loaded": [True] * len(columns) + [False] * len(extra),
        },
    ).fetchall()
    return [name for name, is_loaded, is_new in found if is_new and not is_loaded]
