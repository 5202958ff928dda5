"""Run dbt inside this process, one layer of models at a time.

dbt reads the warehouse from environment variables (`dbt_project/profiles.yml`). The project is
parsed once for all warehouses; what it compiles to goes to a folder per warehouse, so that two
companies do not overwrite each other's. What each node did goes to the log while it happens and to
`ops.dbt_node_run` when dbt is done.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from customer_tiers import dbt_code, dbt_speed, settings
from customer_tiers.errors import UserError

if TYPE_CHECKING:
    from dbt.contracts.results import RunResult

log = logging.getLogger(__name__)

CANDIDATE = "candidate"
"""The schema of a night's models, before they are published."""

FAILED = ("error", "fail", "runtime error", "partial success")
"""Statuses of nodes that stop the night; a test that warns does not."""

_ONE_AT_A_TIME = threading.Lock()
"""dbt keeps its flags and adapters in globals of the process."""

_PARSED: list[Any] = []
"""The project as this process has parsed it."""

_VARIABLES = {
    "host": "CUSTOMER_TIERS_DBT_HOST",
    "port": "CUSTOMER_TIERS_DBT_PORT",
    "user": "CUSTOMER_TIERS_DBT_USER",
    "password": "DBT_ENV_SECRET_PASSWORD",
    "dbname": "CUSTOMER_TIERS_DBT_DATABASE",
    "sslmode": "CUSTOMER_TIERS_DBT_SSLMODE",
    "schema": "CUSTOMER_TIERS_DBT_SCHEMA",
    "code": "CUSTOMER_TIERS_DBT_CODE",
}
"""Part of the warehouse's URL, or digest of the code -> variable that the project reads."""

_OTHERS = {
    option.keyword.decode(): option.envvar.decode()
    for option in pq.Conninfo.get_defaults()
    if option.envvar
}
"""Further parts of a URL, such as sslrootcert -> variable that libpq reads for dbt; dbt itself says
how long to wait for a connection, and what it is called."""

_GLOBAL = [
    *("--log-level", "none", "--log-level-file", "none", "--no-write-json"),
    "--use-fast-test-edges",
]
"""Nobody reads dbt's JSON files: what it did is in ops.dbt_node_run."""

_QUIET = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def run(
    warehouse_url: str,
    *,
    select: list[str] | None,
    variables: dict[str, Any],
    run_id: str,
    full_refresh: bool = False,
    command: str = "build",
    schema: str = CANDIDATE,
    is_checked: bool = True,
    exclude: Sequence[str] = (),
) -> dict[str, int]:
    """Run dbt on a warehouse.

    Args:
        warehouse_url: libpq URL of the warehouse.
        select: dbt selectors such as ``tag:facts`` or ``tag:tiers``; None selects everything.
        variables: The project's variables: business_date, base_currency, source; None is left out.
        run_id: Run to which the nodes' results are written.
        full_refresh: Compute the facts anew from all of raw.
        command: dbt command; `test` runs the unit tests too, `build` does not.
        schema: Where models go; any other than `candidate` takes the seeds too.
        is_checked: Run the models' data tests too; `test` always has them.
        exclude: dbt selectors of what to leave as it is.

    Returns:
        Status -> number of nodes.

    Raises:
        UserError: dbt could not start, or a model or test failed; names the first.
    """
    is_checked = is_checked or command == "test"
    connection = conninfo_to_dict(warehouse_url)
    name = str(connection["dbname"])
    folder = settings.HOME / "dbt" / (name if schema == CANDIDATE else f"{name}.{schema}")
    folder.mkdir(parents=True, exist_ok=True)
    arguments = _arguments(
        command, select, variables, full_refresh=full_refresh, is_checked=is_checked
    )
    for selector in exclude:
        arguments += ["--exclude", selector]
    with _ONE_AT_A_TIME:
        outcome = _invoke(
            arguments, {**connection, "schema": schema}, folder, with_tests=is_checked
        )
    results: list[RunResult] = list(getattr(outcome.result, "results", None) or [])
    if results:
        _write(warehouse_url, run_id, results)
    _raise_first_fault(outcome, results)
    counts: dict[str, int] = {}
    for result in results:
        counts[str(result.status)] = counts.get(str(result.status), 0) + 1
    log.info("dbt %s: %s", command, ", ".join(f"{n} {status}" for status, n in counts.items()))
    return counts


def _place(folder: Path) -> list[str]:
    project = str(settings.DBT_PROJECT)
    return [
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(folder), "--log-path", str(folder), "--threads", "2"),
    ]


def _arguments(
    command: str,
    select: list[str] | None,
    variables: dict[str, Any],
    *,
    full_refresh: bool,
    is_checked: bool,
) -> list[str]:
    given = {name: str(value) for name, value in sorted(variables.items()) if value is not None}
    arguments = [command, "--vars", json.dumps(given)]
    if command in ("build", "test"):
        arguments += ["--indirect-selection", "buildable" if is_checked else "empty"]
    if command == "build":
        arguments += ["--exclude-resource-type", "unit_test"]
    if full_refresh:
        arguments.append("--full-refresh")
    for selector in select or []:
        arguments += ["--select", selector]
    return arguments


