"""Nights of ours, measured: through Airflow, or the same steps in one process without it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

SOURCE = "sample"

STEPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("begin", "begin", ()),
    ("load_erp", "load", ("erp",)),
    ("load_crm", "load", ("crm",)),
    ("settle", "settle", ()),
    ("build_facts", "build", ("day", "facts")),
    ("build_tiers", "build", ("day", "tiers")),
    ("audit", "audit", ()),
    ("publish", "publish", ("day",)),
)
"""Task of the DAG, step of `night`, arguments; `day` stands for the business date."""

MODELS_SHOWN = 12
"""How many of a night's slowest dbt nodes are looked at."""


def in_a_process(day: date, name: str) -> dict[str, Any]:
    """Play a night's steps in a process of its own; return what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "scale.nights", day.isoformat(), name],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"night {name} of {day} failed: {done.stdout.strip()[-500:]}")
    return found(name)


def play(day: date, name: str) -> None:
    """Play a night in this process, its libraries imported first, as the scheduler has them."""
    from customer_tiers import night, stopwatch, warm_start

    for module in warm_start.MODULES:
        importlib.import_module(module)
    run = night.Run(
        name, SOURCE, None, day, day, triggered_at=datetime.now(UTC), accept_drift=False
    )
    for task, step, arguments in STEPS:
        given = [day.isoformat() if argument == "day" else argument for argument in arguments]
        with stopwatch.step(run, task):
            getattr(night, step)(run, *given)


def through_airflow(day: date) -> dict[str, Any]:
    """Play a night through the scheduler, as `tiers run` does; return what it measured."""
    from customer_tiers import runner

    run_id = runner.run_night(
        SOURCE, business_date=day.isoformat(), path=None, say=lambda line: None
    )
    return found(run_id)


def let_a_day_pass() -> None:
    """Let the server tidy up what a night has written, as it does by itself during a day."""
    from customer_tiers import night

    with night.connect(SOURCE) as connection:
        connection.execute("vacuum")


def found(run_id: str) -> dict[str, Any]:
    """Seconds from trigger to published, those between the steps, each step's, the models'."""
    from customer_tiers import night, profile

    with night.connect(SOURCE) as connection:
        whole, busy = profile.span(connection, run_id)
        parts = profile.measured(connection, run_id)
        nodes = connection.execute(profile.NODES, {"run": run_id, "shown": MODELS_SHOWN}).fetchall()
    return {
        "run_id": run_id,
        "seconds": whole,
        "between": whole - busy,
        "peak_mb": max(one.peak_mb or 0 for one in parts),
        "steps": {one.step: one.seconds for one in parts if not one.part},
        "parts": {f"{one.step}/{one.part}": one.seconds for one in parts if one.part},
        "models": {name: float(seconds) for name, kind, seconds, _ in nodes if kind == "model"},
    }


if __name__ == "__main__":
    play(date.fromisoformat(sys.argv[1]), sys.argv[2])
    print(json.dumps({}))
