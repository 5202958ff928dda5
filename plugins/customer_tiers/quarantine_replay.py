"""Offer the rows that wait in quarantine to raw again, without a night."""

from __future__ import annotations

from datetime import UTC, datetime, time

from customer_tiers import connections, contract, quality
from customer_tiers.errors import UserError
from customer_tiers.load.entity import Load, replay_entity
from customer_tiers.night import connect


def replay(source: str, entity: str | None) -> list[str]:
    """Offer the rows that wait in quarantine to raw again, now; return what came of it, in lines.

    Raises:
        UserError: The entity is unknown, or a night is loading it.
    """
    terms, now = contract.load(), datetime.now(UTC)
    if entity is not None and entity not in terms.entities:
        raise UserError(f"entity {entity}: the contract has none of that name")
    job = Load(
        run_id=f"replay_{now:%Y%m%dT%H%M%S%f}",
        source=source,
        warehouse_url=connections.warehouse(source),
        latest_date=now.date() + quality.PLAUSIBLE_FUTURE,
        accept_deletions=False,
        latest_change=datetime.combine(now, time.min, tzinfo=UTC),
    )
    lines = []
    with connect(source) as connection:
        connection.execute("set timezone to 'UTC'")
        held = connection.execute(
            "select distinct entity from quarantine.rows where resolved_run is null"
        ).fetchall()
        for name, described in terms.entities.items():
            if (name,) in held and entity in (None, name):
                lines += replay_entity(job, connection, described)
    return lines or ["nothing waits in quarantine"]
