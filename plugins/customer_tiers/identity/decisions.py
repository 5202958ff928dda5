"""What people decide about who is who: kept for good, in force from the next night on, undoable.

A decision touches no record: the models read it. So a merge moves no sale, and a split, or undoing
the merge, brings back every customer under its own number and key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from customer_tiers.errors import UserError
from customer_tiers.identity import conflicts

INSERT = """
insert into ops.identity_decision (
    kind, account_id, customer_id, into_customer_id, reason, decided_by
)
values (%(kind)s, %(account_id)s, %(customer_id)s, %(into)s, %(reason)s, %(by)s)
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
        for number in (decision.customer_id, decision.into):
            if number is not None:
                _check_known(connection, "customer", "raw.erp_customers", number)
        if decision.account_id is not None:
            _check_known(connection, "account", "raw.crm_accounts", decision.account_id)
        conflicts.check(connection, decision)
        row = connection.execute(INSERT, {**vars(decision)}).fetchone()
    return int(row[0]) if row else 0


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
            review.waiting_since
        from bi.match_review as review
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
        f"{kind} {record} {name} = customer {customer} {called}? {points} points "
        f"({evidence or 'as it was before a merge'}); "
        f"{owner or 'no owner'}, since {since}"
        for kind, record, name, customer, called, points, evidence, owner, since in rows
    ]


def _check_known(connection: psycopg.Connection, what: str, table: str, number: str) -> None:
    query = f"select 1 from {table} where {what}_id = %s"  # noqa: S608 (names of ours)
    if connection.execute(query, [number]).fetchone() is None:  # type: ignore[call-overload]
        raise UserError(f"{what} {number}: there is none in the warehouse; check the number")


def print_waiting(connection: psycopg.Connection, say: Callable[[str], None]) -> None:
    """Say which pairs wait for a decision, and how to take it."""
    lines = waiting(connection)
    for line in lines:
        say(line)
    say(
        f"{len(lines)} to decide: tiers match accept|reject ACCOUNT CUSTOMER, "
        "merge|apart CUSTOMER CUSTOMER, split CUSTOMER"
    )
