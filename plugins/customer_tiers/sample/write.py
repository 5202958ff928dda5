"""Puts rows into a database: whole tables with COPY, changed rows with COPY and one upsert."""

from __future__ import annotations

import io
from importlib import resources
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from customer_tiers.errors import UserError
from customer_tiers.sample.rows import NEVER, NONE, Array, Rows, length
from customer_tiers.sample.tables import CRM, ERP, Table

_SCALE = {"cents": 100, "signed": 100, "milli": 1_000, "e4": 10_000, "micro": 1_000_000}
_SECONDS_NEVER = NEVER * 86_400
_EXTRA = {"erp": ("sample_company", "payment_term", "article_family"), "crm": ()}
_INDEXED_ALSO = {"sales_document_line": ("origin_document_no",), "account": ("erp_no",)}
SYSTEMS: dict[str, dict[str, Table]] = {"erp": ERP, "crm": CRM}


def connect(url: str) -> psycopg.Connection[Any]:
    """Connect with UTC as the time zone; the caller's `with` block is one transaction.

    Raises:
        UserError: The database cannot be reached.
    """
    try:
        return psycopg.connect(url, options="-c timezone=UTC -c synchronous_commit=off")
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1].split("FATAL:")[-1].strip()
        raise UserError(
            f"sample company: cannot connect to its databases: {reason}; start them with "
            "`tiers up`, or unset AIRFLOW_CONN_ERP and AIRFLOW_CONN_CRM"
        ) from None


def recreate(connection: psycopg.Connection[Any], system: str) -> None:
    """Drop and create one system's empty tables; refuse a database that holds anything else."""
    ours = [*SYSTEMS[system], *_EXTRA[system]]
    found = connection.execute(
        "select tablename from pg_tables where schemaname = 'public' order by 1"
    ).fetchall()
    foreign = sorted({name for (name,) in found} - set(ours))
    if foreign:
        raise UserError(
            f"sample company: database {connection.info.dbname} holds the table {foreign[0]}, which"
            f" is not of the sample {system.upper()}; give an empty database"
        )
    for name in ours:
        connection.execute(sql.SQL("drop table if exists {}").format(_identifier(name)))
    connection.execute("drop schema if exists truth")
    text = resources.files("customer_tiers.sample").joinpath(f"{system}_tables.sql").read_text()
    connection.execute(text.encode())


def finish(connection: psycopg.Connection[Any], system: str) -> None:
    """Add keys, indexes (on the change timestamps above all) and statistics to filled tables."""
    for name, table in SYSTEMS[system].items():
        target = _identifier(name)
        if name != "ledger_total":  # has its key from the start, because its rows are added up
            keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
            connection.execute(sql.SQL("alter table {} add primary key ({})").format(target, keys))
        for column in (*_INDEXED_ALSO.get(name, ()), "changed_at"):
            if column in table.columns:
                on = sql.SQL("create index on {} ({})").format(target, sql.Identifier(column))
                connection.execute(on)
        connection.execute(sql.SQL("analyze {}").format(target))


def insert(connection: psycopg.Connection[Any], system: str, name: str, rows: Rows) -> int:
    """Copy rows into a table; return how many."""
    table = SYSTEMS[system][name]
    _copy(connection, _identifier(name), table, rows)
    return length(rows)


def upsert(connection: psycopg.Connection[Any], system: str, name: str, rows: Rows) -> int:
    """Insert new rows and update those whose key is there; return how many."""
    if length(rows) == 0:
        return 0
    table = SYSTEMS[system][name]
    arriving = sql.Identifier("arriving")
    _stage(connection, name)
    _copy(connection, arriving, table, rows)
    others = [column for column in table.columns if column not in table.key]
    statement = sql.SQL(
        "insert into {} ({columns}) select {columns} from {}"
        " on conflict ({keys}) do update set {sets}"
    ).format(
        _identifier(name),
        arriving,
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        keys=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        sets=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in others
        ),
    )
    connection.execute(statement)
    return length(rows)


def add_to_ledger(connection: psycopg.Connection[Any], rows: Rows) -> None:
    """Add amounts to the ledger's totals; a month without a total gets one."""
    if length(rows) == 0:
        return
    _stage(connection, "ledger_total")
    _copy(connection, sql.Identifier("arriving"), ERP["ledger_total"], rows)
    connection.execute("""
        insert into ledger_total (month_start, account_no, balance, changed_at)
        select month_start, account_no, balance, changed_at from arriving
        on conflict (month_start, account_no) do update set
            balance = ledger_total.balance + excluded.balance,
            changed_at = greatest(ledger_total.changed_at, excluded.changed_at)
    """)


def _stage(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute("drop table if exists pg_temp.arriving")
    connection.execute(
        sql.SQL("create temporary table arriving (like {}) on commit drop").format(
            _identifier(name)
        )
    )


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _copy(
    connection: psycopg.Connection[Any], target: sql.Identifier, table: Table, rows: Rows
) -> None:
    arrays = [_arrow(rows[column], unit) for column, unit in table.columns.items()]
    buffer = io.BytesIO()
    batch = pa.table(arrays, names=list(table.columns))
    pyarrow.csv.write_csv(batch, buffer, pyarrow.csv.WriteOptions(include_header=False))
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(target, columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getbuffer())


def _arrow(values: Array, unit: str | tuple[str, ...]) -> pa.Array:
    """Turn a column into what PostgreSQL reads; money becomes text through floats of 15 digits."""
    if unit == "text":
        return pa.array(values.tolist(), type=pa.string())
    if isinstance(unit, tuple):
        codes = _buffered(pa.int32(), values.astype(np.int32), values == NONE)
        return pa.DictionaryArray.from_arrays(codes, pa.array(list(unit))).cast(pa.string())
    if unit == "signed":
        return _buffered(pa.float64(), values / _SCALE[unit], np.zeros(len(values), dtype=bool))
    if unit in _SCALE:
        return _buffered(pa.float64(), values / _SCALE[unit], values == NONE)
    if unit == "day":
        is_empty = (values == NONE) | (values >= NEVER)
        return _buffered(pa.date32(), values.astype(np.int32), is_empty)
    if unit == "second":
        is_empty = (values == NONE) | (values >= _SECONDS_NEVER)
        return _buffered(pa.timestamp("s"), values.astype(np.int64), is_empty)
    return _buffered(pa.int64(), values.astype(np.int64), values == NONE)


def _buffered(kind: pa.DataType, values: Array, is_empty: Array) -> pa.Array:
    """Wrap an array without copying it; `pa.array` would import pandas, which takes a second."""
    filled = pa.py_buffer(np.packbits(~is_empty, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [filled, data])
