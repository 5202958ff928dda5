"""What a night would say of the rows that a check has kept: the rules of `expectations/`, tried.

The rules' own SQL runs over the scratch tables, cast to the contract's types, so that a source that
is called usable does not stop at its first night. Great Expectations itself is not asked.
"""

from __future__ import annotations

from datetime import date

import duckdb
import psycopg
from psycopg import sql

from customer_tiers.contract import Contract, Entity
from customer_tiers.quality import check, suites
from customer_tiers.quality.predicates import bad_rows, can_find_rows
from customer_tiers.quality.rules import QUARANTINE, Rule
from customer_tiers.sources.duck import quoted
from customer_tiers.sources.judgement import Report, short

TYPES = {"numeric": "decimal(38, 8)", "timestamp": "timestamptz", "integer": "bigint"}
"""Type of the contract -> DuckDB's, where its name is another."""

CONVERTED = (
    ("erp.invoice_lines", "invoice_date", "coalesce(posted, true)"),
    ("erp.receivables", "issued", "true"),
    ("erp.product_costs", "valid_from", "true"),
)
"""Entity whose amounts need a rate, the day of the rate, and which of its rows need it."""

TOLD_ALREADY = (
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
)
"""What is said of each key whatever the rules are."""

NEVER_EMPTY = "expect_column_values_to_not_be_null"
"""The rule of which a check says how many rows are concerned, in words of its own."""


def check_rules(
    report: Report,
    sink: duckdb.DuckDBPyConnection,
    contract: Contract,
    base_currency: str,
    today: date,
) -> None:
    """Add a fault for each rule that would stop the night, a hint for each that sets rows aside."""
    for entity in contract.entities.values():
        _add_typed(report, sink, entity)
    for entity in contract.entities.values():
        if report.counts.get(entity.name):
            suite = suites.of_entity(entity)
            parameters = suite.parameters | check.parameters_of(
                latest_date=today + check.PLAUSIBLE_FUTURE
            )
            for rule in suite.rules:
                if not _is_to_be_tried(report, entity, rule):
                    continue
                known = {name: f"(select * from {_typed(name)})" for name in rule.entities()}
                _try(report, sink, entity, rule.resolved(parameters, known, "main"))
    _check_rates(report, sink, base_currency)


def _is_to_be_tried(report: Report, entity: Entity, rule: Rule) -> bool:
    if rule.on_failure != QUARANTINE or rule.type in TOLD_ALREADY or can_find_rows(rule):
        return False
    if any(name in report.cut or name not in report.counts for name in rule.entities()):
        return False  # what it would have to know was not read, or not whole
    told = tuple(f"{entity.name}, column {name}:" for name in rule.columns)
    return not any(fault.startswith(told) for fault in report.faults)


def _typed(name: str) -> str:
    return quoted(f"typed {name}")


def _add_typed(report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """A view of the entity's rows with all columns of the contract in their types."""
    table = quoted(entity.name) if entity.name in report.counts else "(select 1) where false"
    there = set()
    if entity.name in report.counts:
        there = {row[0] for row in sink.execute(f"describe {table}").fetchall()}
    columns = ", ".join(
        f"try_cast({quoted(column.name) if column.name in there else 'null'} "
        f"as {TYPES.get(column.type, column.type)}) as {quoted(column.name)}"
        for column in entity.columns
    )
    sink.execute(f"create view {_typed(entity.name)} as select {columns} from {table}")


def _try(report: Report, sink: duckdb.DuckDBPyConnection, entity: Entity, rule: Rule) -> None:
    condition = bad_rows(rule, sql.Identifier(f"typed {entity.name}")).as_string(None)
    shown = quoted(rule.columns[0])
    try:
        [(bad, example)] = sink.execute(
            f"select count(*), any_value(subselect.{shown}) "
            f"from {_typed(entity.name)} as subselect where {condition}"
        ).fetchall()
    except (duckdb.Error, psycopg.Error):
        return  # a rule in words that only PostgreSQL knows: the night tries it
    if not bad:
        return
    rows = report.counts[entity.name]
    advice = "correct the SELECT or the source"
    found = (
        f"{entity.name}, column {rule.column}: {bad:,} of {rows:,} rows against rule {rule.name}, "
        f"for example {short(example)!r}: {' '.join(rule.reason.split())}"
    )
    if rule.type == NEVER_EMPTY:
        role = "part of the key" if rule.column in entity.key else "required"
        advice = "exclude those rows in the SELECT, or give them a value"
        found = (
            f"{entity.name}, column {rule.column}: {role}, but empty in {bad:,} of {rows:,} rows"
        )
    if bad > rule.limit_rows and bad > rule.limit_share * rows:
        report.faults.append(
            f"{found}; more than {rule.limit_share:.0%} of the rows would stop the night: {advice}"
        )
    else:
        report.hints.append(f"{found}; these rows would wait in quarantine, the others go on")


def _check_rates(report: Report, sink: duckdb.DuckDBPyConnection, base_currency: str) -> None:
    """Add a fault for each currency that has amounts without a rate of their day."""
    told: set[str] = set()
    for name, day, condition in CONVERTED:
        if {name, "erp.fx_rates"} & report.cut:
            continue
        missing = sink.execute(
            f"select currency, count(*), min({day}) from {_typed(name)} as amount "
            f"where currency <> ? and {day} is not null and {condition} "
            f"and not exists (select 1 from {_typed('erp.fx_rates')} as rate "
            f"where rate.currency = amount.currency and rate.valid_from <= amount.{day}) "
            "group by currency order by currency",
            [base_currency],
        ).fetchall()
        for currency, rows, first in missing:
            if currency in told:
                continue
            told.add(currency)
            report.faults.append(
                f"{name}, column currency: {rows:,} rows in {short(currency)}, from {first} "
                "on, have no rate in erp.fx_rates, without which a night stops: deliver it there "
                f"({base_currency} for one {short(currency)}, valid from their first day), or set "
                "`base_currency` in source.yml right"
            )
