"""Great Expectations itself: one quiet context per process, and one validation of one table."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from customer_tiers.errors import UserError
from customer_tiers.quality import gx_speed
from customer_tiers.quality.predicates import bad_rows
from customer_tiers.quality.rules import Rule

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context import AbstractDataContext

RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts, but not one unexpected value: a bad cell may hold megabytes."""

UNIQUE = ("expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique")


@cache
def context() -> AbstractDataContext:
    """Return this process's context for checks."""
    return new_context()


def new_context() -> AbstractDataContext:
    """Return an empty context: in memory, without progress bars, logs or analytics."""
    gx()
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    made: EphemeralDataContext = gx().get_context(mode="ephemeral", project_config=config)
    return gx_speed.unsaved(made)


def is_known(kind: str) -> bool:
    """Whether GX has an expectation of that type."""
    from great_expectations.exceptions import ExpectationNotFoundError

    gx()
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        get_expectation_impl(kind)
    except ExpectationNotFoundError:
        return False
    return True


def check_arguments(path: Path, rules: Sequence[Rule]) -> None:
    """Refuse an argument that an expectation does not take or understand."""
    gx()
    from great_expectations.expectations.registry import get_expectation_impl

    for rule in rules:
        try:
            get_expectation_impl(rule.type)(**deepcopy(rule.kwargs))
        except (TypeError, ValueError) as error:
            faults = "; ".join(_faults(error))
            raise UserError(
                f"{path}: expectation {rule.position} ({rule.type}): {faults}"
            ) from None


def validate(
    url: str,
    table: str,
    name: str,
    rules: Sequence[Rule],
    *,
    unique: Collection[frozenset[str]] = (),
) -> dict[str, ExpectationValidationResult]:
    """Let GX check a table and return its result by rule name.

    Args:
        url: libpq URL of the warehouse.
        table: Schema and table.
        name: The suite's name.
        rules: Rules with their parameters filled in.
        unique: Columns that an index of the table proves to be unique together.

    Raises:
        UserError: A rule could not be computed, or GX dropped one.
    """
    from customer_tiers.quality import gx_sql

    here, label = context(), _unique(name)
    with ExitStack() as undo:
        undo.enter_context(gx_speed.remembered())
        source = here.data_sources.add_postgres(label, connection_string=_gx_url(url))
        undo.callback(here.data_sources.delete, label)
        undo.callback(lambda: source.get_execution_engine().engine.dispose())
        undo.callback(lambda: source.get_engine().dispose())
        gx_sql.tune(source.get_execution_engine().engine)
        suite = gx().ExpectationSuite(label, [_serialised(rule, table, unique) for rule in rules])
        batch = _whole(source, table).get_batch()
        return _by_name(name, rules, batch.validate(suite, result_format=RESULT_FORMAT).results)


def _whole(source: Any, table: str) -> Any:
    """Return GX's batch definition of a whole table."""
    schema, _, name = table.partition(".")
    with warnings.catch_warnings():  # GX would rather have one data source per schema
        warnings.simplefilter("ignore", DeprecationWarning)
        asset = source.add_table_asset(name, table_name=name, schema_name=schema)
    return asset.add_batch_definition_whole_table("whole")


def severity(result: ExpectationValidationResult) -> str:
    """Return critical or warning: GX fails a suite for a warning too, so each result decides."""
    return str(_config(result).severity.value)


def _config(result: ExpectationValidationResult) -> Any:
    if result.expectation_config is None:
        raise ValueError("a result of GX names no expectation")
    return result.expectation_config


def _by_name(
    suite: str, rules: Sequence[Rule], found: Sequence[ExpectationValidationResult]
) -> dict[str, ExpectationValidationResult]:
    results = {_config(result).meta["rule"]: result for result in found}
    for rule in rules:
        if rule.name not in results:
            raise UserError(f"{suite}: GX dropped rule {rule.name}; correct it in the suite")
        fault = _exception(results[rule.name].exception_info or {})
        if fault:
            raise UserError(f"{suite}: rule {rule.name} could not be computed: {fault}")
    return results


def _exception(info: dict[str, Any]) -> str | None:
    """Return the text of what went wrong; GX files it flat or under each metric."""
    details = [info, *(value for value in info.values() if isinstance(value, dict))]
    for detail in details:
        if detail.get("raised_exception"):
            message = str(detail.get("exception_message") or "unknown fault")
            return re.split(r"\n\[SQL|\n\(Background", message)[0].strip()[:300]
    return None


def _serialised(rule: Rule, table: str, unique: Collection[frozenset[str]]) -> dict[str, Any]:
    """The rule as GX reads it; queries and unique keys as what reads the table once, or not at all
    where an index has proved the key."""
    query = rule.query
    if rule.type in UNIQUE and len(rule.kwargs) == 1:
        is_proved = any(columns.issubset(rule.columns) for columns in unique)
        condition = "false"
        if not is_proved:
            condition = bad_rows(rule, sql.Identifier(*table.split("."))).as_string(None)
        query = f"select 1 from {{batch}} where {condition}"  # noqa: S608 (of quoted names)
    return {
        "type": "unexpected_rows_counted" if query else rule.type,
        "kwargs": {"unexpected_rows_query": query} if query else dict(rule.kwargs),
        "severity": rule.severity,
        "meta": {"notes": rule.reason, "rule": rule.name},
    }


def _faults(error: Exception) -> list[str]:
    """Return the readable part of a pydantic error, each fault once."""
    if not hasattr(error, "errors"):
        return [str(error)]
    return list(
        dict.fromkeys(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
    )


@cache
def _counter() -> list[int]:
    return [0]


def _unique(name: str) -> str:
    """A name that no earlier check of this process has used."""
    _counter()[0] += 1
    return f"{name}-{_counter()[0]}"


def _gx_url(url: str) -> str:
    """GX reads `$` in a URL as the start of a variable, and would pick the driver itself."""
    return re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql+psycopg:", url).replace("$", "%24")


@cache
def gx() -> Any:
    """Import Great Expectations, which takes seconds, with its analytics switched off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    # GX logs every failed expectation and query with a traceback; we raise what matters ourselves.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    from customer_tiers.quality import counted  # noqa: F401 (GX knows it by being imported)

    return great_expectations