@contextmanager
def _environment(connection: dict[str, Any]) -> Iterator[None]:
    """Set what profiles.yml and libpq read, and put back what was there."""
    variables = {part: name for part, name in _OTHERS.items() if part in connection} | _VARIABLES
    wanted = {name: str(connection.get(part) or "") for part, name in variables.items()}
    wanted = {name: value for name, value in wanted.items() if value} | _QUIET
    before = {name: os.environ.get(name) for name in {*variables.values(), *_QUIET}}
    for name in before:
        os.environ.pop(name, None)
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _invoke(
    arguments: list[str], connection: dict[str, Any], folder: Path, *, with_tests: bool
) -> Any:
    """Run dbt in this process, with a line in the log for each node that is done."""
    from dbt.cli.main import dbtRunner

    parsed = parse()
    if not parsed.success:
        return parsed
    code = dbt_code.digest(parsed.result)
    with _environment({**connection, "code": code}), dbt_speed.spared():
        manifest = _aimed_at(
            parsed.result, connection["dbname"], connection["schema"], with_tests=with_tests
        )
        runner = dbtRunner(manifest=manifest, callbacks=[_log_event])
        return runner.invoke([*_GLOBAL, *arguments, *_place(folder)])


def parse() -> Any:
    """Parse the project, once per process and for all warehouses.

    Without variables and for no warehouse: either would make dbt forget what it has parsed. Models
    read their variables when they are compiled.
    """
    from dbt.cli.main import dbtRunner

    if not _PARSED:
        folder = settings.HOME / "dbt" / "parsed"
        folder.mkdir(parents=True, exist_ok=True)
        with _environment({}):
            parsed = dbtRunner().invoke([*_GLOBAL, "parse", *_place(folder)])
        if not parsed.success:
            return parsed
        _PARSED.append(parsed)
    return _PARSED[0]


def _aimed_at(manifest: Any, database: str, schema: str, *, with_tests: bool) -> Any:
    """A copy of a parsed project whose relations are those of a warehouse.

    What a node compiles to is noted in it, so that each run needs its own; the macros, most of a
    project, are only read. Another schema than `candidate` takes the models and the seeds, and
    reads the same sources. Without the tests, more than half of the nodes, dbt is ready in half the
    time.
    """
    copy = replace(
        manifest,
        nodes={
            name: _again(node)
            for name, node in manifest.nodes.items()
            if with_tests or node.resource_type != "test"
        },
        sources={name: _again(source) for name, source in manifest.sources.items()},
        unit_tests=dict(manifest.unit_tests) if with_tests else {},
    )
    nodes = [node for node in copy.nodes.values() if node.resource_type in ("model", "seed")]
    for node in [*nodes, *copy.sources.values()]:
        node.database = database
    for node in nodes:
        if schema != CANDIDATE:
            node.schema = schema
        node.relation_name = f'"{database}"."{node.schema}"."{node.alias}"'
    for source in copy.sources.values():
        source.relation_name = f'"{database}"."{source.schema}"."{source.identifier}"'
    return copy


def _again(thing: Any) -> Any:
    """A copy of a node or source, as dbt makes it."""
    return type(thing).from_dict(thing.to_dict(omit_none=True))


def _log_event(event: Any) -> None:
    """Log what a node did and what a macro of ours prints; the rest of dbt's talk is for nobody."""
    if event.info.name == "PrintEvent":
        log.warning("%s", event.data.msg)
    if event.info.name != "NodeFinished":
        return
    result = event.data.run_result
    rows = result.adapter_response.fields.get("rows_affected")
    count = f", {int(rows.number_value)} rows" if rows and rows.number_value >= 0 else ""
    node = event.data.node_info
    log.info(
        "%s %s: %s in %.2f s%s",
        *(node.resource_type, node.node_name, result.status, result.execution_time, count),
    )


def _write(warehouse_url: str, run_id: str, results: list[RunResult]) -> None:
    rows = [
        (
            run_id,
            result.node.unique_id,
            str(result.node.resource_type),
            str(result.status),
            round(result.execution_time, 3),
            (result.adapter_response or {}).get("rows_affected"),
            " ".join(result.message.split()) if result.message else None,
        )
        for result in results
    ]
    with psycopg.connect(warehouse_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.dbt_node_run "
            "(run_id, node, kind, status, seconds, rows_affected, message) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _raise_first_fault(outcome: Any, results: list[RunResult]) -> None:
    for result in results:
        if str(result.status) in FAILED:
            raise UserError(_said_by_us(result.message) or _describe(result))
    if not outcome.success:
        said = _said_by_us(str(outcome.exception or ""))
        if said:
            raise UserError(said)
        raise UserError(
            f"dbt could not run: {outcome.exception or 'no model or test failed'}; "
            "check dbt_project/ and the connection of the warehouse"
        )


def _said_by_us(message: str | None) -> str | None:
    """The line that a macro of ours raised for the user, without what dbt puts around it."""
    text = " ".join((message or "").split())
    start = text.find("source ")
    if start < 0 or "Compilation Error" not in text[:start]:
        return None
    return text[start:].split(" > in macro")[0].strip()


def _describe(result: RunResult) -> str:
    node = result.node
    kind = "dbt test" if str(node.resource_type) == "test" else f"dbt {node.resource_type}"
    about = f" ({node.description})" if kind == "dbt test" and node.description else ""
    message = (result.message or "no message").replace("\n", " ")
    return f"{kind} {node.name}{about}: {message}; see {node.original_file_path}"
