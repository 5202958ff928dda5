"""How fast is the loader, and how large does it get? Each kind of source beside the bare COPY.

    python bench/loading.py [--rows 1000000] [--kinds sql csv excel] [--stage-only]

The same invoice lines (18 columns of the contract, of which 11 are delivered) lie in a PostgreSQL
database, in a CSV file and in a workbook. Every load runs in a process of its own, with the
libraries imported before the clock starts, as the scheduler has them in a night.

    rows/s     from the source to the validated stage table's COPY: read, convert, COPY
    to raw     the same rows until the first load has committed: read, prove that no key repeats,
               some thirty expectations, raw with its indexes, ledger
    bare COPY  the same rows as CSV bytes, from memory blocks into an unlogged table without indexes
    ratio      rows/s of the load / rows/s of the bare COPY of the same run
    peak       largest resident size of the loading process, MB (its own pages and shared libraries)

What was found goes to docs/loading.json, and from there to docs/benchmarks.md; the exit code is 1
if an aim is missed. The databases live in a folder of their own, which is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

COLUMNS = (
    "invoice_id, line_no, customer_id, product_id, invoice_date, document_type, quantity, "
    "net_amount, cost_amount, currency, updated_at"
)
LINES = """
create table invoice_lines as
select
    'I' || lpad((n / 4)::text, 9, '0') as invoice_id,
    n % 4 + 1 as line_no,
    'C' || lpad((n::bigint * 7919 % 20000)::text, 6, '0') as customer_id,
    'P' || lpad((n::bigint * 104729 % 2000)::text, 5, '0') as product_id,
    date '2024-01-01' + n / 4 % 900 as invoice_date,
    case when n % 40 = 0 then 'credit_note' else 'invoice' end as document_type,
    (n % 97 + 1)::numeric as quantity,
    (n % 99991)::numeric / 100 as net_amount,
    (n % 66601)::numeric / 100 as cost_amount,
    'EUR' as currency,
    timestamptz '2024-01-01 00:00+00' + n / 4 % 900 * interval '1 day' as updated_at
