"""`bi.customer_tier_history`: which tier a customer held when, and since when we know.

Each row is a stretch of business dates (`valid_from` to `valid_to`), known over a stretch of time
(`known_from` to `known_to`). Between two published nights the tier of the first one holds. What was
known is never deleted or edited, only closed, so that one can ask today what a report of last
spring was made from: `bi.tier_as_of`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from customer_tiers import stopwatch

MOMENT = """
    select greatest(
        coalesce(
            (select published_at from bi.publication where run_id = %(run_id)s::text),
            clock_timestamp()
        ),
        max(greatest(known_from, known_to)) + interval '1 microsecond'
    )
    from bi.customer_tier_history
"""
"""When the run taught us what it says: after all that we knew, even if a clock was set back."""

NEIGHBOURS = """
    select
        min(business_date) filter (where business_date > %(night)s),
        count(*) filter (where business_date = %(night)s and run_id <> %(run_id)s) > 0
    from bi.publication
    where status = 'published'
"""
"""The next published night, and whether this one was published before."""

COVERS_NIGHT = sql.SQL("""(
    known.known_to is null and known.valid_from <= %(night)s
    and (known.valid_to is null or known.valid_to > %(night)s)
)""")
"""The row is what is known of the night."""

FORGET = sql.SQL("""
    with changed as (
        select
            coalesce(known.customer_id, decided.customer_id) as customer_id,
            decided.tier,
            decided.tier_rank
        from candidate.tier_decision as decided
        full join (
            select * from bi.customer_tier_history as known where {covers_night}
        ) as known on decided.customer_id = known.customer_id
        where (decided.tier, decided.tier_rank) is distinct from (known.tier, known.tier_rank)
    )
    update bi.customer_tier_history as known
    set known_to = %(moment)s
    from changed
    where known.customer_id = changed.customer_id
        and known.known_to is null
        and (
            {covers_night}
            or (known.tier, known.tier_rank) is not distinct from (changed.tier, changed.tier_rank)
            and (known.valid_to = %(night)s or known.valid_from = %(next_night)s::date)
        )
""").format(covers_night=COVERS_NIGHT)
"""Close what is known of another tier on the night, and neighbours that the night's tier joins."""

GOES_ON = sql.SQL("""(
    exists (
        select from ops.identity_decision as decision
        where decision.into_customer_id = decided.customer_id
            and decision.is_renumbering and decision.undone_at is null
    )
    and not exists (
        select from bi.customer_tier_history as closed
        where closed.customer_id = decided.customer_id and closed.known_to = %(moment)s
            and closed.tier = decided.tier
    )
)""")
"""The tier was held before by the number that this one replaced."""

PIECES = sql.SQL("""
    select customer_id, tier, tier_rank, policy_id, policy_version, cause,
        %(run_id)s::text as run_id, valid_from, least(valid_to, %(night)s) as valid_to
    from bi.customer_tier_history
    where known_to = %(moment)s and valid_from < %(night)s
    union all
    select customer_id, tier, tier_rank, policy_id, policy_version,
        case
            when cause in ('policy', 'merge_split', 'override') then cause
            when %(is_restated)s then 'restatement'
            when cause = 'unchanged' and {goes_on} then 'renumbered'
            when cause = 'unchanged' then 'policy' -- the tier's rank alone has changed
            else cause
        end, %(run_id)s::text, %(night)s, %(next_night)s::date
    from candidate.tier_decision as decided
    where not exists (
        select 1 from bi.customer_tier_history as known
        where known.customer_id = decided.customer_id and {covers_night}
    )
    union all
    select known.customer_id, known.tier, known.tier_rank,
        coalesce(later.policy_id, known.policy_id),
        case when later.policy_id is null then known.policy_version else later.policy_version end,
        case when known.valid_from < %(next_night)s::date then 'restatement' else known.cause end,
        %(run_id)s::text, greatest(known.valid_from, %(next_night)s::date), known.valid_to
    from bi.customer_tier_history as known
    left join bi.tier_decision as later
        on known.customer_id = later.customer_id
        and known.valid_from < later.business_date and later.business_date = %(next_night)s::date
    where known.known_to = %(moment)s and %(next_night)s::date is not null
        and (known.valid_to is null or known.valid_to > %(next_night)s::date)
""").format(covers_night=COVERS_NIGHT, goes_on=GOES_ON)
"""What FORGET closed, up to the night and from the next one on; and the night between them."""

