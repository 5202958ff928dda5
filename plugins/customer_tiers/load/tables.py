"""The tables that the contract asks for in the schemas `stage` and `raw`."""

from __future__ import annotations

from importlib.resources import files

import psycopg
from psycopg import sql

from customer_tiers.contract import UNKNOWN, Contract, Entity
from customer_tiers.errors import UserError
from customer_tiers.quality import rows

EXTRA_INDEXES: dict[str, dict[str, str]] = {
    "erp.invoice_lines": {
        "day": "(invoice_date, customer_id)",
        "original": "(original_invoice_id) where original_invoice_id is not null",
        "customer_credit": "(customer_id) where document_type = 'credit_note'",
    },
    "erp.receivables": {"customer": "(customer_id)"},
    "crm.activities": {"account": "(account_id)"},
    "crm.cases": {"account": "(account_id)"},
}
"""Indexes besides the key, by entity and name: how the facts find the lines of a dirty day."""

ROOM = sql.SQL("fillfactor = 95")
"""Room for a changed row in the page of the old one: no index has to learn of it then."""


def prepare(connection: psycopg.Connection, contract: Contract, source: str) -> None:
    """Bring the warehouse's own tables into shape and make sure it holds this company.

    Raises:
        UserError: The warehouse holds another company, or its user may not create schemas.
    """
    connection.execute("select pg_advisory_xact_lock(hashtextextended('customer_tiers.ddl', 0))")
    schema = files("customer_tiers").joinpath("warehouse_schema.sql").read_text(encoding="utf-8")
    try:
        connection.execute(schema)  # type: ignore[call-overload]
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(
            f"warehouse: {error.diag.message_primary}; have an administrator run: grant create on "
            f"database {connection.info.dbname} to {connection.info.user}"
        ) from None
    connection.execute(
        "insert into ops.warehouse (source) values (%s) on conflict do nothing", [source]
    )
    check_company(connection, source)
    create_raw(connection, contract)


def is_prepared(connection: psycopg.Connection) -> bool:
    """Whether the warehouse has its tables."""
    row = connection.execute("select to_regclass('ops.warehouse') is not null").fetchone()
    return bool(row and row[0])


def check_company(connection: psycopg.Connection, source: str) -> None:
    """Make sure that the warehouse, if it has its tables, holds this company.

    Raises:
        UserError: It holds another one.
    """
    if not is_prepared(connection):
        return
    held = connection.execute("select source from ops.warehouse").fetchone()
    if held and held[0] != source:
        raise UserError(
            f"the warehouse holds the company of source {held[0]!r}, not {source!r}; "
            "a warehouse holds one company: point AIRFLOW_CONN_WAREHOUSE to another database"
        )


def create_raw(connection: psycopg.Connection, contract: Contract) -> None:
    """Create the raw tables there are not yet; add columns that the contract gained."""
    for entity in contract.entities.values():
        table = sql.Identifier("raw", entity.table)
        columns = [
            *_columns(entity),
            sql.SQL("_run_id text not null"),
            sql.SQL("_loaded_at timestamptz not null default clock_timestamp()"),
            sql.SQL("primary key ({})").format(_list(entity.key)),
        ]
        connection.execute(
            sql.SQL("create table if not exists {} ({}) with ({})").format(
                table, sql.SQL(", ").join(columns), ROOM
            )
        )
        for definition in _columns(entity):
            connection.execute(
                sql.SQL("alter table {} add column if not exists {}").format(table, definition)
            )
        create_indexes(connection, entity)


def create_indexes(connection: psycopg.Connection, entity: Entity, schema: str = "raw") -> None:
    """Create the raw table's indexes besides the key, if they are not there, on it or on a stage
    table that is to become it."""
    for name, definition in EXTRA_INDEXES.get(entity.name, {}).items():
        connection.execute(
            sql.SQL("create index if not exists {} on {} {}").format(
                sql.Identifier(f"{entity.table}_{name}"),
                sql.Identifier(schema, entity.table),
                sql.SQL(definition),  # type: ignore[arg-type]
            )
        )


def has_rows(connection: psycopg.Connection, entity: Entity) -> bool:
    """Whether there is any row of the entity in raw."""
    row = connection.execute(
        sql.SQL("select exists (select from {})").format(sql.Identifier("raw", entity.table))
    ).fetchone()
    return bool(row and row[0])


def create_stage(
    connection: psycopg.Connection, entity: Entity, *, may_become_raw: bool = False
) -> str:
    """Create the entity's empty stage table anew and return its name.

    It has the contract's columns without constraints, and is unlogged: a crash may lose it, since
    the next run reads the source again. Only one that may become the raw table is kept safe.
    """
    kind = sql.SQL("table" if may_become_raw else "unlogged table")
    table = sql.Identifier("stage", entity.table)
    connection.execute(sql.SQL("drop table if exists {}").format(table))
    connection.execute(
        sql.SQL("create {} {} ({}) with ({})").format(
            kind, table, sql.SQL(", ").join(_columns(entity)), ROOM
        )
    )
    return f"stage.{entity.table}"


def drop_stage(connection: psycopg.Connection, entity: Entity) -> None:
    """Drop the stage table, of which raw or quarantine now hold every row."""
    for table in (f"stage.{entity.table}", rows.offered_table(entity)):
        connection.execute(sql.SQL("drop table if exists {}").format(rows.identifier(table)))


def _columns(entity: Entity) -> list[sql.Composed]:
    """Name and type of the contract's columns, in its order, and of what it does not know."""
    return [
        *(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type))  # type: ignore[arg-type]
            for column in entity.columns
        ),
        sql.SQL("{} jsonb").format(sql.Identifier(UNKNOWN)),
    ]


def _list(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
