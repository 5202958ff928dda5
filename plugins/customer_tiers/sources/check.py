"""Check a source before its first night: what `tiers source check` prints.

Every SELECT is run, its rows are kept in a scratch DuckDB as the text that COPY would get, and each
column is judged as the typed stage table would judge it. Nothing is written to the warehouse.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from customer_tiers.contract import Column, Contract, Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import definition, opening, staged
from customer_tiers.sources.extract import Extract, Window
from customer_tiers.sources.staged import literal, quoted

MOST_ROWS = 200_000
"""Rows of an entity that are looked at unless told otherwise."""

LEAST_BUFFER, LARGEST_ROW = 100_000, 40_000_000
"""Bounds of DuckDB's reading buffer, which must hold the longest row."""

SHOWN_ROWS = 2
SHOWN_CHARACTERS = 24

PATTERNS = {
    "integer": r"^\s*[+-]?\d{1,18}\s*$",
    "numeric": r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$",
    "date": r"^\d{4}-\d{2}-\d{2}([ T].*)?$",
    "timestamp": r"^\d{4}-\d{2}-\d{2}([ T].*)?$",
    "boolean": r"^(?i:t|true|f|false|y|yes|n|no|on|off|1|0)$",
}
"""What the text of each type must look like."""

CASTS = {"date": "date", "timestamp": "timestamptz"}
"""Types whose values must also exist: 2026-02-30 does not."""

ADVICE = {
    "integer": "cast(round({name}) as bigint), or select another column",
    "numeric": "cast it to numeric: remove currency signs and thousands separators",
    "date": "give it as YYYY-MM-DD, for example strptime(...) or cast({name} as date)",
    "timestamp": "give it as YYYY-MM-DD HH:MM:SS+00, in UTC",
    "boolean": "compare in the SELECT, for example {name} = 'Yes'",
}

REFERENCES = (
    ("erp.invoice_lines", "customer_id", "erp.customers", "customer_id"),
    ("erp.invoice_lines", "product_id", "erp.products", "product_id"),
    ("erp.receivables", "customer_id", "erp.customers", "customer_id"),
    ("crm.accounts", "erp_customer_id", "erp.customers", "customer_id"),
    ("crm.accounts", "owner_id", "crm.owners", "owner_id"),
    ("crm.activities", "account_id", "crm.accounts", "account_id"),
    ("crm.opportunities", "account_id", "crm.accounts", "account_id"),
)
"""Entity and column -> entity and column that must know the value."""

ALLOWED = {
    ("erp.invoice_lines", "document_type"): ("invoice", "credit_note"),
    ("crm.cases", "kind"): ("complaint", "question", "suggestion"),
    ("crm.surveys", "kind"): ("csat", "nps"),
}
"""Columns whose words decide how a row counts."""

NOT_NEGATIVE = {"erp.invoice_lines": ("quantity", "net_amount", "list_amount", "cost_amount")}
"""Amounts that both kinds of document carry as positive numbers."""


@dataclass
class Report:
    """What the check found, in lines; the source is unusable if there is any fault."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)


def check(name: str, contract: Contract, path: str | None, most_rows: int = MOST_ROWS) -> Report:
    """Check a source: connection, rights, each SELECT against the contract, references.

    Raises:
        UserError: The source's folder itself is wrong, so there is nothing to check.
    """
    source = definition.load(name, contract)
    report = Report()
    with (
        tempfile.TemporaryDirectory(prefix="customer-tiers-") as scratch,
        staged.connect(Path(scratch)) as sink,
    ):
        for system in source.systems.values():
            _check_system(report, sink, source, system, contract, path, most_rows)
        _check_references(report, sink)
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
        with opening.opened(source, system.name, path) as open_extract:
            report.lines.append(f"system {system.name} ({system.kind}): connected")
            for entity in contract.of_system(system.name):
                try:
                    extract = open_extract(entity, None)
                    if extract is None:
                        _not_delivered(report, entity)
                    else:
                        _check_entity(report, sink, entity, extract, most_rows)
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
            f"{entity.name}, column {name}: the contract does not know it, so it is left out; "
            "name it as a column of the contract, or take it out of the SELECT"
        )
    for column in entity.columns:
        _check_column(report, sink, entity, column, extract)
    _check_key(report, sink, entity)
    _show_rows(report, sink, entity, extract)


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
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in extract.columns)
        buffer = max(LEAST_BUFFER, min(file.stat().st_size + 1, LARGEST_ROW))
        sink.execute(
            f"create table {quoted(entity.name)} as select * from read_csv({literal(str(file))}, "
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


def _check_column(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    entity: Entity,
    column: Column,
    extract: Extract,
) -> None:
    if column.name not in extract.columns:
        report.lines.append(f"  {column.name:<22} {column.type:<10} not delivered")
        return
    name, rows = quoted(column.name), report.counts[entity.name]
    wrong = _wrong(column)
    order = f"try_cast({name} as double)" if column.type in ("integer", "numeric") else name
    [(filled, bad, example, least, most)] = sink.execute(
        f"select count({name}), count_if({wrong}), any_value({name}) filter (where {wrong}), "
        f"arg_min({name}, {order}), arg_max({name}, {order}) from {quoted(entity.name)}"
    ).fetchall()
    where = f"{entity.name}, column {column.name}"
    span = f"{_short(least)} .. {_short(most)}" if filled else ""
    verdict = ""
    if bad:
        verdict = f"WRONG TYPE in {bad:,}"
        advice = ADVICE.get(column.type, "correct it").format(name=column.name)
        report.faults.append(
            f"{where}: {bad:,} of {rows:,} values are no {column.type}, for example "
            f"{_short(example)!r}; {advice}"
        )
    elif not column.nullable and filled < rows:
        verdict = f"EMPTY in {rows - filled:,}"
        role = "part of the key" if column.name in entity.key else "required"
        report.faults.append(
            f"{where}: {role}, but empty in {rows - filled:,} of {rows:,} rows; "
            "exclude those rows in the SELECT, or give them a value"
        )
    elif not filled:
        report.hints.append(f"{where}: empty in every row; leave it out, or select another column")
    _check_words(report, sink, entity, column)
    share = f"{filled / rows:>4.0%}"
    report.lines.append(
        f"  {column.name:<22} {column.type:<10} {share} filled  {span}  {verdict}".rstrip()
    )


def _wrong(column: Column) -> str:
    """The condition that a value is not of the column's type."""
    name = quoted(column.name)
    if column.type not in PATTERNS:
        return "false"
    wrong = f"{name} is not null and not regexp_matches({name}, {literal(PATTERNS[column.type])})"
    if column.type in CASTS:
        wrong += f" or {name} is not null and try_cast({name} as {CASTS[column.type]}) is null"
    return f"({wrong})"


