"""The peer that is DuckDB over Parquet: every row read again, the same SQL on one machine.

`export` writes what the source's SELECTs return to Parquet, as a nightly dump does; `compute` runs
the models that `scale.rebuilt` has compiled over these files, in memory.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

import duckdb
import psycopg

from customer_tiers import connections, contract
from scale import rebuilt

TYPES = {"numeric": "decimal(18, 6)", "timestamp": "timestamptz", "text": "varchar"}
"""Type of the contract -> DuckDB's."""

NUMERIC = re.compile(r"\bnumeric\b(?! ?\()")
"""PostgreSQL's numeric of any size; DuckDB's has three decimals unless told otherwise."""


def extracts(folder: Path | None) -> dict[str, tuple[str, str, Path]]:
    """Entity -> database of the source, its SELECT, and the file to write."""
    from customer_tiers import settings

    found = {}
    for name in contract.load().entities:
        system, _, entity = name.partition(".")
        select = settings.SOURCES / "sample" / system / f"{entity}.sql"
        url = connections.system(system, f"sample_{system}")
        found[name] = (url, select.read_text(), (folder or Path()) / f"{name}.parquet")
    return found


def export(folder: Path) -> None:
    """Read everything from the source into Parquet."""
    folder.mkdir(exist_ok=True)
    for name, (url, select, target) in extracts(folder).items():
        entity = contract.load().entities[name]
        text = target.with_suffix(".csv")
        with psycopg.connect(url) as source, source.cursor() as cursor:
            cursor.execute(f"select * from ({select}) as s limit 0")
            columns = {
                column.name: TYPES.get(
                    entity.column(column.name).type, entity.column(column.name).type
                )
                for column in cursor.description or ()
            }
            with (
                cursor.copy(f"copy ({select}) to stdout (format csv)") as copy,
                text.open("wb") as file,
            ):
                for block in copy:
                    file.write(block)
        with duckdb.connect() as engine:
            engine.execute(
                "copy (select * from read_csv($1, header = false, columns = $2)) to "
                f"'{target}' (format parquet)",
                [str(text), columns],
            )
        text.unlink()


def prepare(folder: Path, engine: duckdb.DuckDBPyConnection, database: str) -> None:
    """Lay the Parquet files where the models look for raw, and bring the small tables over."""
    engine.execute(f"attach ':memory:' as {database}; use {database}")
    for schema in ("raw", "ops", "bi", "quarantine", rebuilt.SCHEMA, "policy"):
        engine.execute(f"create schema {schema}")
    with psycopg.connect(connections.warehouse("sample")) as warehouse:
        for name, (_, _, file) in extracts(folder).items():
            entity = contract.load().entities[name]
            there = {row[0] for row in engine.execute(f"describe from '{file}'").fetchall()}
            listed = ", ".join(
                f'"{column.name}"'
                if column.name in there
                else f'cast(null as {TYPES.get(column.type, column.type)}) as "{column.name}"'
                for column in entity.columns
            )
            engine.execute(
                f"create view raw.{entity.table} as select {listed}, '' as _run_id, "
                f"cast(null as timestamptz) as _loaded_at from '{file}'"
            )
        seeds = warehouse.execute(
            """
            select table_schema, table_name from information_schema.tables
            where table_schema in ('ops', 'quarantine')
                or table_schema = 'bi' and table_name in (
                    'tier_decision', 'tier_decision_beside', 'customer_identity', 'tier_change',
                    'window_rate', 'match_review'
                )
                or table_schema = %s and table_name in (
                    select table_name from information_schema.tables where table_schema = 'policy'
                )
            """,
            [rebuilt.SCHEMA],
        ).fetchall()
        for schema, table in seeds:
            _bring(warehouse, engine, schema, table, folder)


def _bring(
    warehouse: psycopg.Connection,
    engine: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    folder: Path,
) -> None:
    columns = {
        name: "varchar" if kind in ("jsonb", "ARRAY") else _type(kind, scale)
        for name, kind, scale in warehouse.execute(
            "select column_name, data_type, numeric_scale from information_schema.columns "
            "where table_schema = %s and table_name = %s order by ordinal_position",
            [schema, table],
        )
    }
    text = folder / "table.csv"
    with (
        text.open("wb") as file,
        warehouse.cursor().copy(f"copy {schema}.{table} to stdout (format csv)") as copy,
    ):
        for block in copy:
            file.write(block)
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    engine.execute(f"create table {schema}.{table} ({listed})")
    if text.stat().st_size:
        engine.execute(f"copy {schema}.{table} from '{text}' (format csv, header false)")
    text.unlink()


def _type(kind: str, scale: int | None) -> str:
    if kind == "numeric":
        return f"decimal(18, {6 if scale is None else scale})"
    return {"timestamp with time zone": "timestamptz"}.get(kind, kind)


def compute(engine: duckdb.DuckDBPyConnection) -> None:
    """Run the models in order."""
    for name, kind, file in rebuilt.models():
        if kind == "ephemeral":
            continue
        text = NUMERIC.sub(TYPES["numeric"], file.read_text())
        what = "view" if kind in ("view", "touched") else "table"
        try:
            engine.execute(f'create {what} "{rebuilt.SCHEMA}"."{name}" as {text}')
        except duckdb.Error as error:
            raise SystemExit(f"DuckDB, model {name}: {error}") from None


def main(folder: Path) -> None:
    database = psycopg.conninfo.conninfo_to_dict(connections.warehouse("sample"))["dbname"]
    started = time.perf_counter()
    export(folder)
    exported = time.perf_counter()
    engine = duckdb.connect(config={"threads": 2})
    engine.execute("set timezone = 'UTC'")
    prepare(folder, engine, str(database))
    rebuilt.models()  # parses the project, which is dbt's time and not DuckDB's
    ready = time.perf_counter()
    compute(engine)
    done = time.perf_counter()
    for name, query in rebuilt.RESULTS.items():
        target = folder / f"{name}.csv"
        result = query.format(rebuilt.SCHEMA)
        engine.execute(f"copy ({result}) to '{target}' (format csv, header false)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"read": exported - started, "compute": done - ready, "peak_mb": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
