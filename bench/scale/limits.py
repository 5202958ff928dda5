"""The limits that a step of ours is held against: bare COPY, and GX's checks as one aggregate."""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

from customer_tiers import connections, contract
from customer_tiers.quality import check, predicates, suites
from scale import duck

LINES = "erp.invoice_lines"


def bare_copy() -> dict[str, float]:
    """Seconds per entity to pipe a source's SELECT into an unlogged table without indexes."""
    seconds = {}
    with psycopg.connect(connections.warehouse("sample"), autocommit=True) as warehouse:
        for name, (url, select, _) in duck.extracts(None).items():
            entity = contract.load().entities[name]
            warehouse.execute("drop table if exists stage.bare")
            warehouse.execute(
                sql.SQL("create unlogged table stage.bare as select * from raw.{} limit 0").format(
                    sql.Identifier(entity.table)
                )
            )
            with psycopg.connect(url) as source, source.cursor() as reader:
                reader.execute(f"select * from ({select}) as s limit 0")
                columns = [column.name for column in reader.description or ()]
                into = sql.SQL("copy stage.bare ({}) from stdin").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns))
                )
                started = time.perf_counter()
                with (
                    reader.copy(f"copy ({select}) to stdout") as copy,
                    warehouse.cursor().copy(into) as target,
                ):
                    for block in copy:
                        target.write(block)
                seconds[name] = time.perf_counter() - started
        warehouse.execute("drop table stage.bare")
    return seconds


def aggregate(day: object) -> tuple[float, int]:
    """Seconds and number of rules of GX's suite over all invoice lines, as one SELECT by hand."""
    entity = contract.load().entities[LINES]
    suite = suites.of_entity(entity)
    table = f"raw.{entity.table}"
    with psycopg.connect(connections.warehouse("sample"), autocommit=True) as warehouse:
        given = {**suite.parameters, **check.parameters_of(latest_date=day)}
        rules = [
            rule
            for rule in check._resolved(warehouse, suite, table, given)
            if predicates.can_find_rows(rule) is None
        ]
        counts = [
            sql.SQL("count(*) filter (where {})").format(
                predicates.bad_rows(rule, sql.Identifier("raw", entity.table))
            )
            for rule in rules
        ]
        statement = sql.SQL("select {} from {} as subselect").format(
            sql.SQL(", ").join(counts), sql.Identifier("raw", entity.table)
        )
        started = time.perf_counter()
        warehouse.execute(statement).fetchall()
        return time.perf_counter() - started, len(rules)
