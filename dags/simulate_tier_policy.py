"""Judge published nights again under another policy; nothing that is published is touched.

By hand. `policy` is the id of a policy of the seeds, or the texts of CSV files with the header of a
policy seed, each with one policy's rows; what they leave out is taken from the leading policy. The
report (who wins and loses, migration, flaps, profit covered) is in the log and in a file of
`var/simulations`, whose name is the task's result; `tiers simulate` does the same at a shell.

Triage: the failed task's log ends with one line that says which row of the policy is wrong. Mend it
and trigger the DAG again.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, get_current_context, task

from customer_tiers.orchestration import DEFAULT_ARGS, FIRST_DAY, describe_run, perform

DAY = {"type": ["null", "string"], "format": "date"}


@dag(
    schedule=None,
    start_date=FIRST_DAY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "source": Param(None, type=["null", "string"], description="Folder of sources/."),
        "policy": Param(["standard"], type="array", items={"type": "string"}, minItems=1),
        "from": Param(None, **DAY),
        "to": Param(None, **DAY),
    },
    doc_md=__doc__,
    tags=["by_hand", "impact/tier_3"],
)
def simulate_tier_policy():
    """Wire one task."""

    @task
    def simulate() -> str:
        context = get_current_context()
        params = context["params"]
        wanted = (params["policy"], params["from"], params["to"])
        return perform("simulate", describe_run(context), *wanted)

    simulate()


simulate_tier_policy()
