"""What people decide about who is who: kept for good, in force from the next night on, undoable.

A decision touches no record: the models read it. So a merge moves no sale, and a split, or undoing
the merge, brings back every customer under its own number and key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import psycopg

from customer_tiers.errors import UserError
from customer_tiers.identity import conflicts, former

INSERT = """
insert into ops.identity_decision (
    kind, account_id, customer_id, into_customer_id, reason, decided_by, is_renumbering
)
values (
    %(kind)s, %(account_id)s, %(customer_id)s, %(into)s, %(reason)s, %(by)s, %(is_renumbering)s
)
returning decision_id
"""


@dataclass(frozen=True)
class Decision:
    """What somebody decides, and why.

    `kind` is accept or reject (is the account that customer), merge or apart (of two customers), or
    split; `by` is the person.
    """

    kind: str
    customer_id: str
    reason: str
    by: str
    account_id: str | None = None
    into: str | None = None


def decide(connection: psycopg.Connection, decision: Decision) -> int:
    """Keep a decision; return its number.

    Raises:
        UserError: A record is unknown, or another decision that holds, or the ERP, says otherwise.
    """
    with connection.transaction():
        connection.execute("lock table ops.identity_decision in share row exclusive mode")
        _check_customers(connection, decision)
        if decision.account_id is not None:
            _check_account(connection, decision.account_id)
        conflicts.check(connection, decision)
        is_renumbering = decision.kind == "merge" and former.is_renumbering(
            connection, decision.customer_id, str(decision.into)
        )
        values = {**vars(decision), "is_renumbering": is_renumbering}
        row = connection.execute(INSERT, values).fetchone()
    return int(row[0]) if row else 0


def meaning(connection: psycopg.Connection, decision_id: int) -> str:
    """A line that says what a decision does, and how to undo it."""
    row = connection.execute(
        "select customer_id, into_customer_id from ops.identity_decision "
        "where decision_id = %s and is_renumbering",
        [decision_id],
    ).fetchone()
    goes_on = f": key, tier and history of {row[0]} go on under {row[1]}" if row else ""
    return (
        f"decision {decision_id} holds from the next night on{goes_on}; "
        f"tiers match undo {decision_id}"
    )


def undo(connection: psycopg.Connection, decision_id: int, by: str) -> str:
    """Undo a decision; return a line that says which.

    Raises:
        UserError: There is no such decision, or it is undone already.
    """
    row = connection.execute(
        "update ops.identity_decision set undone_at = clock_timestamp(), undone_by = %s "
        "where decision_id = %s and undone_at is null "
        "returning kind, coalesce(account_id, customer_id), "
        "coalesce(into_customer_id, customer_id)",
        [by, decision_id],
    ).fetchone()
    if row is None:
        raise UserError(
            f"decision {decision_id}: there is none, or it is undone already; "
            "see `tiers match list --decided`"
        )
    return f"undone: {row[0]} of {row[1]} and {row[2]}"


def decided(connection: psycopg.Connection) -> list[str]:
    """Every decision in a line, the latest first."""
    rows = connection.execute(
        "select decision_id, kind, coalesce(account_id, customer_id), "
        "case when account_id is null then coalesce(into_customer_id, '') else customer_id end, "
        "decided_by, decided_at::date, reason, undone_by from ops.identity_decision "
        "order by decision_id desc"
    )
    return [
        f"{number}  {kind} {left} {right}, {by} on {day}: {why}"
        + (f" (undone by {undone})" if undone else "")
        for number, kind, left, right, by, day, why, undone in rows
    ]


def waiting(connection: psycopg.Connection) -> list[str]:
    """The pairs of the newest night that nobody has settled, those with most at stake first."""
    [(exists,)] = connection.execute("select to_regclass('bi.match_review') is not null").fetchall()
    if not exists:
        return []
    rows = connection.execute(
        """
        select
            review.pair_kind, review.record_id, review.record_name, review.customer_id,
            review.customer_name, review.points, review.evidence, review.owner_name,
            review.waiting_since, held.tier, held.valid_from
        from bi.match_review as review
        left join lateral (
            select history.tier, history.valid_from from bi.customer_tier_history as history
            where history.customer_id = review.record_id and review.pair_kind = 'renumbered'
                and history.known_to is null
            order by history.valid_from desc limit 1
        ) as held on true
        where not exists (
            select from ops.identity_decision as decision
            where decision.undone_at is null and (
                (
                    decision.account_id = review.record_id
                    and (decision.kind = 'accept' or decision.customer_id = review.customer_id)
                )
                or (review.record_id, review.customer_id) in (
                    (decision.customer_id, decision.into_customer_id),
                    (decision.into_customer_id, decision.customer_id)
                )
            )
        )
        order by review.contribution_12m desc nulls last, review.points desc, 2, 4
        """
    )
    return [
        f"{kind} {record} {name}{_past(kind, tier, held)} = customer {customer} {called}? "
        f"{points} points ({evidence or 'as it was before a merge'}); "
        f"{owner or 'no owner'}, since {since}"
        for kind, record, name, customer, called, points, evidence, owner, since, tier, held in rows
    ]


def _past(kind: str, tier: str | None, held_from: date | None) -> str:
    """What is known of a number that the ERP lists no more."""
    if kind != "renumbered":
        return ""
    return " (gone from the ERP" + (f", tier {tier} since {held_from})" if tier else ")")


def _check_customers(connection: psycopg.Connection, decision: Decision) -> None:
    """Customers must be listed by the ERP; a number that it lists no more may be merged into one
    that it lists, be kept apart from one, and be split again."""
    may_be_gone = {"merge": [decision.customer_id], "split": [decision.customer_id]}
    may_be_gone["apart"] = [decision.customer_id, str(decision.into)]
    for number in (decision.customer_id, decision.into):
        if number is None or conflicts.is_listed(connection, number):
            continue
        was_known = former.was_known(connection, number)
        if was_known and number in may_be_gone.get(decision.kind, []):
            continue
        raise UserError(
            f"customer {number}: the ERP lists it no more; give the number that it has now"
            if was_known
            else f"customer {number}: there is none in the warehouse; check the number"
        )


def _check_account(connection: psycopg.Connection, account: str) -> None:
    query = "select 1 from raw.crm_accounts where account_id = %s"
    if connection.execute(query, [account]).fetchone() is None:
        raise UserError(f"account {account}: there is none in the warehouse; check the number")


def print_waiting(connection: psycopg.Connection, say: Callable[[str], None]) -> None:
    """Say which pairs wait for a decision, and how to take it."""
    lines = waiting(connection)
    for line in lines:
        say(line)
    say(
        f"{len(lines)} to decide: tiers match accept|reject ACCOUNT CUSTOMER, "
        "merge|apart CUSTOMER CUSTOMER, split CUSTOMER"
    )
