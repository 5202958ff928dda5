"""Judge the rows of one entity column by column, as the typed stage table would judge them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import duckdb

from customer_tiers.contract import Column, Entity
from customer_tiers.sources.duck import literal, quoted
from customer_tiers.sources.extract import Extract

SHOWN_ROWS = 2
SHOWN_CHARACTERS = 24
SHOWN_DIFFERENCES = 4

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
    "integer": "cast(round(cast({name} as decimal(18, 6))) as bigint), or select another column",
    "numeric": "cast it to numeric: remove currency signs and thousands separators",
    "date": "give it as YYYY-MM-DD: cast({name} as date), or of a text or number as 20260131 "
    "to_date(... ::text, 'YYYYMMDD') in PostgreSQL, str_to_date(..., '%Y%m%d') in MySQL and "
    "strptime(..., '%Y%m%d') over files",
    "timestamp": "give it as YYYY-MM-DD HH:MM:SS+00, in UTC",
    "boolean": "compare in the SELECT, for example {name} = 'Yes'",
}

SIGN = re.compile(r"\d\s*-\s*$|^\s*\(.*\)\s*$")
"""A number whose sign does not stand before it: 5- and (5)."""


def signed(decimal: str) -> str:
    """SQL that reads a delivered column x, wherever its sign stands."""
    digits = f"regexp_replace(x, '[^0-9{decimal}]', '', 'g')"
    plain = digits if decimal == "." else f"replace({digits}, ',', '.')"
    return f"(case when regexp_matches(x, '[-(]') then '-' else '' end || {plain})"


ALLOWED = {
    ("erp.invoice_lines", "document_type"): ("invoice", "credit_note"),
    ("erp.invoice_lines", "line_kind"): ("goods", "price", "down_payment"),
    ("crm.cases", "kind"): ("complaint", "question", "suggestion"),
    ("crm.surveys", "kind"): ("csat", "nps"),
}
"""Columns whose words decide how a row counts."""


@dataclass
class Report:
    """What the check found, in lines; the source is unusable if there is any fault."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)


def check_column(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    entity: Entity,
    column: Column,
    extract: Extract,
) -> None:
    """Add a line on one column, and a fault if its values cannot be taken."""
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
    span = f"{short(least)} .. {short(most)}" if filled else ""
    verdict = ""
    if bad:
        verdict = f"WRONG TYPE in {bad:,}"
        advice = ADVICE.get(column.type, "correct it").format(name=column.name)
        if column.type in ("numeric", "integer") and SIGN.search(str(example)):
            advice = (
                "its minus stands behind, or its brackets mean one; in the SELECT, with x for the "
                f"delivered column, write {signed(',')} for a decimal comma, {signed('.')} for a "
                "decimal point"
            )
        report.faults.append(
            f"{where}: {bad:,} of {rows:,} values are no {column.type}, for example "
            f"{short(example)!r}; {advice}"
        )
    elif not column.nullable and filled < rows:
        verdict = f"EMPTY in {rows - filled:,}"  # promises knows how many a night can set aside
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
            examples = ", ".join(f"{short(word)!r} ({count:,})" for word, count in found)
            report.faults.append(
                f"{where}: must be {' or '.join(words)}, but there is {examples}; "
                "translate it with a case expression in the SELECT"
            )


def check_key(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, *, of_files: bool
) -> None:
    """Add a fault if one key stands for several different rows."""
    key = ", ".join(map(quoted, entity.key))
    [(twice, sample)] = sink.execute(
        f"select count(*), min(sample) from (select first([{key}]) as sample "
        f"from (select distinct * from {quoted(entity.name)}) "
        f"group by {key} having count(*) > 1)"
    ).fetchall()
    if twice:
        report.faults.append(
            f"{entity.name}, key {', '.join(entity.key)}: {twice:,} keys stand for several "
            f"different rows, for example {short(' | '.join(part or '' for part in sample))}"
            f"{_two_rows(sink, entity, sample)}; look for a join that multiplies rows, "
            f"{_newest(entity, of_files=of_files)}, or put what tells them apart (year, company, "
            f"series) into {entity.key[0]} in the SELECT, and into all columns that refer to it"
        )


def _newest(entity: Entity, *, of_files: bool) -> str:
    """How a SELECT keeps the newest of several rows."""
    key = ", ".join(entity.key)
    if of_files:
        return (
            "where files overlap keep the newest with qualify row_number() over (partition by "
            f"{key} order by _file desc) = 1 in the SELECT"
        )
    return (
        "where the table keeps versions select the newest, in a query around it, by "
        f"row_number() over (partition by {key} order by its time of change desc) = 1"
    )


def _two_rows(sink: duckdb.DuckDBPyConnection, entity: Entity, key: list[str]) -> str:
    """Say by which values two rows of one key differ."""
    same = " and ".join(f"{quoted(name)} is not distinct from ?" for name in entity.key)
    found = sink.execute(
        f"select distinct * from {quoted(entity.name)} where {same} order by all limit 2", key
    )
    names = [str(column[0]) for column in found.description or ()]
    first, second = found.fetchall()
    both = [each for each in zip(names, first, second, strict=True) if each[1] != each[2]]
    shown = (
        ", ".join(
            f"{row[0]} {short(row[side]) if row[side] is not None else 'empty'}"
            for row in both[:SHOWN_DIFFERENCES]
        )
        for side in (1, 2)
    )
    return f" ({' and '.join(shown)})"


def show_rows(
    report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, extract: Extract
) -> None:
    """Add the first rows as examples."""
    table = quoted(entity.name)
    for row in sink.execute(f"select * from {table} limit {SHOWN_ROWS}").fetchall():
        values = zip(extract.columns, row, strict=True)
        shown = ", ".join(f"{name}={short(value)}" for name, value in values if value is not None)
        report.lines.append(f"  e.g. {shown}")


def short(value: Any) -> str:
    """A value as it is shown: on one line, and cut."""
    text = re.sub(r"\s+", " ", str(value))
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
