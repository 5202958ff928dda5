"""Bring keys and evidence up to the records in raw, before dbt decides who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from customer_tiers import stopwatch
from customer_tiers.identity import blocks, compare, former, names
from customer_tiers.identity.blocks import Index
from customer_tiers.identity.records import record

KEYS = """
insert into ops.customer_key (system, record_id, first_run_id)
select found.system, found.record_id, %(run_id)s
from (
    select 'erp' as system, customer_id as record_id from raw.erp_customers
    union all
    select 'crm', account_id from raw.crm_accounts
) as found
where not exists (
    select from ops.customer_key as held
    where held.system = found.system and held.record_id = found.record_id
)
order by found.system, found.record_id
"""
"""A record keeps its key for good; numbers are not wasted on rows that have one."""

STATE = """
select concat_ws(' ', %(version)s::text, customers, accounts, decisions)
from
    (select count(*) || ' ' || coalesce(max(_loaded_at)::text, '') as customers
     from raw.erp_customers) as c,
    (select count(*) || ' ' || coalesce(max(_loaded_at)::text, '') as accounts
     from raw.crm_accounts) as a,
    (select count(*) || ' ' || count(undone_at) as decisions from ops.identity_decision) as d
"""

CUSTOMERS = """
select
    customer_id as record_id, name, tax_id, domain, phone, address, postal_code, city, country
from raw.erp_customers
where merged_into_id is null and coalesce(status, 'active') <> 'internal'
order by customer_id
"""

MERGED = """
with recursive chain as (
    select customer_id, merged_into_id from raw.erp_customers where merged_into_id is not null
    union  -- a pair comes once, so that a circle of merges ends
    select chain.customer_id, target.merged_into_id
    from chain
    inner join raw.erp_customers as target on target.customer_id = chain.merged_into_id
    where target.merged_into_id is not null
)

select
    customer_id as record_id, name, tax_id, domain, phone, address, postal_code, city, country
from raw.erp_customers as old
where
    merged_into_id is not null and coalesce(status, 'active') <> 'internal'
    and not exists (
        select from chain
        inner join raw.erp_customers as target on target.customer_id = chain.merged_into_id
        where chain.customer_id = old.customer_id and target.status = 'internal'
    )
order by customer_id
"""
"""What the ERP merged away: the CRM may know a customer as it was before, and the models bring
evidence of an old record to who is left of it."""

ACCOUNTS = """
with written as (
    select
        'erp' as side, customer_id as record_id, customer_id as reference, tax_id
    from raw.erp_customers
    union all
    select 'crm', account_id, erp_customer_id, tax_id from raw.crm_accounts
    where merged_into_id is null
),
keys as materialized (
    select
        side, record_id, reference,
        upper(trim(translate(reference, %(wide)s, %(plain)s))) as reference_key,
        regexp_replace(regexp_replace(
            regexp_replace(
                upper(translate(tax_id, %(wide)s, %(plain)s)), '[^[:alnum:]]', '', 'g'
            ), %(label)s, ''), %(label_behind)s, '') as tax_key
    from written
),
tied as (
    -- sub-selects are hashed; as joins, which are thought to find one row, they were looped
    select record_id from keys
    where side = 'crm' and (
        reference in (select customer_id from raw.erp_customers)
        or reference_key in (
            select reference_key from keys
            where side = 'erp' and reference_key <> '' group by 1 having count(*) = 1
        )
        or tax_key in (
            select tax_key from keys
            where side = 'erp'
                and length(tax_key) - length(translate(tax_key, '0123456789', '')) >= 5
            group by 1 having count(*) = 1
        )
    )
)

select
    account.account_id as record_id, account.name, account.tax_id, account.domain, account.phone,
    account.address, account.postal_code, account.city, account.country
from raw.crm_accounts as account
where account.merged_into_id is null and (
    account.account_id not in (select record_id from tied)
    or exists (
        select from ops.identity_decision as decision
        where decision.account_id = account.account_id and decision.kind = 'reject'
            and decision.undone_at is null
    )
)
order by account.account_id
"""
"""Accounts that neither a reference nor a tax number of one customer ties to a customer.

