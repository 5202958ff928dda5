"""Does everybody agree, and was nothing written that did not change?"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from customer_tiers import connections
from scale import rebuilt

FACTS = ("fct_sales_days", "fct_product_days", "int_tiers_decided")
UP_TO_FREIGHT = (
    "select customer_id, net_revenue_12m - cogs_12m - freight_12m "
    "from candidate.int_contributions_aggregated_to_windows"
)
WRITTEN_ANYWAY = ("bi.publication",)
"""The row that says that the night was published."""


def warehouse() -> psycopg.Connection:
    return psycopg.connect(connections.warehouse("sample"), autocommit=True)


def differing_from_rebuilt() -> dict[str, int]:
    """Rows that the incremental night and the full rebuild do not share, per table both have."""
    found = {}
    with warehouse() as connection:
        kept = connection.execute(
            "select key_id from candidate.int_inputs_remembered where kind = 'table' "
            "and key_id in (select tablename from pg_tables where schemaname = %s)",
            [rebuilt.SCHEMA],
        ).fetchall()
        for name in (*FACTS, *sorted(name for (name,) in kept)):
            ours, theirs = sql.Identifier("candidate", name), sql.Identifier(rebuilt.SCHEMA, name)
            query = sql.SQL(
                "select (select count(*) from (select * from {0} except all select * from {1}) a)"
                " + (select count(*) from (select * from {1} except all select * from {0}) b)"
            ).format(ours, theirs)
            [(found[name],)] = connection.execute(query).fetchall()
    return found


def differing(query: str, file: Path) -> dict[str, Any]:
    """Keys whose value in a peer's CSV file is not ours, and by how much at most if it is money."""
    with warehouse() as connection:
        ours = dict(connection.execute(query).fetchall())
    with file.open(newline="") as stream:
        theirs = dict(csv.reader(stream))
    largest, count = Decimal(0), len(ours.keys() ^ theirs.keys())
    for key in ours.keys() & theirs.keys():
        if isinstance(ours[key], Decimal):
            gap = abs(ours[key] - Decimal(theirs[key])).quantize(Decimal("0.01"))
            largest = max(largest, gap)
            count += gap > 0
        else:
            count += ours[key] != theirs[key]
    return {"customers": len(ours), "differing": count, "largest": float(largest)}


def moment() -> int:
    """The newest transaction so far."""
    with warehouse() as connection:
        [(xid,)] = connection.execute("select pg_current_xact_id()::text::bigint").fetchall()
    return int(xid)


def rewritten_since(xid: int) -> dict[str, int]:
    """Rows of raw, bi and the facts that a later transaction has written, per table."""
    with warehouse() as connection:
        names = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('raw', 'bi') "
            "or schemaname = 'candidate' and tablename like 'fct%'"
        ).fetchall()
        found = {}
        for schema, name in names:
            query = sql.SQL("select count(*) from {} where xmin::text::bigint > %s").format(
                sql.Identifier(schema, name)
            )
            [(count,)] = connection.execute(query, [xid]).fetchall()
            if count and f"{schema}.{name}" not in WRITTEN_ANYWAY:
                found[f"{schema}.{name}"] = count
    return found
