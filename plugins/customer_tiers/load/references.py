"""References that are written otherwise than the number they mean, resolved in the stage table."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from customer_tiers import spelling, stopwatch
from customer_tiers.contract import Entity
from customer_tiers.quality.results import Outcome


@stopwatch.part("references")
def resolve(
    connection: psycopg.Connection, source: str, entity: Entity, outcomes: Sequence[Outcome]
) -> tuple[list[str], bool]:
    """Write the number in the place of what is alike to it, where a rule says it is unknown.

    Args:
        connection: To the warehouse, in autocommit mode.
        source: The company, named in the lines.
        entity: Its stage table was judged; the entities it refers to are in raw.
        outcomes: What was found of it. Where all references are known nothing is looked at.

    Returns:
        A warning for each spelling, and whether any row was changed.
    """
    table = f"stage.{entity.table}"
    unknown = {
        name
        for each in outcomes
        if not each.is_met and each.rule.query
        for name in each.rule.columns
    }
    lines, is_changed = [], False
    for column, target in spelling.columns(entity):
        if column not in unknown:
            continue
        known = f"raw.{target.replace('.', '_')}"
        for found in spelling.find(
            lambda text: connection.execute(text).fetchall(),  # type: ignore[call-overload]
            *(column, target, table, known),
        ):
            lines.append(
                f"warning: source {source}, entity {entity.name}, column {column}: {found.line()}"
            )
            if found.alike == 1:
                connection.execute(spelling.update(found, table))  # type: ignore[call-overload]
                is_changed = True
    return lines, is_changed
