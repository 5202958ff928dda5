"""Bring one table of `bi` up to its candidate, writing only rows that differ.

`bi` tables are made once and never dropped, so that views and grants of BI users live on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.errors import UserError
from customer_tiers.publish.tables import Published

BY_SEVERAL = "set local parallel_tuple_cost = 0"
"""A planner takes nearly all rows for different, and so too many for its workers to hand over."""

INSERT_ALL = """
    insert into {bi} ({columns})
    select {candidate_columns} from {candidate} as candidate
    where not exists (select 1 from {bi} where {in_scope})
"""
"""Nothing to compare with: the first publication, or that of a night's own rows."""

DIFFERING = """
    create temporary table differing on commit drop as
    select {keys}, candidate.{first} is null as is_gone, bi.{first} is null as is_new
    from (select * from {bi} where {in_scope}) as bi
    full join {candidate} as candidate on {bi_is_candidate}
    where ({bi_columns}) is distinct from ({candidate_columns})
"""

WRITE = (
    "delete from {bi} as bi using differing where differing.is_gone and {bi_differs}",
    "update {bi} as bi set {assignments} from differing, {candidate} as candidate "
    "where {bi_differs} and {candidate_differs}",
    "insert into {bi} ({columns}) select {candidate_columns} from {candidate} as candidate "
    "inner join differing on {candidate_differs} where differing.is_new",
)
"""From `differing` into the published table; a row that is gone or new is no row to update."""


@stopwatch.part("difference")
def bring_up(connection: psycopg.Connection, table: Published, business_date: date) -> int:
    """Delete, update and insert what differs from the candidate; return the rows written.

    Both are compared once, whole; what follows reads the rows that differ, mostly few or none. A
    table, or a night in one, that has no rows yet takes all of them.
    """
    _ensure(connection, table)
    columns = [name for name, _ in _columns(connection, "candidate", table.name)]
    parts = _parts(table, columns, business_date)
    written = connection.execute(sql.SQL(INSERT_ALL).format(**parts)).rowcount
    if written:
        return written
    connection.execute(BY_SEVERAL)
    if connection.execute(sql.SQL(DIFFERING).format(**parts)).rowcount:
        for statement in WRITE:
            written += connection.execute(sql.SQL(statement).format(**parts)).rowcount
    connection.execute("drop table differing")
    return written


def _parts(table: Published, columns: list[str], business_date: date) -> dict[str, sql.Composable]:
    """What the statements above ask for, by name."""
    return {
        "bi": sql.Identifier("bi", table.name),
        "candidate": sql.Identifier("candidate", table.name),
        "keys": _listed(
            [
                sql.SQL("coalesce({0}, {1}) as {2}").format(
                    sql.Identifier("bi", k), sql.Identifier("candidate", k), sql.Identifier(k)
                )
                for k in table.key
            ]
        ),
        "first": sql.Identifier(table.key[0]),
        "bi_is_candidate": _same(table.key, "bi", "candidate"),
        "bi_differs": _same(table.key, "bi", "differing"),
        "candidate_differs": _same(table.key, "candidate", "differing"),
        "columns": _listed(_named(columns)),
        "bi_columns": _listed(_named(columns, "bi")),
        "candidate_columns": _listed(_named(columns, "candidate")),
        "assignments": _listed(
            [
                sql.SQL("{} = {}").format(sql.Identifier(c), sql.Identifier("candidate", c))
                for c in columns
                if c not in table.key
            ]
        ),
        "in_scope": sql.SQL("true")
        if table.scope == "current"
        else sql.SQL("business_date = {}").format(sql.Literal(business_date)),
    }


def _ensure(connection: psycopg.Connection, table: Published) -> None:
    """Create the table like its candidate, add columns it gained, carry the descriptions over."""
    connection.execute(
        sql.SQL("create table if not exists {bi} (like {candidate}, primary key ({key}))").format(
            bi=sql.Identifier("bi", table.name),
            candidate=sql.Identifier("candidate", table.name),
            key=_listed(_named(list(table.key))),
        )
    )
    there = dict(_columns(connection, "bi", table.name))
    wanted = dict(_columns(connection, "candidate", table.name))
    for name, kind in wanted.items():
        if name not in there:
            connection.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    sql.Identifier("bi", table.name),
                    sql.Identifier(name),
                    sql.SQL(kind),  # type: ignore[arg-type]
                )
            )
    for name, kind in there.items():
        if wanted.get(name) != kind:
            raise UserError(
                f"bi.{table.name}, column {name}: published as {kind}, but the candidate has "
                f"{wanted.get(name, 'no such column')}; publish a new table beside the old one"
            )
    _describe(connection, table.name)


def _describe(connection: psycopg.Connection, name: str) -> None:
    """Copy the descriptions of the candidate that differ from those of the published table."""
    rows = connection.execute(
        """
        select attribute.attname, fresh.description
        from pg_description as fresh
        left join pg_attribute as attribute
            on attribute.attrelid = fresh.objoid and attribute.attnum = fresh.objsubid
            and fresh.objsubid > 0
        left join pg_attribute as published
            on published.attrelid = %(bi)s::regclass and published.attname = attribute.attname
        left join pg_description as old
            on old.objoid = %(bi)s::regclass and old.classoid = 'pg_class'::regclass
            and old.objsubid = coalesce(published.attnum, 0)
        where fresh.objoid = %(candidate)s::regclass and fresh.classoid = 'pg_class'::regclass
            and fresh.description is distinct from old.description
        """,
        {"bi": f"bi.{name}", "candidate": f"candidate.{name}"},
    ).fetchall()
    for column, description in rows:
        target = sql.SQL("table {}").format(sql.Identifier("bi", name))
        if column is not None:
            target = sql.SQL("column {}").format(sql.Identifier("bi", name, column))
        connection.execute(sql.SQL("comment on {} is {}").format(target, sql.Literal(description)))


def _columns(connection: psycopg.Connection, schema: str, table: str) -> list[tuple[str, str]]:
    """Name and type of each column, in order."""
    return connection.execute(
        """
        select attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)
        from pg_attribute as attribute
        join pg_class as relation on relation.oid = attribute.attrelid
        join pg_namespace as namespace on namespace.oid = relation.relnamespace
        where namespace.nspname = %s and relation.relname = %s
            and attribute.attnum > 0 and not attribute.attisdropped
        order by attribute.attnum
        """,
        [schema, table],
    ).fetchall()


def _named(names: list[str], table: str | None = None) -> list[sql.Identifier]:
    return [sql.Identifier(table, name) if table else sql.Identifier(name) for name in names]


def _listed(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _same(key: tuple[str, ...], one: str, other: str) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, k), sql.Identifier(other, k)) for k in key
    )
