"""Messages to the people who keep the pipeline running; managers never get them.

Their addresses are the rows of the seed `digest_recipients` with role `ops`. They are read from the
file: a night can fail before its seeds are loaded.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from customer_tiers import settings
from customer_tiers.outbox import fill
from customer_tiers.outbox.rows import KEY_LENGTH, OPS, OutboxRow
from customer_tiers.quality import results

RECIPIENTS = settings.DBT_PROJECT / "seeds" / "digest_recipients.csv"

PAYLOAD_VERSION = 2

NIGHT_REFUSED = "night_refused"
MESSAGES_STUCK = "messages_stuck"
CHECKS_NOT_MET = "checks_not_met"

QUIET_DAYS = 30
"""For so long a check that was told of is not told of again, if it goes on not to be met."""

STUCK = """
    select outbox_key, state, recipient_id, business_date, last_error from ops.outbox
    where kind <> %s and (state = 'unknown' or state = 'failed' and not is_retryable)
    order by business_date, outbox_key
"""

TOLD_CHECKS = """
    select distinct earlier.suite, earlier.expectation
    from ops.expectation_result as earlier
    inner join bi.publication as published using (run_id)
    where run_id <> %(run)s and published.status = 'published' and not earlier.is_met
        and earlier.severity = 'warning'
        and earlier.checked_at > clock_timestamp() - make_interval(days => %(days)s)
"""

RUN_DAY = (
    "select source, (select started_at::date from ops.run where run_id = %s) from ops.warehouse"
)

SUBJECTS = {
    NIGHT_REFUSED: "customer tiers: the night of {day} was not published (source {source})",
    MESSAGES_STUCK: "customer tiers: {count} messages need a decision (source {source})",
    CHECKS_NOT_MET: "customer tiers: data checks not met on {day}: {count} (source {source})",
}

log = logging.getLogger(__name__)


def tell_refused(
    connection: psycopg.Connection, run_id: str, business_date: date | None, why: str
) -> int:
    """Write a message that a night was refused; once per night and reason.

    A run that failed before it knew its night is told about under the day it was started.
    """
    source, started = connection.execute(RUN_DAY, [run_id]).fetchone() or ("", None)
    day = business_date or started
    if day is None:
        return 0
    lines = ["Readers keep the last good night, marked stale.", f"Run: {run_id}"]
    return _tell(connection, source, day, NIGHT_REFUSED, why, lines, [why])


def tell_checks(connection: psycopg.Connection, run_id: str, business_date: date) -> int:
    """Write a message that names the checks that a published night did not meet.

    Those of the last `QUIET_DAYS` days are known; a night with none but them tells nothing.
    """
    asked = {"run": run_id, "days": QUIET_DAYS}
    known = set(connection.execute(TOLD_CHECKS, asked).fetchall())
    found = [
        check
        for check in results.not_met(connection, run_id)
        if (check.suite, check.expectation) not in known
    ]
    if not found:
        return 0
    row = connection.execute("select source from ops.warehouse").fetchone()
    message = (
        "The night was published. Mend the source or the SELECT, or change the rule in "
        "expectations/; `tiers status --last` lists the checks of the newest night."
    )
    lines = [str(check) for check in found]
    what = [[check.suite, check.expectation] for check in found]
    source = row[0] if row else ""
    return _tell(connection, source, business_date, CHECKS_NOT_MET, message, lines, what)


def tell_stuck(connection: psycopg.Connection) -> int:
    """Write a message about those that a person must decide about; once per set of them."""
    stuck = connection.execute(STUCK, [OPS]).fetchall()
    row = connection.execute("select source from ops.warehouse").fetchone()
    if not stuck:
        return 0
    message = "Look at them with `tiers outbox show KEY`, then `resend` or `give-up` each."
    lines = [f"{key}  {state}  {to}  {day}: {why or ''}" for key, state, to, day, why in stuck]
    what = [[key, state] for key, state, *_ in stuck]
    newest = max(row[3] for row in stuck)
    return _tell(connection, row[0] if row else "", newest, MESSAGES_STUCK, message, lines, what)


def text(row: OutboxRow) -> tuple[str, str]:
    """Return the subject and the text of a message of kind `ops`."""
    said = row.payload[OPS]
    return said["subject"], "\n".join([said["message"], "", *said["lines"], ""])


def _tell(
    connection: psycopg.Connection,
    source: str,
    day: date,
    event: str,
    message: str,
    lines: list[str],
    what: list[Any],
) -> int:
    subject = SUBJECTS[event].format(day=day, source=source, count=len(lines))
    said = {"event": event, "subject": subject, "message": message, "lines": lines}
    added = 0
    for person in _recipients(source):
        content = json.dumps([OPS, person["recipient_id"], day.isoformat(), event, what])
        key = hashlib.sha256(content.encode()).hexdigest()[:KEY_LENGTH]
        values = {
            "outbox_key": key,
            "content_hash": key,
            "kind": OPS,
            "role": OPS,
            "recipient_id": person["recipient_id"],
            "recipient_name": person["recipient_name"],
            "channel": person["channel"],
            "address": person["address"],
            "locale": person["locale"],
            "business_date": day,
            "payload": Jsonb({"version": PAYLOAD_VERSION, OPS: said, "source": source}),
            "corrects": None,
            "state": "pending",
            "last_error": None,
        }
        added += connection.execute(fill.ADD, values).rowcount
    return added


def _recipients(source: str) -> list[dict[str, str]]:
    with RECIPIENTS.open(encoding="utf-8", newline="") as stream:
        found = [r for r in csv.DictReader(stream) if (r["source"], r["role"]) == (source, OPS)]
    if not found:
        log.warning("source %s: nobody has role ops in %s", source, RECIPIENTS)
    return found