At most those that int_accounts_matched ties are left out, by the same spelling; one more that is
compared does no harm, one less would be in no list.
"""

SPELLING = {
    "wide": names.WIDE,
    "plain": names.PLAIN,
    "label": names.LABEL,
    "label_behind": names.LABEL_BEHIND,
}

VERSION = 3
"""Raise it when `compare` measures differently, so that everything is compared again."""


@stopwatch.part("identity")
def bring_up(connection: psycopg.Connection, run_id: str) -> str:
    """Give new records a key, and compare records if any has changed since the last time.

    Args:
        connection: To the warehouse, in autocommit mode.
        run_id: The run.

    Returns:
        A line that says how many pairs were found.
    """
    with connection.transaction():
        connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('customer_tiers.identity', 0))"
        )
        keys = connection.execute(KEYS, {"run_id": run_id}).rowcount
        [(state,)] = connection.execute(STATE, {"version": VERSION}).fetchall()
        [(before,)] = connection.execute("select max(compared) from ops.match_state").fetchall()
        if state == before:
            return f"identity: {keys} new keys, records as compared before"
        # all rows of a cursor are read: planned for the first ones, keys of accounts were looped
        connection.execute("set local cursor_tuple_fraction = 1")
        former.remember(connection)
        connection.execute("delete from ops.match_evidence")
        customers, accounts, written = _compare(connection)
        connection.execute(
            "insert into ops.match_state (compared) values (%s) "
            "on conflict (only_row) do update set compared = excluded.compared",
            [state],
        )
    return (
        f"identity: {keys} new keys, {accounts} accounts compared with "
        f"{customers} customers, {written} pieces of evidence"
    )


def _compare(connection: psycopg.Connection) -> tuple[int, int, int]:
    """Write what speaks for records being one; return customers, accounts and pieces of evidence.

    All customers are held, and of the accounts a part at a time. Two customers of one ERP are
    looked at closely only if a whole name, number, domain, telephone or house is the same: a wrong
    suspicion costs a person time. What the ERP merged away is evidence for accounts only, and does
    not make what it shares with who is left of it common.
    """
    customers = [row for part in _parts(connection, CUSTOMERS) for row in map(record, part)]
    common = blocks.shared(value for row in customers for value in (row.domain, row.phone))
    blocks.forget(customers, common)
    index = Index(customers, blocks.strong_keys)
    written = _copy(connection, "duplicate", compare.within(index))
    written += _copy(connection, "renumbered", list(former.evidence(connection, common)))
    common |= blocks.shared(
        value
        for part in _parts(connection, ACCOUNTS, SPELLING)
        for row in part
        for value in (names.domain_key(row["domain"]), names.phone_key(row["phone"]))
    )
    customers += [row for part in _parts(connection, MERGED) for row in map(record, part)]
    blocks.forget(customers, common)
    index = Index(customers, blocks.keys)
    compared = 0
    for part in _parts(connection, ACCOUNTS, SPELLING):
        accounts = [record(row) for row in part]
        blocks.forget(accounts, common)
        written += _copy(connection, "account", compare.between(accounts, index))
        compared += len(accounts)
    return len(customers), compared, written


def _parts(
    connection: psycopg.Connection, query: LiteralString, values: dict[str, str] | None = None
) -> Iterator[list[dict[str, str | None]]]:
    """Read rows in parts; the connection is free while one of them is worked on."""
    with connection.cursor("records", row_factory=dict_row) as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(blocks.PART):
            yield rows


def _copy(
    connection: psycopg.Connection, pair_kind: str, evidence: Iterable[compare.Evidence]
) -> int:
    statement = sql.SQL(
        "copy ops.match_evidence (pair_kind, record_id, customer_id, evidence, value) from stdin"
    )
    rows = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in evidence:
            copy.write_row((pair_kind, *row))
            rows += 1
    return rows
