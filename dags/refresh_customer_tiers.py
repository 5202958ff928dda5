"""Take a company's ERP and CRM data to published customer tiers, for one business date.

A failed step publishes nothing: readers keep the last night, marked stale, and the next good run
catches up by itself. Running a night again is safe and rewrites only what differs.

Triage: the failed task's log ends with one line that says what is wrong, where, and what to do;
the same line is in `bi.publication`. Mend the cause, then clear the failed task or run the night
again with `tiers run`.
"""

from __future__ import annotations

from airflow.sdk import Metadata, Param, TriggerRule, dag, get_current_context, task

from customer_tiers.orchestration import (
    DEFAULT_ARGS,
    FIRST_DAY,
    PUBLISHED_TIERS,
    SCHEDULE,
    describe_run,
    perform,
)


@dag(
    schedule=SCHEDULE,
    start_date=FIRST_DAY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "source": Param(None, type=["null", "string"], description="Folder of sources/."),
        "path": Param(None, type=["null", "string"], description="Folder of a source of files."),
        "business_date": Param(None, type=["null", "string"], format="date"),
        "accept_deletions": Param(False, type="boolean"),
        "quiet": Param(False, type="boolean", description="Mail nobody, as a backfill does."),
        "accept_drift": Param(False, type="boolean"),
    },
    doc_md=__doc__,
    tags=["nightly", "impact/tier_1"],
)
def refresh_customer_tiers():
    """Wire the steps of `customer_tiers.night`."""

    @task
    def begin() -> dict:
        values = describe_run(get_current_context())
        perform("begin", values)
        return values

    @task
    def load(values: dict, system: str) -> list[str]:
        return perform("load", values, system)

    @task
    def settle(values: dict) -> str:
        return perform("settle", values)

    @task
    def build(values: dict, day: str, layer: str) -> None:
        perform("build", values, day, layer)

    @task
    def audit(values: dict) -> None:
        perform("audit", values)

    @task(outlets=[PUBLISHED_TIERS])
    def publish(values: dict, day: str):
        perform("publish", values, day)
        yield Metadata(PUBLISHED_TIERS, {**values, "business_date": day})

    @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
    def refuse() -> None:
        perform("refuse", describe_run(get_current_context()))

    values = begin()
    erp = load.override(task_id="load_erp")(values, "erp")
    crm = load.override(task_id="load_crm")(values, "crm")  # its rows refer to those of the ERP
    day = settle(values)
    facts = build.override(task_id="build_facts")(values, day, "facts")
    tiers = build.override(task_id="build_tiers")(values, day, "tiers")
    checked, published = audit(values), publish(values, day)
    erp >> crm >> day >> facts >> tiers >> checked >> published
    [values, erp, crm, day, facts, tiers, checked, published] >> refuse()


refresh_customer_tiers()
