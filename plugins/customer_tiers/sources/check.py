"""Check a source before its first night: what `tiers source check` prints.

Every SELECT is run, its rows are kept in a scratch DuckDB as the text that COPY would get, and each
column is judged as the typed stage table would judge it, each row as the rules of `expectations/`
would. Nothing is written to the warehouse.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from customer_tiers.contract import UNKNOWN, Contract, Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import (
    definition,
    doubts,
    duck,
    identity_hints,
    line_hints,
    no_value,
    opening,
    promises,
    seed_days,
)
from customer_tiers.sources.duck import literal, path_literal, quoted
from customer_tiers.sources.extract import Extract, Window, sent_columns
from customer_tiers.sources.judgement import Report, check_column, check_key, show_rows

MOST_ROWS = 200_000
"""Rows of an entity that are looked at unless told otherwise."""

LEAST_BUFFER, LARGEST_ROW = 100_000, 40_000_000
"""Bounds of DuckDB's reading buffer, which must hold the longest row."""


def check(name: str, contract: Contract, path: str | None, most_rows: int = MOST_ROWS) -> Report:
    """Check a source: connection, rights, each SELECT against the contract, references.

    Raises:
        UserError: The source's folder itself is wrong, so there is nothing to check.
    """
    source = definition.load(name, contract)
    report = Report()
    with (
        tempfile.TemporaryDirectory(prefix="customer-tiers-") as scratch,
        duck.connect(Path(scratch)) as sink,
    ):
        for system in source.systems.values():
            _check_system(report, sink, source, system, contract, path, most_rows)
        identity_hints.add(report, sink, contract)
        today = datetime.now(UTC).date()
        promises.check_rules(report, sink, contract, source.base_currency, today)
        select = source.query(line_hints.LINES)
        line_hints.add(report, sink, select, is_rounded=source.rounding != definition.ROUNDINGS[0])
        doubts.add(report, sink, source.base_currency)
        seed_days.add(report, sink)
    return report


def _check_system(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    source: definition.Source,
    system: definition.System,
    contract: Contract,
    path: str | None,
    most_rows: int,
) -> None:
    try:
        with opening.opened(source, system.name, path, keeps=False) as open_extract:
            report.lines.append(f"system {system.name} ({system.kind}): connected")
            for entity in contract.of_system(system.name):
                try:
                    extract = open_extract(entity, None)
                    if extract is None:
                        _not_delivered(report, entity)
                    else:
                        _check_entity(
                            report,
                            sink,
                            entity,
                            extract,
                            most_rows,
                            of_files=system.kind == "files",
                        )
                except UserError as error:
                    report.lines.append(f"{entity.name}: unusable")
                    report.faults.append(str(error))
    except UserError as error:
        report.lines.append(f"system {system.name} ({system.kind}): unusable")
        report.faults.append(str(error))


def _not_delivered(report: Report, entity: Entity) -> None:
    what = entity.description.removeprefix("One row per ").rstrip(".")
    report.lines.append(f"{entity.name}: not delivered (optional: {what})")


def _check_entity(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    entity: Entity,
    extract: Extract,
    most_rows: int,
    *,
    of_files: bool,
) -> None:
    _keep(report, sink, entity, extract, most_rows)
    rows = report.counts[entity.name]
    more = "the first " if entity.name in report.cut else ""
    cursor = entity.cursor in extract.columns
    how = f"by {entity.cursor}" if cursor else "whole, and compared"
    report.lines.append(f"{entity.name}: {more}{rows:,} rows; read {how}")
    if not rows:
        _empty(report, entity)
        return
    if cursor and extract.newest_change() is None:
        report.faults.append(
            f"{entity.name}, column {entity.cursor}: empty in every row, so nothing says what "
            "changed; leave the column out of the SELECT and the entity is compared whole"
        )
    for name in extract.extra:
        report.hints.append(
            f"{entity.name}, column {name}: the contract does not know it, so it is only kept in "
            f"{UNKNOWN} of raw.{entity.table}; name it as a column of the contract, or take it out "
            "of the SELECT"
        )
    no_value.empty(report, sink, entity, extract.columns)
    for column in entity.columns:
        check_column(report, sink, entity, column, extract)
    check_key(report, sink, entity, of_files=of_files)
    show_rows(report, sink, entity, extract)


def _keep(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    entity: Entity,
    extract: Extract,
    most_rows: int,
) -> None:
    """Keep the entity's first rows as text in a table of its name."""
    with tempfile.TemporaryDirectory(prefix="customer-tiers-") as folder:
        file = Path(folder) / "rows.csv"
        with file.open("wb") as stream:
            lines = 0
            for block in extract.copy_csv(Window(None, None)):
                stream.write(block)
                lines += bytes(block).count(b"\n")
                if lines > most_rows:
                    report.cut.add(entity.name)
                    break
        if entity.name in report.cut:
            _drop_last_line(file)
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in sent_columns(extract))
        kept = ", ".join(map(quoted, extract.columns))
        buffer = max(LEAST_BUFFER, min(file.stat().st_size + 1, LARGEST_ROW))
        sink.execute(
            f"create table {quoted(entity.name)} as select {kept} "
            f"from read_csv({path_literal(file)}, "
            f"header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
            f"allow_quoted_nulls = false, nullstr = '', columns = {{{columns}}}, "
            f"max_line_size = {buffer}, buffer_size = {buffer})"
        )
    [(rows,)] = sink.execute(f"select count(*) from {quoted(entity.name)}").fetchall()
    report.counts[entity.name] = rows


def _drop_last_line(file: Path) -> None:
    """A block may end within a row: cut back to an end of line outside of quotes."""
    content = file.read_bytes()
    at = len(content)
    while (at := content.rfind(b"\n", 0, at)) > 0:
        if content.count(b'"', 0, at) % 2 == 0:
            break
    file.write_bytes(content[: at + 1])


def _empty(report: Report, entity: Entity) -> None:
    line = f"{entity.name}: the SELECT returns no rows; check its conditions and what the user of "
    line += "the connection may see (row-level security shows nothing, without an error)"
    (report.faults if entity.required else report.hints).append(line)


def verdict(report: Report, name: str) -> Iterator[str]:
    """What to change, and whether the source can be used, in lines."""
    for line in report.faults:
        yield f"MUST CHANGE  {line}"
    for line in report.hints:
        yield f"look at      {line}"
    if report.faults:
        yield f"source {name}: unusable, {len(report.faults)} to change"
    else:
        yield f"source {name}: usable; play a night with: tiers run --source {name}"
