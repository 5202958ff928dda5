"""What all DAGs share: defaults, the asset they are joined by, and how a step reports a fault.

Imported while DAG files are parsed, so nothing heavy is imported at the top.
"""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import Asset, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from customer_tiers import settings
from customer_tiers.errors import TryLater, UserError
from customer_tiers.time_zone import zone

if TYPE_CHECKING:
    from customer_tiers.night import Run

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "customer-tiers",
    "retries": 1,
    "retry_delay": timedelta(seconds=30),
}
"""A step that dies unexpectedly is tried once more; a fault that a person must mend is not."""

SCHEDULE = os.environ.get("CUSTOMER_TIERS_SCHEDULE") or None
"""Cron line of the nightly run, in the company's time zone; by hand if empty, as on a laptop."""

WEEKLY = "0 12 * * 0" if SCHEDULE else None
"""Sunday noon, where nights run by themselves; by hand elsewhere."""

FIRST_DAY = pendulum.datetime(2026, 1, 1, tz=zone().key)
"""What the DAGs start from; schedules are read in its time zone."""

PUBLISHED_TIERS = Asset("customer_tiers")
"""Updated by each publication; its events carry source, business_date and run_id."""

TAGS = {"nightly", "delivery", "weekly", "by_hand", "impact/tier_1", "impact/tier_3"}
"""The tags that DAGs may carry: what kind of work it is, and how much hangs on it."""


def describe_run(context: Any) -> dict[str, Any]:
    """Describe the DAG run by plain values that pass through XCom; see `run_of`.

    A scheduled run works on the day before its own, in the company's time zone: it starts after
    that day has ended. A run by hand without a business date works on the newest day of sales. A
    backfill is quiet.
    """
    dag_run, params = context["dag_run"], context["params"]
    own_zone = zone()
    business_date = params.get("business_date")
    if business_date is None and dag_run.logical_date and dag_run.run_type != "manual":
        begun = dag_run.logical_date.astimezone(own_zone).date()
        business_date = (begun - timedelta(days=1)).isoformat()
    is_backfill = dag_run.run_type == "backfill"  # due in the past
    return {
        "run_id": dag_run.run_id,
        "source": params.get("source") or settings.DEFAULT_SOURCE,
        "path": params.get("path"),
        "run_date": dag_run.run_after.astimezone(own_zone).date().isoformat(),
        "business_date": business_date,
        "accept_deletions": bool(params.get("accept_deletions")),
        "is_quiet": bool(params.get("quiet")) or is_backfill,
        "accept_drift": bool(params.get("accept_drift")),
        "triggered_at": None if is_backfill else dag_run.run_after.isoformat(),
    }


def run_of(values: dict[str, Any]) -> Run:
    """Build the run that the night's steps work on."""
    from customer_tiers.night import Run

    day, triggered_at = values["business_date"], values.get("triggered_at")
    return Run(
        run_id=str(values["run_id"]),
        source=str(values["source"]),
        path=values["path"],
        run_date=date.fromisoformat(str(values["run_date"])),
        business_date=date.fromisoformat(day) if day else None,
        accept_deletions=bool(values.get("accept_deletions")),
        is_quiet=bool(values.get("is_quiet")),
        accept_drift=bool(values.get("accept_drift")),
        triggered_at=datetime.fromisoformat(triggered_at) if triggered_at else None,
    )


def perform(step: str, values: dict[str, Any], *arguments: Any) -> Any:
    """Perform a step of `customer_tiers.night` and report a fault in one line.

    The line goes to XCom `error` for the shell and to `ops.run` for later. A UserError fails the
    task at once; TryLater, and anything unexpected, is left to Airflow's retry.
    """
    from customer_tiers import night, stopwatch

    run = run_of(values)
    context = get_current_context()
    try:
        with stopwatch.step(run, context["ti"].task_id):
            return getattr(night, step)(run, *arguments)
    except Exception as error:
        task = context["ti"].task_id
        line = str(error) if isinstance(error, UserError) else _unexpected(error, task)
        context["ti"].xcom_push(key="error", value=line)
        night.note_fault(run, line)
        if isinstance(error, UserError) and not isinstance(error, TryLater):
            raise AirflowFailException(line) from None
        raise


def _unexpected(error: Exception, task: str) -> str:
    text = " ".join(str(error).split())[:300]
    return f"task {task}: unexpected {type(error).__name__}: {text}; see its log in the Airflow UI"
