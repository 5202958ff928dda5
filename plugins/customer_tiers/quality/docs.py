"""Great Expectations' own Data Docs pages of a run, made from `ops.expectation_result`.

The checks of one run happen in several processes, so the pages are made from what all of them wrote
to the warehouse, not from what one process remembers. Nothing leaves the machine: GX's templates
load styles, scripts and pictures from other hosts when a page is opened, so those lines are removed
and a few styles of our own put in their place.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from customer_tiers import settings, stopwatch
from customer_tiers.errors import UserError
from customer_tiers.quality import engine, suites
from customer_tiers.quality.rules import QUERY_TYPE, Rule
from customer_tiers.quality.suites import Suite

if TYPE_CHECKING:
    from great_expectations.data_context import AbstractDataContext

LOG = logging.getLogger(__name__)

REMOTE = re.compile(
    r"<script[^>]*\bsrc=\"?https?:[^>]*>\s*</script>"
    r"|<link[^>]*\bhref=\"?https?:[^>]*>"
    r"|<img[^>]*\bsrc=\"?https?:[^>]*>",
    re.I,
)
"""What a page would load from another host."""

PARAMETER = re.compile(r"\{(?:'|&#39;)\$PARAMETER(?:'|&#39;): (?:'|&#39;)(\w+)(?:'|&#39;)\}")
"""A parameter as GX prints it."""

STYLE = """<style>
body{font:15px/1.5 sans-serif;margin:1em auto;max-width:1200px;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3em .6em;
text-align:left;vertical-align:top}ul{list-style:none;padding-left:1em}a{color:#06c}
.modal,.ge-cta-footer,#gx-cta-footer{display:none}.text-danger{color:#b00}.text-success{color:#080}
</style></head>"""


@stopwatch.part("docs")
def build(connection: psycopg.Connection, source: str, run_id: str) -> Path | None:
    """Write the pages of a run to `DATA_DOCS/<source>/` and return its index.

    Pages are for reading: if they cannot be written, a warning is logged and the run goes on.
    """
    target = settings.DATA_DOCS / source
    try:
        results = _results(connection, run_id)
        if not results:
            LOG.warning("data docs: run %s has no results to show", run_id)
            return None
        fresh = target.with_name(f".{source}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _render(fresh, run_id, results)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    except Exception as error:  # whatever GX or the disk raises must not fail a night
        LOG.warning("data docs: not written for source %s: %s", source, error)
        return None
    return target / "index.html"


def _results(connection: psycopg.Connection, run_id: str) -> dict[str, list[dict[str, Any]]]:
    by_suite: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "select suite, expectation, is_met, rows_checked, rows_failed, observed, checked_at "
            "from ops.expectation_result where run_id = %s order by suite, expectation",
            [run_id],
        )
        for row in cursor:
            by_suite[row["suite"]].append(row)
    return by_suite


def _render(target: Path, run_id: str, results: dict[str, list[dict[str, Any]]]) -> None:
    here = engine.new_context()
    for name, rows in results.items():
        try:
            suite = suites.load(settings.EXPECTATIONS / f"{name.replace('.', '/')}.yml")
        except UserError as error:
            LOG.warning("data docs: %s left out: %s", name, error)
            continue
        rules = {rule.name: rule for rule in suite.rules}
        rows = [row for row in rows if row["expectation"] in rules]
        here.suites.add(
            engine.gx().ExpectationSuite(
                name=name,
                expectations=[{"type": rule.type, **_config(rule)} for rule in suite.rules],
                notes=_title(suite),
            )
        )
        _keep(here, run_id, suite, [_result(row, rules[row["expectation"]]) for row in rows], rows)
    here.add_data_docs_site(
        site_name=target.name,
        site_config={
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(target),
            },
        },
    )
    here.build_data_docs(site_names=[target.name])
    for page in target.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = PARAMETER.sub(r"$\1", REMOTE.sub("", text)).replace("</head>", STYLE, 1)
        page.write_text(text, encoding="utf-8")


def _title(suite: Suite) -> str:
    return suite.entity.description if suite.entity else f"Published table {suite.name}."


def _config(rule: Rule) -> dict[str, Any]:
    return {
        "kwargs": dict(rule.kwargs),
        "severity": rule.severity,
        "notes": f"{rule.name}: {rule.reason}",
        "meta": {"rule": rule.name},
    }


def _result(row: dict[str, Any], rule: Rule) -> Any:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    checked, failed = row["rows_checked"] or 0, row["rows_failed"]
    if failed is None or rule.type == QUERY_TYPE:
        details: dict[str, Any] = {
            "observed_value": row["observed"] if failed is None else f"{failed} unexpected rows"
        }
    else:
        details = {
            "element_count": checked,
            "unexpected_count": failed,
            "unexpected_percent": 100 * failed / checked if checked else 0,
            "partial_unexpected_list": [],
        }
    return ExpectationValidationResult(
        success=row["is_met"],
        expectation_config=ExpectationConfiguration(type=rule.type, **_config(rule)),
        result=details,
        exception_info={"raised_exception": False},
    )


def _keep(
    here: AbstractDataContext,
    run_id: str,
    suite: Suite,
    results: list[Any],
    rows: list[dict[str, Any]],
) -> None:
    """Put a suite's results where GX's page builder looks for them."""
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    met = sum(bool(result.success) for result in results)
    checked_at: datetime = max(row["checked_at"] for row in rows)
    run = RunIdentifier(run_name=run_id, run_time=checked_at)
    made = ExpectationSuiteValidationResult(
        results=results,
        success=met == len(results),
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": 100 * met / len(results),
        },
        meta={
            "run_id": run,
            "validation_time": checked_at,
            "active_batch_definition": {"data_asset_name": suite.table},
        },
    )
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=suite.name),
        run_id=run,
        batch_identifier=suite.table,
    )
    here.validation_results_store.set(key, made)
