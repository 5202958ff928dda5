"""A source that changed its shape: what is new is kept aside, what is gone stops the source.

A column that the contract does not know is listed in `bi.stewardship`; its values are kept in one
column of raw (`UNKNOWN`) in the rows that are read, and no model reads them. One
that was loaded before and is not there any more would empty itself in raw row by row; a renamed
column is both. One whose type at the source changed may write the same value otherwise (the key 10
as 10.0), so that no row is the one it was.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources.extract import Extract

EMPTIED_ROWS, EMPTIED_SHARE = 10, 0.1
"""So many changed rows, and so many of all that changed, must have lost their value: people clear a
field here and there, and corrections take a discount back."""

NOTE = """
insert into ops.source_column
    (entity, column_name, is_loaded, kind, first_seen_run, last_seen_run)
select %(entity)s, name, is_loaded, kind, %(run_id)s, %(run_id)s
from unnest(%(names)s::text[], %(loaded)s::boolean[], %(kinds)s::text[])
    as found (name, is_loaded, kind)
on conflict (entity, column_name) do update set
    is_loaded = excluded.is_loaded, kind = excluded.kind, last_seen_run = excluded.last_seen_run
returning column_name, is_loaded, first_seen_run = %(run_id)s
"""


Retyped = dict[str, tuple[str, str]]
"""Column -> the kind of type it had at the source, and the one it has."""


def find_retyped(connection: psycopg.Connection, entity: Entity, extract: Extract) -> Retyped:
    """The loaded columns whose type at the source is of another kind now."""
    known = connection.execute(
        "select column_name, kind from ops.source_column "
        "where entity = %s and is_loaded and kind is not null",
        [entity.name],
    )
    return {
        name: (was, extract.types[name])
        for name, was in known
        if name in extract.columns and extract.types.get(name, was) != was
    }


def refuse(
    connection: psycopg.Connection,
    source: str,
    entity: Entity,
    extract: Extract,
    retyped: Retyped,
) -> None:
    """Stop a source that lost a column it delivered before, or changed its type.

    Args:
        connection: To the warehouse.
        source: The company, named in the line.
        entity: What is loaded.
        extract: What the source has tonight.
        retyped: The columns of another type, from `find_retyped`.

    Raises:
        UserError: Names the column; if it is missing, the new ones, too: one may be its new name.
    """
    where = f"source {source}, entity {entity.name}, column"
    delivered = connection.execute(
        "select column_name from ops.source_column where entity = %s and is_loaded", [entity.name]
    )
    for missing in sorted({name for (name,) in delivered} - set(extract.columns)):
        renamed = f" (new there: {', '.join(extract.extra)})" if extract.extra else ""
        raise UserError(
            f"{where} {missing}: it was delivered until now and is missing{renamed}; restore it or "
            "rename it in the SELECT, or run the night with --accept-drift if it is gone for good"
        )
    for name, (was, is_now) in retyped.items():
        raise UserError(
            f"{where} {name}: it was {was} until now and is {is_now}, which may write the same "
            "value otherwise; cast it back in the SELECT, or run the night with --accept-drift, "
            "which reads the entity whole"
        )


def refuse_emptied(connection: psycopg.Connection, source: str, entity: Entity) -> None:
    """Stop a source of which a column lost all its values, in the transaction of its load.

    A field that got another name leaves its column there, and empty. What a load changed is in the
    table `touched`: if a share of those rows had a value, and not one of all new versions has, the
    column was emptied by something else than the people who fill it. Deleted rows say nothing.

    Raises:
        UserError: Names the column, and how many rows had a value in it.
    """
    names = [column.name for column in entity.columns if column.nullable]
    counts = sql.SQL(", ").join(
        sql.SQL(
            "count({0}) filter (where version = 'old'), count({0}) filter (where version = 'new')"
        ).format(sql.Identifier(name))
        for name in names
    )
    key = sql.SQL(", ").join(map(sql.Identifier, entity.key))
    [(rows, *found)] = connection.execute(
        sql.SQL(
            "select count(*) filter (where version = 'new'), {} from touched "
            "where ({key}) in (select {key} from touched where version = 'new')"
        ).format(counts, key=key)
    ).fetchall()
    for name, had, have in zip(names, found[::2], found[1::2], strict=True):
        if not have and had >= max(EMPTIED_ROWS, EMPTIED_SHARE * rows):
            raise UserError(
                f"source {source}, entity {entity.name}, column {name}: {had} of {rows} changed "
                "rows had a value in it, and not one has now; look whether the field has another "
                "name at the source, or run the night with --accept-drift if it is empty for good"
            )


def note(
    connection: psycopg.Connection, run_id: str, entity: Entity, extract: Extract
) -> list[str]:
    """Remember which columns there are, in the transaction of the load; say which are new and
    unknown."""
    names = [*extract.columns, *extract.extra]
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
            "loaded": [name in extract.columns for name in names],
            "kinds": [extract.types.get(name) for name in names],
        },
    ).fetchall()
    return [name for name, is_loaded, is_new in found if is_new and not is_loaded]
