"""Small looks into the stage and raw tables that more than one step of a check needs."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.quality.predicates import bad_rows, can_find_rows
from customer_tiers.quality.rules import Rule

LONGEST_KEY = 200
"""Characters of a row's key that we show and index; a longer one is cut and ends in a hash."""


def identifier(table: str) -> sql.Identifier:
    """Return `schema.table` as a quoted name."""
    return sql.Identifier(*table.split("."))


def offered_table(entity: Entity) -> str:
    """The table that says which stage rows were offered again from quarantine."""
    return f"stage.{entity.table}__offered"


def row_key(key: tuple[str, ...], alias: str) -> sql.Composable:
    """Return SQL of a row's key as one text, null when a part is null."""
    parts = [
        sql.SQL("replace(({})::text, '|', '\\|')").format(sql.Identifier(alias, name))
        for name in key
    ]
    joined = sql.SQL(" || '|' || ").join(parts)
    return sql.SQL(
        "case when length({joined}) > {most} then left({joined}, {most}) || '#' || md5({joined}) "
        "else {joined} end"
    ).format(joined=joined, most=sql.Literal(LONGEST_KEY))


def as_json(alias: str) -> sql.Composable:
    """Return SQL of a stage row as jsonb; of what the contract does not know only if it is there,
    so that a row has one form whether or not its table has the column."""
    return sql.SQL("to_jsonb({row}) - case when {column} is null then {name} else '' end").format(
        row=sql.Identifier(alias),
        column=sql.Identifier(alias, UNKNOWN),
        name=sql.Literal(UNKNOWN),
    )


def scalar(connection: psycopg.Connection, statement: sql.Composed) -> Any:
    """Return the one value of a query that returns one row."""
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def count(connection: psycopg.Connection, table: str) -> int:
    """Count a table's rows."""
    return int(scalar(connection, sql.SQL("select count(*) from {}").format(identifier(table))))


def exists(connection: psycopg.Connection, table: str) -> bool:
    """Whether there is such a table."""
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def offered(connection: psycopg.Connection, entity: Entity) -> int:
    """Count the stage rows that came from quarantine."""
    table = offered_table(entity)
    return count(connection, table) if exists(connection, table) else 0


def key_index(connection: psycopg.Connection, table: str) -> str | None:
    """Name of the unique index that proves a stage table to hold each key once, if it has one."""
    row = connection.execute(
        "select indexrelid::regclass::text from pg_index "
        "where indrelid = to_regclass(%s) and indisunique",
        [table],
    ).fetchone()
    return str(row[0]).rpartition(".")[2] if row else None


def unique_columns(connection: psycopg.Connection, table: str) -> list[frozenset[str]]:
    """Columns that an index proves to be unique together in the table, one set per index."""
    found = connection.execute(
        "select array_agg(attname::text) from pg_index "
        "inner join pg_attribute on attrelid = indrelid and attnum = any(indkey) "
        "where indrelid = to_regclass(%s) and indisunique and indisvalid "
        "and indpred is null and indexprs is null and indnatts = indnkeyatts "
        "group by indexrelid",
        [table],
    )
    return [frozenset(names) for (names,) in found]


def index_key(connection: psycopg.Connection, entity: Entity, stage_table: str) -> bool:
    """Give the stage table a unique index on its key; say whether it could.

    It cannot where a key is there twice, or is too long to be one.
    """
    statement = sql.SQL("create unique index on {} ({})").format(
        identifier(stage_table), sql.SQL(", ").join(map(sql.Identifier, entity.key))
    )
    try:
        with connection.transaction():
            connection.execute(statement)
    except (psycopg.errors.UniqueViolation, psycopg.errors.ProgramLimitExceeded):
        return False
    return True


def known(connection: psycopg.Connection, entity: Entity) -> str:
    """Return SQL of the entity's rows that tonight's run knows: in raw, or staged before it.

    The staged rows count because an entity is checked before its sisters are loaded; the table is
    missing if the source does not deliver the entity.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, entity.column_names))
    query = sql.SQL("select {} from {}").format(columns, sql.Identifier("raw", entity.table))
    if exists(connection, f"stage.{entity.table}"):
        query += sql.SQL(" union all select {} from {}").format(
            columns, sql.Identifier("stage", entity.table)
        )
    return f"({query.as_string(None)})"


SHOWN = sql.SQL(
    "case when pg_typeof({value}) = 'numeric'::regtype and {value}::text like '%.%' "
    "then rtrim(rtrim({value}::text, '0'), '.') else {value}::text end"
)
"""A value as a message shows it: as text, for Python has no infinite day, and without zeros at the
end of an amount that is held to a millionth."""


def example(
    connection: psycopg.Connection, key: tuple[str, ...], rule: Rule, table: str
) -> str | None:
    """Return the key of one row that breaks the rule, with the values that the rule shows.

    None if its rows cannot be found.
    """
    if can_find_rows(rule):
        return None
    shown = [SHOWN.format(value=sql.Identifier("subselect", name)) for name in rule.shows]
    row = connection.execute(
        sql.SQL("select {columns} from {table} as subselect where {bad} limit 1").format(
            columns=sql.SQL(", ").join([row_key(key, "subselect"), *shown]),
            table=identifier(table),
            bad=bad_rows(rule, identifier(table)),
        )
    ).fetchone()
    name, *values = row or (None,)
    name = name or "a row without a key"
    if not rule.shows:
        return str(name)
    pairs = zip(rule.shows, values, strict=True)
    return f"{name} ({', '.join(f'{column} {_text(value)}' for column, value in pairs)})"


def _text(value: Any) -> str:
    return "empty" if value is None else str(value)[:LONGEST_KEY]


def bad_and_offered(connection: psycopg.Connection, entity: Entity, rule: Rule, table: str) -> int:
    """Count the rows that break the rule and were offered again from quarantine."""
    return int(
        scalar(
            connection,
            sql.SQL(
                "select count(*) from {table} as subselect "
                "where subselect.ctid in (select row_at from {offered}) and {bad}"
            ).format(
                table=identifier(table),
                offered=identifier(offered_table(entity)),
                bad=bad_rows(rule, identifier(table)),
            ),
        )
    )
