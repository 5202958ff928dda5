"""What a simulation would have changed, in lines for a person at a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from customer_tiers import settings
from customer_tiers.simulation.replay import Replay

DIFFERENCES = """
    select
        count(*) as decisions,
        count(*) filter (where ours.computed_tier is distinct from theirs.computed_tier)
    from simulation.int_tiers_decided as ours
    full join (
        select * from bi.tier_decision where business_date between %(first)s and %(last)s
    ) as theirs using (business_date, customer_id)
"""

MATRIX = """
    select theirs.computed_tier, ours.computed_tier, count(*), sum(theirs.contribution_12m)
    from simulation.int_tiers_decided as ours
    join bi.tier_decision as theirs using (business_date, customer_id)
    where business_date = %(last)s
    group by 1, 2, theirs.computed_tier_rank, ours.tier_rank
    order by theirs.computed_tier_rank nulls last, ours.tier_rank nulls last
"""

MOVED = """
    select customer_id, theirs.computed_tier, ours.computed_tier, theirs.contribution_12m,
        {share} as move
    from simulation.int_tiers_decided as ours
    join bi.tier_decision as theirs using (business_date, customer_id)
    where business_date = %(last)s and theirs.computed_tier_rank is not null
        and ours.tier_rank is not null and {share} {sign} 0
    order by abs({share}) desc, theirs.contribution_12m desc, customer_id
    limit 5
"""

SHARE = (
    "(theirs.computed_tier_rank - 1.0) / nullif((select max(tier_rank) - 1 from "
    "bi.tier where policy_id = theirs.policy_id), 0) - (ours.tier_rank - 1.0) / "
    "nullif((select max(tier_rank) - 1 from simulation.int_ladders_in_force where policy_id = "
    "ours.policy_id), 0)"
)
"""How far up a ladder a customer stands, so that ladders of other lengths can be compared."""

PROFIT = """
    select ours.computed_tier, count(*), sum(theirs.contribution_12m),
        sum(theirs.contribution_12m) / nullif(sum(sum(theirs.contribution_12m)) over (), 0)
    from simulation.int_tiers_decided as ours
    join bi.tier_decision as theirs using (business_date, customer_id)
    where business_date = %(last)s
    group by ours.computed_tier, ours.tier_rank
    order by ours.tier_rank nulls last
"""

FLAPS = """
    with moves as (
        select customer_id, business_date, rank,
            rank - lag(rank) over nights as step
        from (select customer_id, business_date, {rank} as rank from {relation}
            where business_date between %(first)s and %(last)s) as ranks
        where rank is not null
        window nights as (partition by customer_id order by business_date)
    ), changes as (
        select customer_id, business_date, step,
            lag(step) over changed as step_before,
            lag(business_date) over changed as day_before
        from moves where step <> 0
        window changed as (partition by customer_id order by business_date)
    )
    select
        (select count(distinct customer_id) from changes
            where sign(step) <> sign(step_before) and business_date - day_before < %(days)s),
        (select count(*) from changes),
        (select count(distinct customer_id) from moves)
"""


def flaps(
    connection: psycopg.Connection, done: Replay, relation: str, rank: str
) -> tuple[int, int, int]:
    """Customers with two opposite changes within settings.FLAP_DAYS, changes, and customers ranked.

    `rank` is a column of `relation` with the rank held each night.
    """
    query = FLAPS.format(relation=relation, rank=rank)
    parameters = {"first": done.first, "last": done.last, "days": settings.FLAP_DAYS}
    [row] = connection.execute(query, parameters).fetchall()  # type: ignore[call-overload]
    return tuple(row)


def lines(connection: psycopg.Connection, done: Replay) -> Iterator[str]:
    """The report of a replay."""
    span = {"first": done.first, "last": done.last}
    yield (
        f"policy {done.policy} over {done.nights} published nights, {done.first} to {done.last}, "
        f"against {done.leading}; nothing published was touched"
    )
    if done.thinned:
        yield (
            f"{done.thinned} published nights of the range have no receipts any more; what waits "
            "for nights in a row is judged by the nights that have"
        )
    [(decisions, differ)] = connection.execute(DIFFERENCES, span).fetchall()  # type: ignore[call-overload]
    yield f"decisions that differ: {differ:,} of {decisions:,}"
    yield from _flap_lines(connection, done)
    yield f"share of contribution on {done.last}:"
    for tier, customers, amount, share in connection.execute(PROFIT, span):  # type: ignore[call-overload]
        percent = "" if share is None else f"{share:8.1%}"
        yield f"  {tier:<14} {customers:>8,} customers {amount:>18,.2f} {percent}"
    yield f"from published to simulated tier on {done.last}:"
    for before, after, customers, amount in connection.execute(MATRIX, span):  # type: ignore[call-overload]
        yield f"  {before:<14} -> {after:<14} {customers:>8,} customers {amount:>18,.2f}"
    for title, sign in (("win", ">"), ("lose", "<")):
        query = MOVED.format(share=SHARE, sign=sign)
        rows = connection.execute(query, span).fetchall()  # type: ignore[call-overload]
        if rows:
            yield f"who would {title} most:"
        for customer, before, after, amount, _ in rows:
            yield f"  {customer:<14} {before} -> {after}, contribution {amount:,.2f}"


def _flap_lines(connection: psycopg.Connection, done: Replay) -> Iterator[str]:
    for title, relation, rank in (
        ("published", "bi.tier_decision", "computed_tier_rank"),
        ("simulated", "simulation.int_tiers_decided", "tier_rank"),
        ("cut alone", "simulation.int_tiers_decided", "capped_cut_rank"),
    ):
        flapped, changes, customers = flaps(connection, done, relation, rank)
        share = flapped / customers if customers else 0
        yield (
            f"{title}: {changes:,} changes; {flapped:,} of {customers:,} customers flapped "
            f"({share:.2%}, two opposite changes within {settings.FLAP_DAYS} days)"
        )


def keep(lines: Sequence[str], name: str) -> Path:
    """Write a report to a file of that name, as far as files can have it; return the file."""
    settings.SIMULATIONS.mkdir(parents=True, exist_ok=True)
    named = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    path = settings.SIMULATIONS / f"{named}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
