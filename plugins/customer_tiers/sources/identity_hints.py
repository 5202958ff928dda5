"""What a check says of references in another spelling and of rings of merges, as a night would."""

from __future__ import annotations

import duckdb

from customer_tiers import spelling
from customer_tiers.contract import Contract, Entity
from customer_tiers.identity import rings
from customer_tiers.sources.duck import quoted
from customer_tiers.sources.judgement import Report


def add(report: Report, sink: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Add a hint for each spelling and ring, and read the spellings among the kept rows as a night
    does, so that the rules find them known."""
    for entity in contract.entities.values():
        if not report.counts.get(entity.name) or entity.name in report.cut:
            continue
        there = {row[0] for row in sink.execute(f"describe {quoted(entity.name)}").fetchall()}
        _add_spellings(report, sink, entity, there)
        if "merged_into_id" in there and (
            keys := rings.find(
                lambda text: sink.execute(text).fetchall(), entity, quoted(entity.name)
            )
        ):
            report.hints.append(rings.line(entity, keys))


def _add_spellings(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, there: set[str]
) -> None:
    table = quoted(entity.name)
    for column, target in spelling.columns(entity):
        if column not in there or not report.counts.get(target) or target in report.cut:
            continue
        for found in spelling.find(
            lambda text: sink.execute(text).fetchall(), column, target, table, quoted(target)
        ):
            report.hints.append(f"{entity.name}, column {column}: {found.line()}")
            if found.alike == 1:
                sink.execute(spelling.update(found, table))
