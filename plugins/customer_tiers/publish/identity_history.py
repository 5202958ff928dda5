"""Remember which records we took for one customer, and since when, as a night is published."""

from __future__ import annotations

import psycopg

from customer_tiers import stopwatch

CLOSE = """
update bi.customer_identity_history as held
set known_to = transaction_timestamp()
where held.known_to is null and not exists (
    select from candidate.customer_identity as fresh
    where fresh.source_system = held.source_system and fresh.record_id = held.record_id
        and (fresh.record_key, fresh.customer_key, fresh.customer_id, fresh.match_rule)
        is not distinct from (held.record_key, held.customer_key, held.customer_id, held.match_rule)
)
"""

OPEN = """
insert into bi.customer_identity_history (
    source_system, record_id, record_key, customer_key, customer_id, match_rule, known_from, run_id
)
select
    fresh.source_system, fresh.record_id, fresh.record_key, fresh.customer_key, fresh.customer_id,
    fresh.match_rule, transaction_timestamp(), %(run_id)s
from candidate.customer_identity as fresh
where not exists (
    select from bi.customer_identity_history as held
    where held.known_to is null
        and held.source_system = fresh.source_system and held.record_id = fresh.record_id
)
"""


@stopwatch.part("identity history")
def record(connection: psycopg.Connection, run_id: str) -> int:
    """Close what is no longer so and open what is; return the rows written.

    Who is who does not depend on the night's date: only the newest night teaches it.
    """
    closed = connection.execute(CLOSE).rowcount
    return closed + connection.execute(OPEN, {"run_id": run_id}).rowcount
