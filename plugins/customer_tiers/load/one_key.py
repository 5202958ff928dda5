"""Two different rows of one key at the source are a fault, whichever night brings the second.

Invoice numbers that begin again with the year, or in each company, look like changed rows: the new
invoice would replace the old one in raw, and the comparison by month would bring the old one back.
So a row that comes under a known key with another date is asked for again at the source, by its
key alone. One row there: its date was changed. Two: the load stops before anything is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.load import stage
from customer_tiers.sources.extract import Extract, Window

if TYPE_CHECKING:
    from customer_tiers.load.entity import Load

MOST_ASKED = 500
"""Keys of rows with another date that are asked for again, those that moved furthest first. More
of them move in a night only if something is wrong for all."""

FURTHEST = timedelta(days=183)
"""A row that moves further under its key is taken for another one where the source shows only what
changed, and so cannot be asked. A correction of a date is nearer."""

COLUMNS_SHOWN = 4

TOGETHER = """
select {key}, to_jsonb(subselect) from {stage} as subselect
where ({raw_key}) in (
    select {raw_key} from {stage} as subselect
    group by {raw_key} having min({period}) is distinct from max({period})
)
order by {key} limit 1000
"""
"""Rows of the stage table that share a key and have different dates."""

APART = """
select {key}, raw.{period}::text, staged.{period}::text,
    case when isfinite(staged.{period}) then
        abs(extract(epoch from staged.{period}::timestamp - raw.{period}::timestamp))
    end as seconds
from {stage} as staged
inner join {raw} as raw using ({names})
where raw.{period} <> staged.{period} and ({complete_where}) is not true
order by seconds desc, 1 limit {most}
"""
"""Rows of the stage table that raw has under the same key with another date, less those of raw that
were read again with the stage table: if both are there they are there together."""

Key = tuple[str, ...]
Version = dict[str, str]
"""Column -> value of one row, as text."""


@stopwatch.part("one key")
def refuse(
    connection: psycopg.Connection,
    load: Load,
    entity: Entity,
    extract: Extract,
    complete_where: sql.Composable | None,
) -> None:
    """Stop a load whose stage table holds, or brings, a second row of a key.

    Args:
        connection: To the warehouse; equal rows of the stage table are collapsed.
        load: The run.
        entity: Its stage table is filled. Without a period rows are not told apart here: the suite
            sets aside what has one key.
        extract: Its SELECT, to ask again.
        complete_where: Which rows of raw the stage table holds all of; None for none.

    Raises:
        UserError: Names the key, both versions, and what to do.
    """
    if entity.period is None:
        return
    _refuse_together(connection, load, entity)
    moved = connection.execute(_filled(APART, entity, complete_where)).fetchall()
    if not moved:
        return
    if extract.is_partial:
        _refuse_far(load, entity, moved)
        return
    versions = _at_the_source(entity, extract, [row[0] for row in moved])
    twice = {key: rows for key, rows in versions.items() if len(rows) > 1}
    if twice:
        raise _fault(load, entity, twice)


def _refuse_together(connection: psycopg.Connection, load: Load, entity: Entity) -> None:
    if stage.has_each_key_once(connection, entity):
        return
    versions: dict[Key, list[Version]] = defaultdict(list)
    for key, row in connection.execute(_filled(TOGETHER, entity, None)).fetchall():
        known = {name: "" if value is None else str(value) for name, value in row.items()}
        versions[tuple(map(str, key))].append({name: known[name] for name in entity.column_names})
    if versions:
        raise _fault(load, entity, versions)


def _refuse_far(load: Load, entity: Entity, moved: Sequence[tuple]) -> None:
    far = [row for row in moved if row[3] is not None and row[3] > FURTHEST.total_seconds()]
    if far and not load.accept_drift:
        key, was, is_now, _ = far[0]
        raise UserError(
            f"source {load.source}, entity {entity.name}, key {', '.join(entity.key)}: "
            f"{'|'.join(map(str, key))} had "
            f"{entity.period} {was} until now and comes with {is_now}{_more(len(far))}; if its "
            f"numbers begin again, {_advice(load, entity)}; if the dates were corrected, run the "
            "night with --accept-drift"
        )


def _at_the_source(
    entity: Entity, extract: Extract, keys: Iterable[Sequence[Any]]
) -> dict[Key, list[Version]]:
    """The different rows that the source has of each of the keys."""
    wanted = {tuple(map(str, key)) for key in keys}
    places = [extract.columns.index(name) for name in entity.key]
    found: dict[Key, dict[tuple[str, ...], Version]] = defaultdict(dict)
    window = Window(keys=tuple(sorted({key[0] for key in wanted})))
    for row in stage.read_again(extract, window):
        key = tuple(
            _plain(row[place], entity.column(name).type)
            for place, name in zip(places, entity.key, strict=True)
        )
        if key in wanted:
            known = row[: len(extract.columns)]
            found[key][tuple(known)] = dict(zip(extract.columns, known, strict=True))
    return {key: list(versions.values()) for key, versions in found.items()}


def _plain(value: str, kind: str) -> str:
    """A part of a key as the warehouse writes it."""
    if kind == "integer":
        try:
            return str(int(value))
        except ValueError:
            return value
    return value


def _fault(load: Load, entity: Entity, versions: dict[Key, list[Version]]) -> UserError:
    key, (first, second, *_) = min(versions.items(), key=lambda item: item[0])
    return UserError(
        f"source {load.source}, entity {entity.name}, key {', '.join(entity.key)}: "
        f"{'|'.join(key)} stands for two different rows: "
        f"{tell_apart(entity, first, second)}{_more(len(versions))}; "
        f"{_advice(load, entity)}, and run the next night with --accept-deletions, as every "
        "row has another key then"
    )


def tell_apart(entity: Entity, first: Version, second: Version) -> str:
    """Say by which values two rows of one key differ, their date first."""
    names = [str(entity.period), *(c for c in entity.column_names if c != entity.cursor)]
    differing = [n for n in dict.fromkeys(names) if first.get(n) != second.get(n)]
    return " and ".join(
        ", ".join(f"{name} {row.get(name) or 'empty'}" for name in differing[:COLUMNS_SHOWN])
        for row in (first, second)
    )


def _advice(load: Load, entity: Entity) -> str:
    return (
        f"put what tells them apart (year, company, series) into {entity.key[0]} in "
        f"sources/{load.source}/{entity.name.replace('.', '/')}.sql, and into all columns that "
        "refer to it"
    )


def _more(keys: int) -> str:
    return f" (and {keys - 1:,} more keys)" if keys > 1 else ""


def _filled(statement: str, entity: Entity, complete_where: sql.Composable | None) -> sql.Composed:
    alias = "subselect" if statement is TOGETHER else "staged"
    parts = sql.SQL(", ").join(sql.Identifier(alias, name) for name in entity.key)
    return sql.SQL(statement).format(  # type: ignore[arg-type]
        key=sql.SQL("jsonb_build_array({})").format(parts),
        raw_key=sql.SQL(", ").join(sql.Identifier("subselect", name) for name in entity.key),
        names=sql.SQL(", ").join(map(sql.Identifier, entity.key)),
        period=sql.Identifier(str(entity.period)),
        stage=sql.Identifier("stage", entity.table),
        raw=sql.Identifier("raw", entity.table),
        complete_where=complete_where or sql.SQL("false"),
        most=sql.Literal(MOST_ASKED),
    )
