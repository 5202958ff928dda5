"""A warehouse with an outbox and made-up candidates: who is told what, without dbt."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import yaml
from psycopg import sql

from customer_tiers import settings
from customer_tiers.outbox import claims, fill, hand_over

NIGHT = date(2026, 9, 30)

AUDIENCES = (
    "owner_id text, recipient_id text, role text, recipient_name text, channel text, "
    "address text, locale text"
)


def prepare(connection: psycopg.Connection) -> None:
    """Make the warehouse's own tables and empty candidates of the marts' columns."""
    schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
    connection.execute(schema.read_text("utf-8"))
    connection.execute("insert into ops.warehouse (source) values ('sample')")
    for mart in ("digest_recipient", "digest_item"):
        path = settings.DBT_PROJECT / "models" / "marts" / f"{mart}.yml"
        (model,) = yaml.safe_load(path.read_text("utf-8"))["models"]
        columns = ", ".join(f"{c['name']} {c['data_type']}" for c in model["columns"])
        connection.execute(f"create table candidate.{mart} ({columns})")
    connection.execute(f"create table candidate.int_audiences_found ({AUDIENCES})")
    connection.execute(
        "create table candidate.int_customers_described (customer_id text, owner_id text)"
    )


def tell(connection: psycopg.Connection, customer: str, owner: str, **values: Any) -> None:
    """Let an owner be told that a customer of theirs fell, or what `values` say."""
    known = {
        "business_date": NIGHT,
        "kind": "daily",
        "recipient_id": owner,
        "role": "owner",
        "customer_id": customer,
        "customer_name": f"Customer {customer}",
        "owner_id": owner,
        "owner_name": f"Owner {owner}",
        "topic": "tier_change",
        "cause": "own_change",
        "section": "main",
        "since": NIGHT,
        "amount_at_stake": Decimal("12300.10"),
        "customer_amount": Decimal("12300.10"),
        "customer_rank": 1,
        "is_shown": True,
        "from_tier": "major",
        "to_tier": "regular",
        "direction": "down",
        "reason_code": "contribution_down",
        "contribution_12m": Decimal("40000.40"),
        "contribution_12m_change": Decimal("-12300.10"),
    }
    row = known | values
    insert(connection, "digest_item", row)
    told = {name: row[name] for name in ("business_date", "kind", "recipient_id")}
    names = " and ".join(f"{name} = %({name})s" for name in told)
    if not connection.execute(
        f"select 1 from candidate.digest_recipient where {names}", told
    ).fetchone():
        person = {
            "role": row["role"],
            "recipient_name": f"Owner {row['recipient_id']}",
            "channel": "mail",
            "address": f"{row['recipient_id'].lower()}@example.com",
            "locale": "en",
            "period_from": row["business_date"],
            "period_until": row["business_date"],
        }
        insert(connection, "digest_recipient", told | person)


def insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    """Put a row into a candidate."""
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier("candidate", table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    connection.execute(statement, list(row.values()))


def publish(
    connection: psycopg.Connection,
    run_id: str = "r1",
    night: date = NIGHT,
    *,
    is_quiet: bool = False,
) -> int:
    """Write the publication and the outbox as publishing does; return the messages added."""
    with connection.transaction():
        connection.execute(
            "insert into bi.publication (run_id, source, business_date, status, is_stale, "
            "base_currency) values (%s, 'sample', %s, 'published', false, 'EUR') "
            "on conflict do nothing",
            [run_id, night],
        )
        hand_over.readdress(connection, night)
        return fill.enqueue(connection, run_id, night, is_quiet=is_quiet)


def owe(connection: psycopg.Connection, owner: str = "O1", **person: Any) -> str:
    """Put one message into the outbox and return its key; `person` changes its recipient."""
    connection.execute("truncate candidate.digest_item, candidate.digest_recipient")
    customer_name = person.pop("customer_name", "Nordwind GmbH")
    tell(connection, f"C-{owner}", owner, customer_name=customer_name)
    for name, value in person.items():
        connection.execute(
            sql.SQL("update candidate.digest_recipient set {} = %s").format(sql.Identifier(name)),
            [value],
        )
    from customer_tiers.digest import gather

    (digest,) = gather.digests(connection, None, NIGHT)
    fill.add(connection, digest)
    return digest.key


@contextmanager
def dying_sender(url: str) -> Iterator[psycopg.Connection]:
    """A sender whose session is over, also for the server, when the block ends."""
    with psycopg.connect(url, autocommit=True) as connection:
        claims.show_alive(connection)
        pid = connection.info.backend_pid
        yield connection
    with psycopg.connect(url, autocommit=True) as observer:
        while observer.execute("select from pg_stat_activity where pid = %s", [pid]).fetchone():
            time.sleep(0.01)