RECEIPTS = sql.SQL("""
    select decided.customer_id, decided.tier, decided.tier_rank, decided.policy_id,
        decided.policy_version,
        case
            when decided.cause <> 'unchanged' then decided.cause
            when lag(decided.tier) over (
                partition by decided.customer_id order by decided.business_date
            ) = decided.tier then 'policy' -- the tier's rank alone has changed
            else 'restatement' -- of the night before: this one was decided without a change
        end as cause,
        nights.run_id, nights.business_date as valid_from, nights.next_night as valid_to
    from bi.tier_decision as decided
    inner join (
        select business_date, (array_agg(run_id order by published_at desc))[1] as run_id,
            lead(business_date) over (order by business_date) as next_night
        from bi.publication
        where status = 'published' and receipts_thinned_at is null
        group by business_date
    ) as nights on decided.business_date = nights.business_date
""")
"""All published nights as their receipts have them now; a thinned night is as the one before."""

STRETCHES = sql.SQL("""
    with pieces as ({pieces}),
    marked as (
        select *,
            coalesce(lag(valid_to) over by_date = valid_from, false)
            and (lag(tier) over by_date, lag(tier_rank) over by_date)
            is not distinct from (tier, tier_rank) as is_continued
        from pieces
        window by_date as (partition by customer_id order by valid_from)
    ),
    numbered as (
        select *,
            count(*) filter (where not is_continued)
                over (partition by customer_id order by valid_from) as stretch
        from marked
    ),
    ended as (
        select *,
            last_value(valid_to) over (
                partition by customer_id, stretch order by valid_from
                rows between unbounded preceding and unbounded following
            ) as ends
        from numbered
    ),
    stretches as (
        select customer_id, tier, tier_rank, policy_id, policy_version, cause, run_id, valid_from,
            ends as valid_to
        from ended
        where not is_continued
    )
""")
"""Pieces of one tier that touch each other, as one stretch that begins like its first piece."""

LEARN = sql.SQL("""
    insert into bi.customer_tier_history (
        customer_id, tier, tier_rank, policy_id, policy_version, cause, valid_from, valid_to,
        known_from, run_id
    )
    select customer_id, tier, tier_rank, policy_id, policy_version, cause, valid_from, valid_to,
        %(moment)s, run_id
    from stretches
""")

AGREES = sql.SQL("""
    known.customer_id = stretches.customer_id
    and known.known_to is null
    and (known.tier, known.tier_rank, known.valid_from, known.valid_to)
    is not distinct from
    (stretches.tier, stretches.tier_rank, stretches.valid_from, stretches.valid_to)
""")

FORGET_WHAT_RECEIPTS_DENY = sql.SQL("""
    update bi.customer_tier_history as known
    set known_to = %(moment)s
    where known.known_to is null and not exists (select 1 from stretches where {agrees})
""").format(agrees=AGREES)

LEARN_WHAT_RECEIPTS_ADD = LEARN + sql.SQL("""
    where not exists (select 1 from bi.customer_tier_history as known where {agrees})
""").format(agrees=AGREES)


@stopwatch.part("history")
def record(connection: psycopg.Connection, run_id: str, night: date) -> int:
    """Take up what a night that is being published teaches; call it inside that transaction.

    Reads `candidate.tier_decision`, after `bi.tier_decision` and `bi.publication` were brought up.
    A tier other than the known one, or none, holds from the night up to the next published one;
    what is known of other nights stays. The same again writes nothing. Nights that were published
    before there was a history are taken up from their receipts, as known from now on.

    Returns:
        The rows written.
    """
    values: dict[str, Any] = {"run_id": run_id, "night": night}
    values["moment"] = _moment(connection, run_id)
    if not connection.execute("select 1 from bi.customer_tier_history limit 1").fetchone():
        return rebuild(connection, values["moment"])
    next_night, is_again = connection.execute(NEIGHBOURS, values).fetchone() or (None, False)
    values |= {"next_night": next_night, "is_restated": is_again and next_night is not None}
    closed = connection.execute(FORGET, values).rowcount
    learned = connection.execute(STRETCHES.format(pieces=PIECES) + LEARN, values).rowcount
    return closed + learned


def rebuild(connection: psycopg.Connection, moment: datetime | None = None) -> int:
    """Make what is known now equal to the receipts of all published nights, `bi.tier_decision`.

    Stretches that agree with the receipts stay as they are. What is missing is known from now on,
    with the cause and run of its receipt: receipts do not tell that a night was restated. Where
    they are thinned, changes between month ends are lost: rebuild a history that is lost, no other.

    Returns:
        The rows written.
    """
    values = {"moment": moment or _moment(connection, None)}
    stretches = STRETCHES.format(pieces=RECEIPTS)
    return sum(
        connection.execute(stretches + statement, values).rowcount
        for statement in (FORGET_WHAT_RECEIPTS_DENY, LEARN_WHAT_RECEIPTS_ADD)
    )


def _moment(connection: psycopg.Connection, run_id: str | None) -> datetime:
    [(moment,)] = connection.execute(MOMENT, {"run_id": run_id}).fetchall()
    return moment  # type: ignore[no-any-return]
