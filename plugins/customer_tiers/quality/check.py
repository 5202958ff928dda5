"""Check a table against its suite. GX decides; SQL of ours adds an example and what is not new."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from customer_tiers import stopwatch
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.quality import engine, rows, suites
from customer_tiers.quality.results import Outcome
from customer_tiers.quality.rules import QUARANTINE, Rule
from customer_tiers.quality.suites import Suite

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

PLAUSIBLE_FUTURE = timedelta(days=366)
"""Requested deliveries and expected closings lie ahead of a run, but hardly more than a year."""

NOT_NULL = "expect_column_values_to_not_be_null"

PLAN_YEARS = 20
"""How far beyond the last plausible day a due date or a planned date may lie."""


@stopwatch.part("validate")
def check_entity(
    url: str, entity: Entity, *, latest_date: date, delivered: Collection[str] | None = None
) -> list[Outcome]:
    """Check an entity's stage table, which must be committed.

    Args:
        url: libpq URL of the warehouse.
        entity: The entity.
        latest_date: The last plausible day of a fact.
        delivered: The columns that the source delivers; None if that is not known.
    """
    return run_suite(
        url,
        suites.of_entity(entity),
        parameters=parameters_of(latest_date=latest_date),
        delivered=delivered,
    )


def check_published(url: str, *, schema: str = "candidate") -> list[Outcome]:
    """Check every table that is to be published, where dbt has built it."""
    outcomes: list[Outcome] = []
    for suite in suites.published():
        with stopwatch.part(suite.name):
            outcomes += run_suite(url, suite, f"{schema}.{suite.name.partition('.')[2]}")
    return outcomes


def parameters_of(*, latest_date: date) -> dict[str, date]:
    """Return the parameters that every suite may use."""
    return {
        "latest_date": latest_date,
        "latest_plan_date": latest_date.replace(
            year=min(latest_date.year + PLAN_YEARS, date.max.year), day=min(latest_date.day, 28)
        ),
    }


def run_suite(
    connection: str,
    suite: Suite,
    table: str | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    delivered: Collection[str] | None = None,
) -> list[Outcome]:
    """Run a suite through GX and return one outcome per rule, in the suite's order.

    Args:
        connection: libpq URL of the warehouse.
        suite: What is expected.
        table: Schema and table to check; by default the suite's own.
        parameters: Values of the suite's parameters; they go before its `suite_parameters`.
        delivered: The columns that the source delivers; None if that is not known.

    Raises:
        UserError: The table or a column is missing, or a rule cannot be computed.
    """
    table = table or suite.table
    with psycopg.connect(connection, autocommit=True) as reader:
        _check_columns(reader, suite, table)
        rules = _resolved(reader, suite, table, {**suite.parameters, **(parameters or {})})
        unique = rows.unique_columns(reader, table)
        found = engine.validate(connection, table, suite.name, rules, unique=unique)
        checked = _rows_checked(reader, table, found)
        offered = rows.offered(reader, suite.entity) if suite.entity else 0
        outcomes = [
            _outcome(reader, suite, table, rule, found[rule.name], checked, offered)
            for rule in rules
        ]
    if delivered is None:
        return outcomes
    return [_as_delivered(outcome, delivered) for outcome in outcomes]


def _check_columns(reader: psycopg.Connection, suite: Suite, table: str) -> None:
    present = {
        row[0]
        for row in reader.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s) "
            "and attnum > 0 and not attisdropped",
            [table],
        )
    }
    if not present:
        raise UserError(f"{suite.name}: there is no table {table} to check; build it first")
    for rule in suite.rules:
        for column in (*suite.key, *rule.columns, *rule.shows):
            if column not in present:
                raise UserError(
                    f"{suite.path}: expectation {rule.position} ({rule.type}): "
                    f"{table} has no column {column}"
                )


def _resolved(
    reader: psycopg.Connection, suite: Suite, table: str, parameters: Mapping[str, Any]
) -> list[Rule]:
    entities = suites.known_entities()
    known = {
        name: rows.known(reader, entities[name])
        for name in {name for rule in suite.rules for name in rule.entities()}
    }
    schema = table.partition(".")[0]
    return [rule.resolved(parameters, known, schema) for rule in suite.rules]


def _rows_checked(
    reader: psycopg.Connection, table: str, found: Mapping[str, ExpectationValidationResult]
) -> int:
    """The table's rows as GX has counted them for some expectation, or counted now."""
    for result in found.values():
        if "element_count" in (result.result or {}):
            return int(result.result["element_count"])
    return rows.count(reader, table)


def _outcome(
    reader: psycopg.Connection,
    suite: Suite,
    table: str,
    rule: Rule,
    result: ExpectationValidationResult,
    checked: int,
    offered: int,
) -> Outcome:
    details = result.result or {}
    failed = details.get("unexpected_count")
    is_met = bool(result.success)
    example, again = None, 0
    if failed and not is_met:
        example = rows.example(reader, suite.key, rule, table)
    if failed and rule.on_failure == QUARANTINE and suite.entity and offered:
        again = rows.bad_and_offered(reader, suite.entity, rule, table)
    return Outcome(
        suite=suite.name,
        expectation=rule.name,
        column=rule.column,
        severity=engine.severity(result),
        is_met=is_met,
        rows_checked=checked,
        rows_failed=None if failed is None else int(failed),
        reason=rule.reason,
        observed=_observed(rule, details, failed, checked),
        rule=rule,
        rows_offered=offered,
        rows_again=again,
        example=example,
    )


def _as_delivered(outcome: Outcome, delivered: Collection[str]) -> Outcome:
    """Say of a column without any value whether the source delivers it at all."""
    is_empty = outcome.rule.type == NOT_NULL and outcome.rows_failed == outcome.rows_checked
    if outcome.is_met or not is_empty:
        return outcome
    is_there = outcome.column in delivered
    why = "empty in every row" if is_there else "the source does not deliver the column"
    return replace(outcome, observed=f"{outcome.observed} ({why})")


def _observed(rule: Rule, details: Mapping[str, Any], failed: Any, checked: int) -> str:
    if failed is not None:
        return f"{int(failed)} of {checked} rows"
    return f"{details.get('observed_value')}"[:200]


def failed_rules(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes whose rows must be set aside."""
    return [
        outcome
        for outcome in outcomes
        if not outcome.is_met and outcome.rule.on_failure == QUARANTINE
    ]
