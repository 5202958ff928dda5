"""What do many files cost beside one file with the same rows?

    PYTHONPATH=bench python bench/many_files.py [--files 3000] [--lines 5000000] [--rounds 1]

Lines like those of sources/online_retail, one file a day and all of them in one file, are read by
its three SELECTs: opened, counted by month and handed out as CSV to the last row, as a load does
before COPY. One of them drops repeated lines and numbers those of each invoice by a window.
Every reading is a process of its own, with the libraries imported that a loader has; the two kinds
take turns, and of several rounds the fastest counts.

    s, CPU s   from opening the folder to the last row; CPU time of the process
    ratio      CPU seconds of many files / of one file
    peak       largest resident size of the process, MB

What was found goes to docs/many_files.json, and from there to docs/benchmarks.md; the exit code is
1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FIRST_DAY = date(2018, 1, 1)
ENTITIES = ("customers", "products", "invoice_lines")
SOURCE = "online_retail"


def main() -> None:
    arguments = parse()
    if arguments.child:
        print(json.dumps(read(arguments.child)))
        return
    with tempfile.TemporaryDirectory(prefix="customer-tiers-bench-") as home:
        folders = {name: Path(home) / name for name in ("one", "many")}
        deliver(folders, arguments.files, arguments.lines)
        found = measure(folders, arguments.rounds)
    from scale import deliveries, report

    found |= {"files": arguments.files, "lines": arguments.lines, **report.about()}
    deliveries.keep(found)
    report.write()
    print(f"ratio {deliveries.ratio(found):.2f}")
    sys.exit(not deliveries.is_reached(found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=3_000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def deliver(folders: dict[str, Path], files: int, lines: int) -> None:
    """Write the lines of each day as a file, and all of them as one."""
    for folder in folders.values():
        folder.mkdir()
    chance = random.Random(1)
    with (folders["one"] / "sales.csv").open("w", encoding="utf-8") as whole:
        whole.write(HEAD)
        for number in range(files):
            day = FIRST_DAY + timedelta(days=number)
            count = lines * (number + 1) // files - lines * number // files
            text = "".join(day_lines(chance, day, count))
            whole.write(text)
            (folders["many"] / f"{day}.csv").write_text(HEAD + text, encoding="utf-8")


def day_lines(chance: random.Random, day: date, count: int) -> Iterator[str]:
    """The lines of a day's invoices, of which a quarter names no customer."""
    for line in range(count):
        if line % 17 == 0:
            customer = f"{chance.randint(12_000, 20_000)}.0" if chance.random() < 0.75 else ""
        product = chance.randint(10_000, 14_000)
        yield (
            f"{day:%y%m%d}{line // 17:04d},{product},PRODUCT NUMBER {product} IN A COLOUR,"
            f"{chance.randint(1, 40)},{day} 08:26:00,{product % 977 / 100:.2f},{customer},"
            "United Kingdom\n"
        )


def measure(folders: dict[str, Path], rounds: int) -> dict[str, Any]:
    """Read each folder in turns; the fastest reading of each, and the load of the machine."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in folders}
    loads = []
    print(f"{'':<6}{'s':>8}{'CPU s':>8}{'rows':>12}{'peak MB':>9}{'load':>7}", flush=True)
    for _ in range(rounds):
        for name, folder in folders.items():
            done = subprocess.run(
                [sys.executable, __file__, "--child", str(folder)],
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            measured[name].append(found)
            loads.append(os.getloadavg()[0])
            print(
                f"{name:<6}{found['seconds']:>8.1f}{found['cpu']:>8.1f}{found['rows']:>12,}"
                f"{found['peak']:>9.0f}{loads[-1]:>7.2f}",
                flush=True,
            )
    rows = {found["rows"] for readings in measured.values() for found in readings}
    if len(rows) != 1:
        raise SystemExit(f"one file and many gave other numbers of rows: {rows}")
    fastest = {name: min(found, key=lambda one: one["cpu"]) for name, found in measured.items()}
    return {**fastest, "load": sum(loads) / len(loads)}


def read(folder: Path) -> dict[str, float]:
    """Read all entities from a folder in this process."""
    from customer_tiers import contract, settings
    from customer_tiers.quality import engine
    from customer_tiers.sources import files
    from customer_tiers.sources.definition import System
    from customer_tiers.sources.extract import Window

    engine.context()  # as the scheduler has it, imported
    entities = contract.load().entities
    tables = {"sales": {"files": "*.csv"}}
    system = System(SOURCE, "erp", "files", {"path": str(folder), "tables": tables})
    started, cpu_started, rows = time.perf_counter(), time.process_time(), 0
    with files.connect(system, str(folder)) as opened:
        for name in ENTITIES:
            query = (settings.SOURCES / SOURCE / "erp" / f"{name}.sql").read_text(encoding="utf-8")
            extract = files.FileExtract(opened, SOURCE, entities[f"erp.{name}"], query)
            extract.newest_change()
            extract.months()
            for block in extract.copy_csv(Window(None, None)):
                rows += bytes(block).count(b"\n")
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu_started,
        "rows": rows,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
