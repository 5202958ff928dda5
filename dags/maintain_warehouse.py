"""Keep a warehouse small and quick: thin old receipts, drop old records of runs, vacuum.

Every week where nights run by themselves; `tiers maintain` does the same at a shell. Receipts are
kept for every night of two months, then for month ends; tier changes and the history for ever.

Triage: nothing depends on it and it may be run again at any time. Its log names the table on which
it stopped; a warehouse that is down is started with `tiers up`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, get_current_context, task

from customer_tiers.orchestration import DEFAULT_ARGS, FIRST_DAY, WEEKLY, describe_run, perform


@dag(
    schedule=WEEKLY,
    start_date=FIRST_DAY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={"source": Param(None, type=["null", "string"], description="Folder of sources/.")},
    doc_md=__doc__,
    tags=["weekly", "impact/tier_3"],
)
def maintain_warehouse():
    """Wire one task."""

    @task
    def maintain() -> list[str]:
        return perform("maintain", describe_run(get_current_context()))

    maintain()


maintain_warehouse()
