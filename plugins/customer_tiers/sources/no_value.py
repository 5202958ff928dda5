"""What a check says of dates and numbers that mean none, as a night reads them (load/no_value)."""

from __future__ import annotations

import duckdb

from customer_tiers.contract import Column, Entity
from customer_tiers.sources.duck import literal, quoted
from customer_tiers.sources.judgement import Report, short

NOT_A_NUMBER = {"nan": "NaN", "inf": "Infinity", "+inf": "Infinity", "-inf": "-Infinity"}
"""How else databases and files write what the contract calls so."""


def empty(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, names: tuple[str, ...]
) -> None:
    """Empty what means none among the kept rows, and add a hint for each column where there is any.

    Args:
        report: What the check found.
        sink: Holds the entity's rows as text in a table of its name.
        entity: The entity.
        names: Its columns that the source delivers.
    """
    for column in entity.columns:
        if column.name not in names or not column.no_value:
            continue
        name, condition = quoted(column.name), _means_none(column)
        [(count, example)] = sink.execute(
            f"select count(*), any_value({name}) from {quoted(entity.name)} where {condition}"
        ).fetchall()
        if not count:
            continue
        sink.execute(f"update {quoted(entity.name)} set {name} = null where {condition}")
        rows = report.counts[entity.name]
        report.hints.append(
            f"{entity.name}, column {column.name}: {count:,} of {rows:,} values mean none and are "
            f"read as empty, for example {short(example)!r} (`no_value` in the contract); if one "
            "is meant, say so there"
        )


def _means_none(column: Column) -> str:
    text = f"trim({quoted(column.name)})"
    if column.type == "numeric":
        words = {value.lower() for value in column.no_value}
        words |= {word for word, name in NOT_A_NUMBER.items() if name.lower() in words}
        return f"lower({text}) in ({', '.join(map(literal, sorted(words)))})"
    days = ", ".join(map(literal, column.no_value))
    return f"(left({text}, 10) in ({days}) or lower({text}) in ({days}))"
