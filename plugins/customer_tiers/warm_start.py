"""Import the slow libraries once, in the scheduler, before it forks its workers.

Great Expectations and dbt take four to five seconds each to import; a night has seven tasks that
need one of them. A worker that was forked after the import finds them in memory. Where an executor
does not fork (macOS, Celery, Kubernetes) a task imports for itself, as ever.
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

from airflow.listeners import hookimpl

MODULES = ("great_expectations", "dbt.cli.main", "dbt.adapters.postgres", "customer_tiers.night")
"""What the steps of a night import."""

log = logging.getLogger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Warm the scheduler up; other parts of Airflow stay as light as they are."""
    if "scheduler" not in sys.argv:  # The component does not know yet what kind of job it is.
        return
    for name in MODULES:
        try:
            importlib.import_module(name)
        except Exception:
            # A night without it says what is wrong in its own log; the scheduler must start.
            log.exception("could not import %s ahead", name)
