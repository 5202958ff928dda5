"""Run a night through the Airflow scheduler and report its steps while it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from customer_tiers import contract
from customer_tiers.embedded import airflow_api, services
from customer_tiers.errors import UserError
from customer_tiers.sources import definition

NIGHTLY = "refresh_customer_tiers"
DELIVERY = "send_tier_digests"

DELIVERY_SECONDS = 120
"""How long to wait for the digests' run to start after a publication."""

Say = Callable[[str], None]


def run_night(source: str, *, business_date: str | None, path: Path | None, say: Say) -> str:
    """Trigger the nightly DAG, wait for it and for the digests it releases.

    Returns:
        The run's id.

    Raises:
        UserError: The source is unknown, or a step failed: the line says which and why.
    """
    folder = str(path.resolve()) if path else None
    described = definition.load(source, contract.load())
    for system in described.systems.values():
        if system.kind == "files":
            system.folder(folder)
    services.up(say)
    client = airflow_api.connect()
    client.wait_for_dag(NIGHTLY)
    started = time.monotonic()
    run_id = client.trigger(
        NIGHTLY, {"source": source, "path": folder, "business_date": business_date}
    )
    say(f"night of source {source}, business date {business_date or 'newest day of sales'}")
    state = client.wait(NIGHTLY, run_id, say)
    if state != "success":
        raise UserError(_why(client, NIGHTLY, run_id))
    delivery = client.run_of_asset_event(DELIVERY, NIGHTLY, run_id, timeout=DELIVERY_SECONDS)
    if client.wait(DELIVERY, delivery, say) != "success":
        raise UserError(_why(client, DELIVERY, delivery))
    say(f"done in {time.monotonic() - started:.0f} s")
    return run_id


def _why(client: airflow_api.Client, dag_id: str, run_id: str) -> str:
    """The line that the failed steps left."""
    lines = client.failed_lines(dag_id, run_id)
    return " | ".join(lines) or (
        f"{dag_id}, run {run_id} failed without a line of its own; see the Airflow UI or var/logs"
    )