from generate_series(0, {rows} - 1) as n
"""
OTHERS = (
    "create table customers as select 'C' || lpad(n::text, 6, '0') as customer_id, "
    "'Customer ' || n as name from generate_series(0, 19999) as n",
    "create table products as select 'P' || lpad(n::text, 5, '0') as product_id, "
    "'Product ' || n as name, (n % 100 + 1)::numeric as standard_cost "
    "from generate_series(0, 1999) as n",
)
ENTITIES = ("customers", "products", "invoice_lines")
BLOCK_BYTES = 1 << 20


def main() -> None:
    arguments = parse()
    if arguments.child:
        print(json.dumps(load(arguments.child, arguments.folder, arguments.stage_only)))
        return
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-bench-"))
    home.chmod(0o755)
    try:
        found = measure(home, arguments)
    finally:
        from customer_tiers.embedded import postgres

        postgres.stop(home)
        shutil.rmtree(home, ignore_errors=True)
    if not arguments.stage_only:
        from scale import loads, report

        loads.keep(found, report.about())
        report.write()
        sys.exit(not all(map(loads.is_reached, found)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="a sheet holds 1,048,575 and the names"
    )
    kinds = ("sql", "csv", "excel")
    parser.add_argument("--kinds", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--stage-only", action="store_true", help="leave the checks and raw away")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(home: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Load each kind; return rows per second, aims and peaks (MB)."""
    from customer_tiers.embedded import postgres

    cluster = postgres.start(home)
    say(f"{os.cpu_count()} cores, load before the start {os.getloadavg()[0]:.2f}")
    say(
        f"{'kind':<8}{'rows':>11}{'s':>8}{'rows/s':>10}{'to raw/s':>10}{'bare COPY/s':>13}"
        f"{'ratio':>7}{'raw ratio':>11}{'peak MB':>9}{'load':>7}"
    )
    measured = []
    for kind in arguments.kinds:
        rows = arguments.rows
        url = cluster.ensure_database(f"bench_{kind}")
        folder = home / f"source_{kind}"
        describe(home, kind, folder)
        fill(url, rows)
        exported = export(url, folder, kind)
        environment = os.environ | {
            "CUSTOMER_TIERS_HOME": str(home),
            "AIRFLOW_CONN_ERP": url,
        }
        bare = bare_copy(cluster.ensure_database("bench_bare"), exported)
        done = subprocess.run(
            [
                *(sys.executable, __file__, "--child", kind, "--folder", str(folder)),
                *(["--stage-only"] if arguments.stage_only else []),
            ],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        speed, whole, copy = rows / found["stage"], rows / found["raw"], rows / bare
        say(
            f"{kind:<8}{rows:>11,}{found['stage']:>8.2f}{speed:>10,.0f}{whole:>10,.0f}"
            f"{copy:>13,.0f}{speed / copy:>7.2f}{whole / copy:>11.2f}{found['peak']:>9.0f}"
            f"{os.getloadavg()[0]:>7.2f}"
        )
        speeds = {"stage": speed, "raw": whole, "bare": copy}
        measured.append({"kind": kind, "rows": rows, "peak": found["peak"], **speeds})
        for database in (f"bench_{kind}", f"warehouse_bench_{kind}", "bench_bare"):
            cluster.drop_database(database)
        shutil.rmtree(folder)
        exported.unlink(missing_ok=True)
    return measured


def say(line: str) -> None:
    print(line, flush=True)


def describe(home: Path, kind: str, folder: Path) -> None:
    """Write the source's folder: the SELECTs are plain, the tables have the contract's names."""
    from customer_tiers import settings

    sources = home / "sources"
    (sources / f"bench_{kind}" / "erp").mkdir(parents=True)
    shutil.copy(settings.SOURCES / "contract.yml", sources / "contract.yml")
    system = "kind: sql" if kind == "sql" else f"kind: files, path: {folder}"
    (sources / f"bench_{kind}" / "source.yml").write_text(
        f"name: bench_{kind}\nbase_currency: EUR\nsystems:\n  erp: {{{system}}}\n"
    )
    for entity in ENTITIES:
        table = f"book_{entity}" if kind == "excel" else entity
        (sources / f"bench_{kind}" / "erp" / f"{entity}.sql").write_text(f"select * from {table}")
    folder.mkdir()


def fill(url: str, rows: int) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (*OTHERS, LINES.format(rows=rows)):
            connection.execute(statement)
        connection.execute("checkpoint")


def export(url: str, folder: Path, kind: str) -> Path:
    """Write the tables as files of the kind; return the lines as CSV for the bare COPY."""
    import psycopg

    exported = folder.parent / f"lines_{kind}.csv"
    with psycopg.connect(url) as connection:
        for entity in ENTITIES:
            target = folder / f"{entity}.csv"
            statement = f"copy {entity} to stdout (format csv, header)"
            with target.open("wb") as file, connection.cursor().copy(statement) as copy:
                for block in copy:
                    file.write(block)
    shutil.copy(folder / "invoice_lines.csv", exported)
    if kind == "excel":
        import workbook

        workbook.write(folder, ENTITIES)
    return exported


def bare_copy(url: str, exported: Path) -> float:
    """Seconds of COPY of the same bytes into a table without indexes; the best of two."""
    import psycopg

    seconds = []
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(2):
            connection.execute("drop table if exists bare")
            connection.execute(
                "create unlogged table bare (invoice_id text, line_no bigint, customer_id text, "
                "product_id text, invoice_date date, document_type text, quantity numeric, "
                "net_amount numeric, cost_amount numeric, currency text, updated_at timestamptz)"
            )
            started = time.perf_counter()
            with (
                exported.open("rb") as file,
                connection.cursor().copy(
                    f"copy bare ({COLUMNS}) from stdin (format csv, header)"
                ) as copy,
            ):
                while block := file.read(BLOCK_BYTES):
                    copy.write(block)
            seconds.append(time.perf_counter() - started)
    return min(seconds)


class Staged(Exception):
    """The rows are in the stage table, which is all that was asked for."""


def load(kind: str, folder: Path, stage_only: bool) -> dict[str, Any]:
    """Load one source in this process; return seconds and the peak of its memory, MB."""
    from customer_tiers import contract, night, settings
    from customer_tiers.load import stage, system
    from customer_tiers.quality import engine
    from customer_tiers.sources import files, postgres  # noqa: F401 (imported before the clock)

    settings.SOURCES = folder.parent / "sources"
    contract.CONTRACT_FILE = settings.SOURCES / "contract.yml"
    engine.context()  # as the scheduler has it, imported
    moments: list[float] = []
    load_entity, fill_stage = system.load_entity, stage.fill

    def is_lines(values: tuple[Any, ...]) -> bool:
        return any(getattr(value, "name", "") == "erp.invoice_lines" for value in values)

    def loaded(*values: Any) -> list[str]:
        if not moments:
            moments.append(time.perf_counter())  # the system is open, and its files are inspected
        started = time.perf_counter()
        lines = load_entity(*values)
        if is_lines(values):
            moments.append(time.perf_counter() - started)
        return lines

    def copied(*values: Any, **options: Any) -> int:
        started = time.perf_counter()
        rows = fill_stage(*values, **options)
        if is_lines(values):
            moments.append(time.perf_counter() - started)
            if stage_only:
                raise Staged
        return rows

    system.load_entity, stage.fill = loaded, copied
    run = night.Run("bench", f"bench_{kind}", None, date(2026, 6, 30), date(2026, 6, 30))
    night.begin(run)
    started = time.perf_counter()
    try:
        night.load(run, "erp")
    except Staged:
        moments.append(float("nan"))
    opened, stage, whole = moments[0] - started, moments[1], moments[2]
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    return {"stage": opened + stage, "raw": opened + whole, "peak": peak}


if __name__ == "__main__":
    main()
