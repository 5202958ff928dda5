"""Bring one table of `bi` up to its candidate, writing only rows that differ.

`bi` tables are made once and never dropped, so that views and grants of BI users live on.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql

from customer_tiers import stopwatch
from customer_tiers.errors import UserError
from customer_tiers.publish.tables import Published


@stopwatch.part("difference")
def bring_up(connection: psycopg.Connection, table: Published, business_date: date) -> int:
    """Delete, update and insert what differs from the candidate; return the rows written."""
    _ensure(connection, table)
    columns = [name for name, _ in _columns(connection, "candidate", table.name)]
    others = [name for name in columns if name not in table.key]
    parts = {
        "bi": sql.Identifier("bi", table.name),
        "candidate": sql.Identifier("candidate", table.name),
        "same_key": sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier("bi", k), sql.Identifier("candidate", k))
            for k in table.key
        ),
        "columns": _listed(columns),
        "candidate_columns": _listed(columns, "candidate"),
        "bi_others": _listed(others, "bi"),
        "candidate_others": _listed(others, "candidate"),
        "assignments": sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(c), sql.Identifier("candidate", c))
            for c in others
        ),
        "in_scope": sql.SQL("true")
        if table.scope == "current"
        else sql.SQL("bi.business_date = {}").format(sql.Literal(business_date)),
    }
    written = 0
    for statement in (
        "delete from {bi} as bi where {in_scope} and not exists "
        "(select 1 from {candidate} as candidate where {same_key})",
        "update {bi} as bi set {assignments} from {candidate} as candidate "
        "where {same_key} and ({bi_others}) is distinct from ({candidate_others})",
        "insert into {bi} ({columns}) select {candidate_columns} from {candidate} as candidate "
        "where not exists (select 1 from {bi} as bi where {same_key})",
    ):
        written += connection.execute(sql.SQL(statement).format(**parts)).rowcount
    return written


def _ensure(connection: psycopg.Connection, table: Published) -> None:
    """Create the table like its candidate, add columns it gained, carry the descriptions over."""
    connection.execute(
        sql.SQL("create table if not exists {bi} (like {candidate}, primary key ({key}))").format(
            bi=sql.Identifier("bi", table.name),
            candidate=sql.Identifier("candidate", table.name),
            key=_listed(list(table.key)),
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


def _listed(names: list[str], table: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Identifier(table, name) if table else sql.Identifier(name) for name in names
    )
