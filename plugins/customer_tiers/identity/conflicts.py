"""Whether a decision about identity fits those that hold; if not, what holds and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg

from customer_tiers.errors import UserError

if TYPE_CHECKING:
    from customer_tiers.identity.decisions import Decision

CHAIN = """
with recursive merged as (
    select distinct on (customer_id) customer_id, kind, into_customer_id
    from ops.identity_decision
    where kind in ('merge', 'split') and undone_at is null
    order by customer_id, decision_id desc
),
target as (
    select
        customer.customer_id,
        case
            when merged.kind is null then customer.merged_into_id
            when merged.kind = 'merge' then merged.into_customer_id
        end as into_id
    from raw.erp_customers as customer
    left join merged using (customer_id)
),
chain as (
    select customer_id, into_id from target where customer_id = %(into)s
    union
    select target.customer_id, target.into_id
    from target inner join chain on target.customer_id = chain.into_id
)
select 1 from chain where customer_id = %(customer_id)s
"""
"""Whether the customer that another one is to become is, in the end, that other one."""

HELD = """
select decision_id, kind, into_customer_id from ops.identity_decision
where customer_id = %s and kind in ('merge', 'split') and undone_at is null
order by decision_id desc limit 1
"""

MERGED_BY_ERP = """
select customer.merged_into_id from raw.erp_customers as customer
inner join raw.erp_customers as target on target.customer_id = customer.merged_into_id
where customer.customer_id = %s and target.customer_id <> customer.customer_id
"""

PARTS = """
select customer.customer_id
from (
    select customer_id, merged_into_id from raw.erp_customers
    union all
    select distinct customer_id, null from ops.identity_decision
    where kind = 'merge' and undone_at is null
        and customer_id not in (select customer_id from raw.erp_customers)
) as customer
left join lateral (
    select kind, into_customer_id from ops.identity_decision as decision
    where decision.customer_id = customer.customer_id and kind in ('merge', 'split')
        and undone_at is null
    order by decision_id desc limit 1
) as held on true
where case
    when held.kind is null then customer.merged_into_id
    when held.kind = 'merge' then held.into_customer_id
end = %(customer)s and customer.customer_id <> %(customer)s
order by 1
"""
"""Customers that are merged into one."""

LISTED = "select 1 from raw.erp_customers where customer_id = %s"

ACCEPTED = """
select decision_id, customer_id from ops.identity_decision
where account_id = %s and kind = 'accept' and undone_at is null
order by decision_id desc limit 1
"""

REJECTED = """
select decision_id from ops.identity_decision
where account_id = %s and customer_id = %s and kind = 'reject' and undone_at is null
order by decision_id desc limit 1
"""

APART = """
select decision_id from ops.identity_decision
where kind = 'apart' and undone_at is null
    and least(customer_id, into_customer_id) = least(%s::text, %s)
    and greatest(customer_id, into_customer_id) = greatest(%s::text, %s)
order by decision_id desc limit 1
"""


def is_listed(connection: psycopg.Connection, customer: str) -> bool:
    """Whether the ERP lists the customer number now."""
    return _one(connection, LISTED, customer) is not None


def check(connection: psycopg.Connection, decision: Decision) -> None:
    """Refuse a decision that says nothing, or the contrary of one that holds.

    Raises:
        UserError: With what holds now and what to do first.
    """
    if decision.kind in ("accept", "reject"):
        _check_account(connection, decision)
    elif decision.kind == "split":
        _check_split(connection, decision.customer_id)
    else:
        _check_pair(connection, decision)


def _check_account(connection: psycopg.Connection, decision: Decision) -> None:
    account, customer = decision.account_id, decision.customer_id
    rejected = _one(connection, REJECTED, account, customer)
    if rejected:
        _refuse(f"account {account} is rejected as customer {customer}", rejected[0])
    accepted = _one(connection, ACCEPTED, account)
    if accepted and (decision.kind == "accept" or accepted[1] == customer):
        _refuse(f"account {account} is accepted as customer {accepted[1]}", accepted[0])


def _check_split(connection: psycopg.Connection, customer: str) -> None:
    into, number = _merged_into(connection, customer)
    if into is not None:
        return
    if number is not None:
        _refuse(f"customer {customer} stands alone", number)
    parts = [part for (part,) in connection.execute(PARTS, {"customer": customer})]
    what_to_do = (
        f"merged into it: {', '.join(parts)}; split those"
        if parts
        else "there is nothing to split; check the number"
    )
    raise UserError(f"customer {customer} is not merged into another one; {what_to_do}")


def _check_pair(connection: psycopg.Connection, decision: Decision) -> None:
    """Two customers who are to be one, or two."""
    customer, into = decision.customer_id, str(decision.into)
    if customer == into:
        raise UserError(f"customer {into}: give two different customers")
    apart = _one(connection, APART, customer, into, customer, into)
    if apart:
        _refuse(f"customers {customer} and {into} are kept apart", apart[0])
    if decision.kind == "merge":
        _check_unmerged(connection, customer)
        if connection.execute(CHAIN, {"customer_id": customer, "into": into}).fetchone():
            _check_unmerged(connection, into, f"is itself merged into {customer}")
    elif _merged_into(connection, customer)[0] == into:
        _check_unmerged(connection, customer)
    elif _merged_into(connection, into)[0] == customer:
        _check_unmerged(connection, into)


def _check_unmerged(connection: psycopg.Connection, customer: str, how: str = "") -> None:
    into, number = _merged_into(connection, customer)
    if into is None:
        return
    holds = f"customer {customer} {how or f'is merged into {into}'}"
    if number is None:
        raise UserError(f"{holds}, as the ERP says; tiers match split {customer} first")
    _refuse(holds, number)


def _merged_into(connection: psycopg.Connection, customer: str) -> tuple[str | None, int | None]:
    """Into which other customer one is merged, and the decision that says so, or that it stands
    alone; no decision where the ERP says it."""
    if held := _one(connection, HELD, customer):
        number, kind, into = held
        return (into if kind == "merge" else None), number
    found = _one(connection, MERGED_BY_ERP, customer)
    return (found[0] if found else None), None


def _one(connection: psycopg.Connection, query: LiteralString, *values: str | None) -> tuple | None:
    return connection.execute(query, values).fetchone()


def _refuse(what_holds: str, number: int) -> None:
    raise UserError(f"{what_holds} by decision {number}; tiers match undo {number} first")