def _check_words(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, column: Column
) -> None:
    name, table = quoted(column.name), quoted(entity.name)
    where = f"{entity.name}, column {column.name}"
    if words := ALLOWED.get((entity.name, column.name)):
        known = ", ".join(map(literal, words))
        found = sink.execute(
            f"select {name}, count(*) from {table} where {name} not in ({known}) "
            "group by 1 order by 2 desc limit 3"
        ).fetchall()
        if found:
            examples = ", ".join(f"{_short(word)!r} ({count:,})" for word, count in found)
            report.faults.append(
                f"{where}: must be {' or '.join(words)}, but there is {examples}; "
                "translate it with a case expression in the SELECT"
            )
    if column.name in NOT_NEGATIVE.get(entity.name, ()):
        [(negative,)] = sink.execute(
            f"select count(*) from {table} where try_cast({name} as decimal(38, 6)) < 0"
        ).fetchall()
        if negative:
            report.hints.append(
                f"{where}: negative in {negative:,} rows, which will be set aside; credit notes "
                "carry positive numbers too: use abs() and document_type"
            )


def _check_key(report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    key = ", ".join(map(quoted, entity.key))
    [(twice, example)] = sink.execute(
        f"select count(*), any_value(sample) from (select first(concat_ws(' | ', {key})) as sample "
        f"from (select distinct * from {quoted(entity.name)}) "
        f"group by {key} having count(*) > 1)"
    ).fetchall()
    if twice:
        report.faults.append(
            f"{entity.name}, key {', '.join(entity.key)}: {twice:,} keys stand for several "
            f"different rows, for example {_short(example)}; look for a join that multiplies rows, "
            "or add what tells them apart to the key's columns"
        )


def _show_rows(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, extract: Extract
) -> None:
    table = quoted(entity.name)
    for row in sink.execute(f"select * from {table} limit {SHOWN_ROWS}").fetchall():
        values = zip(extract.columns, row, strict=True)
        shown = ", ".join(f"{name}={_short(value)}" for name, value in values if value is not None)
        report.lines.append(f"  e.g. {shown}")


def _check_references(report: Report, sink: duckdb.DuckDBPyConnection) -> None:
    for entity, column, target, key in REFERENCES:
        if not {entity, target} <= set(report.counts) or target in report.cut:
            continue
        if column not in _columns(sink, entity):
            continue
        name = quoted(column)
        [(unknown, example)] = sink.execute(
            f"select count(*), min({name}) from {quoted(entity)} where {name} is not null "
            f"and {name} not in (select {quoted(key)} from {quoted(target)} "
            f"where {quoted(key)} is not null)"
        ).fetchall()
        if unknown:
            report.hints.append(
                f"{entity}, column {column}: {unknown:,} of {report.counts[entity]:,} rows name "
                f"what {target} does not know, for example {_short(example)!r}; they wait in "
                f"quarantine: add the missing rows to {target}, or leave them out on purpose"
            )


def _columns(sink: duckdb.DuckDBPyConnection, entity: str) -> list[str]:
    described = sink.execute(f"describe {quoted(entity)}").fetchall()
    return [str(row[0]) for row in described]


def _short(value: Any) -> str:
    text = re.sub(r"\s+", " ", str(value))
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


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
