"""Send the messages that a publication put into the outbox: who is told what was decided there.

Runs after each publication. A mail is handed to the mail server once: one that was `sending` when
the sender died is shown as `unknown` and not sent again. What a server refuses for now is tried
again a few times, after longer and longer pauses, and then with the next publication.

Triage: `tiers outbox` lists each message with its state and the server's answer. Mend the server or
its connection, then clear this run: only what was not handed over is sent.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from customer_tiers.orchestration import (
    DEFAULT_ARGS,
    FIRST_DAY,
    PUBLISHED_TIERS,
    describe_run,
    perform,
)


@dag(
    schedule=[PUBLISHED_TIERS],
    start_date=FIRST_DAY,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={"source": Param(None, type=["null", "string"], description="When run by hand.")},
    doc_md=__doc__,
    tags=["delivery", "impact/tier_1"],
)
def send_tier_digests():
    """Wire one task that sends for each publication event."""

    @task(retries=4, retry_delay=timedelta(minutes=1), retry_exponential_backoff=2)
    def send(triggering_asset_events=None) -> list[str]:
        events = (triggering_asset_events or {}).get(PUBLISHED_TIERS, [])
        runs = [event.extra for event in events] or [describe_run(get_current_context())]
        return [perform("send", values) for values in runs]

    send()


send_tier_digests()
