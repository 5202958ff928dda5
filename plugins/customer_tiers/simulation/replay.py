"""Run the engine over the receipts of published nights, in a schema of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from customer_tiers import transform
from customer_tiers.errors import UserError
from customer_tiers.maintenance import thinned_nights
from customer_tiers.simulation import candidate
from customer_tiers.sources.definition import Source

SCHEMA = "simulation"


@dataclass(frozen=True)
class Replay:
    """What was replayed: a policy over the published nights of a range of days.

    The decisions are in `simulation.int_tiers_decided`, one row per night and customer. `thinned`
    nights of the range were published too, but have no receipts any more.
    """

    policy: str
    leading: str
    first: date
    last: date
    nights: int
    thinned: int = 0


def replay(
    warehouse_url: str,
    names: list[str],
    *,
    source: Source,
    first: date | None = None,
    last: date | None = None,
) -> Replay:
    """Judge published nights again under a candidate policy.

    Args:
        warehouse_url: libpq URL of the warehouse.
        names: Id of a policy, or CSV files; see `candidate`.
        source: Company of the warehouse.
        first: First business date; None = of the first night since which all receipts are kept.
        last: Last business date; None = of the newest published night.

    Raises:
        UserError: No published night in the range, or the candidate is no sound policy.
    """
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        locked = connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 0))", [SCHEMA]
        )
        if locked.fetchone() != (True,):
            raise UserError(f"source {source.name}: another simulation is running; wait for it")
        days = nights_kept(connection, source.name, first, last)
        thinned = [n for n in thinned_nights(connection) if days[0] <= n <= days[-1]]
        variables = {
            "business_date": days[0],
            "replay_from": days[0],
            "replay_to": days[-1],
            "base_currency": source.base_currency,
            "rounding": source.rounding,
            "source": source.name,
        }
        run_dbt(warehouse_url, ["resource_type:seed"], variables)
        leading = source.policy or candidate.leading(connection, SCHEMA, days[0])
        policy = candidate.install(connection, SCHEMA, names, leading)
        variables["leading_policy"] = policy
        run_dbt(warehouse_url, ["tag:engine", "policies_are_sound_tier_ladder_"], variables)
    return Replay(policy, leading, days[0], days[-1], len(days), len(thinned))


def run_dbt(warehouse_url: str, select: list[str], variables: dict[str, object]) -> None:
    """Build seeds without their tests, or the engine without the seeds."""
    is_seeding = select == ["resource_type:seed"]
    transform.run(
        warehouse_url,
        select=select,
        variables=variables,
        run_id=SCHEMA,
        command="seed" if is_seeding else "build",
        schema=SCHEMA,
    )


def nights_kept(
    connection: psycopg.Connection, source: str, first: date | None, last: date | None
) -> list[date]:
    """The nights of a range that have receipts.

    Raises:
        UserError: There is none.
    """
    if connection.execute("select to_regclass('bi.tier_decision')").fetchone() == (None,):
        raise UserError(f"source {source}: no night is published yet; start one with `tiers run`")
    first = first or _first_whole_night(connection)
    rows = connection.execute(
        "select distinct business_date from bi.tier_decision "
        "where business_date >= coalesce(%s, '-infinity'::date) "
        "and business_date <= coalesce(%s, 'infinity'::date) order by 1",
        [first, last],
    ).fetchall()
    if not rows:
        raise UserError(
            f"source {source}: no published night from {first or 'the first'} to "
            f"{last or 'the newest'}; look at bi.publication"
        )
    return [row[0] for row in rows]


def _first_whole_night(connection: psycopg.Connection) -> date | None:
    """The first night since which every night and the one before it is kept; None = all are."""
    thinned = thinned_nights(connection)
    if not thinned:
        return None
    kept = connection.execute(
        "select distinct business_date from bi.tier_decision where business_date > %s "
        "order by 1 limit 2",
        [thinned[-1]],
    ).fetchall()
    return kept[-1][0] if kept else None
