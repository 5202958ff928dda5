"""Run a night through the Airflow scheduler and report its steps while it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from customer_tiers import contract
from customer_tiers.embedded import services
from customer_tiers.embedded.airflow_api import AirflowApi, TaskChange
from customer_tiers.errors import UserError
from customer_tiers.sources import definition

NIGHTLY = "refresh_customer_tiers"
DELIVERY = "send_tier_digests"

DELIVERY_SECONDS = 120
"""How long to wait for the digests' run to start after a publication."""

SHOWN = ("running", "success", "failed", "up_for_retry")
"""States of a step that are worth a line."""

LOADS = ("load_erp", "load_crm")
"""Steps that return lines."""

FINDINGS = ("quarantined:", "warning:")
"""How the lines begin that say what the checks of an entity found."""

Say = Callable[[str], None]


def run_night(
    source: str,
    *,
    business_date: str | None,
    path: Path | None,
    say: Say,
    accept_deletions: bool = False,
    is_quiet: bool = False,
    accept_drift: bool = False,
) -> str:
    """Trigger the nightly DAG, wait for it and for the digests it releases.

    Returns:
        The run's id.

    Raises:
        UserError: The source is unknown, or a step failed: the line says which and why.
    """
    folder = check_source(source, path)
    services.up(say)
    airflow = services.api()
    airflow.wait_for_dag(NIGHTLY)
    started = time.monotonic()
    run_id = airflow.trigger(
        NIGHTLY,
        {
            "source": source,
            "path": folder,
            "business_date": business_date,
            "accept_deletions": accept_deletions,
            "quiet": is_quiet,
            "accept_drift": accept_drift,
        },
    )
    say(f"night of source {source}, business date {business_date or 'newest day of sales'}")
    _finish(airflow, NIGHTLY, run_id, say)
    delivery = airflow.run_of_asset_event(DELIVERY, NIGHTLY, run_id, timeout=DELIVERY_SECONDS)
    if delivery is None:
        raise UserError(f"{DELIVERY} did not start after run {run_id}; see the Airflow UI")
    _finish(airflow, DELIVERY, delivery, say)
    say(f"done in {time.monotonic() - started:.0f} s")
    return run_id


def check_source(source: str, path: Path | None) -> str | None:
    """Answer at once what a run would only find out later; return the folder to read.

    Raises:
        UserError: The source is unknown, or it and the path do not fit together.
    """
    folder = str(path.resolve()) if path else None
    described = definition.load(source, contract.load())
    systems = [system for system in described.systems.values() if system.kind == "files"]
    for system in systems:
        system.folder(folder)
    if folder and not systems:
        raise UserError(f"source {source} reads databases, not files; leave --path away")
    return folder


def _finish(airflow: AirflowApi, dag_id: str, run_id: str, say: Say) -> None:
    """Wait for a run; report each step that ends and what the loads found.

    Raises:
        UserError: The run failed; the line is the one that its failed step left.
    """

    def report(change: TaskChange) -> None:
        if change.state in SHOWN:
            seconds = f" {change.seconds:.1f} s" if change.seconds is not None else ""
            say(f"  {change.task_id}: {change.state}{seconds}")
        if change.task_id in LOADS and change.state == "success":
            for line in airflow.xcom(dag_id, run_id, change.task_id) or []:
                if line.startswith(FINDINGS):
                    say(f"    {line}")

    try:
        state = airflow.wait(dag_id, run_id, report)
    except KeyboardInterrupt:
        say(f"no longer watching; {dag_id}, run {run_id} goes on, see the Airflow UI")
        raise
    if state != "success":
        raise UserError(_why(airflow, dag_id, run_id))


def _why(airflow: AirflowApi, dag_id: str, run_id: str) -> str:
    """The lines that the failed steps left."""
    lines = {
        str(task["task_id"]): str(line)
        for task in airflow.task_instances(dag_id, run_id)
        if task["state"] == "failed"
        and (line := airflow.xcom(dag_id, run_id, task["task_id"], "error", task["map_index"]))
    }
    if len(lines) > 1:
        lines.pop("refuse", None)  # It repeats what it closes the night for.
    return " | ".join(dict.fromkeys(lines.values())) or (
        f"{dag_id}, run {run_id} failed without a line of its own; see the Airflow UI or var/logs"
    )
