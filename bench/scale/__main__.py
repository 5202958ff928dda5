"""Does the cost follow change? The company at scale, ours and the peers on the same data.

    make bench SIZES="1:10 1:30 1:100 3:100 10:100"     million lines : thousand customers
    make bench SIZES="1:10 1:10:0.5"                    : share of the lines of one customer

Per size: the company is generated; a first full night; nights with 50,000 changed lines, each after
the server has vacuumed; the last one again with nothing new; and all facts and tiers rebuilt from
raw, which must be the same. The last size is played through Airflow and has the peers. Everything
lies in a folder of its own, which is removed; what was found goes to docs/benchmarks.json, and from
there to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[1]


def main() -> None:
    arguments = parse()
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-bench-", dir=arguments.folder))
    home.chmod(0o755)
    os.environ["CUSTOMER_TIERS_HOME"] = str(home)
    os.environ["PYTHONPATH"] = str(BENCH)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
        del os.environ[name]
    from customer_tiers.embedded import services
    from scale import company, report

    try:
        for number, (lines, customers, *share) in enumerate(arguments.sizes, start=1):
            size = company.Size(round(lines * 1e6), round(customers * 1e3), *share)
            is_last = number == len(arguments.sizes)
            is_full = is_last and not arguments.no_peers
            found = measure(size, home, arguments, is_full=is_full)
            report.keep(found)
            report.write()
    finally:
        services.down()
        shutil.rmtree(home, ignore_errors=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "sizes",
        nargs="*",
        type=lambda text: tuple(float(part) for part in text.split(":")),
        default=[(1, 10), (1, 30), (1, 100), (3, 100), (10, 100)],
        help="million lines : thousand customers [: share of the lines of one customer]",
    )
    parser.add_argument("--nights", type=int, default=3, help="nights with changes, per size")
    parser.add_argument("--changed", type=int, default=50_000, help="changed lines of a night")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each peer")
    parser.add_argument("--no-peers", action="store_true", help="also leaves Airflow away")
    parser.add_argument("--folder", type=Path, help="where to make it; needs some 2 GB per million")
    return parser.parse_args()


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def measure(
    size: Any, home: Path, arguments: argparse.Namespace, *, is_full: bool
) -> dict[str, Any]:
    from customer_tiers.embedded import postgres
    from scale import checks, company, memory, nights

    cluster = postgres.start()
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)
    erp, crm = cluster.ensure_database("sample_erp"), cluster.ensure_database("sample_crm")
    say(f"{size.lines:,} lines, {size.customers:,} customers: making the company")
    company.create(erp, crm, size)
    found: dict[str, Any] = {
        "lines": size.lines,
        "customers": size.customers,
        "largest_share": size.largest_share,
        "changed_lines": arguments.changed,
        "through_airflow": is_full,
        "load_before": os.getloadavg()[0],
    }

    def play(day: date, name: str) -> dict[str, Any]:
        done = nights.through_airflow(day) if is_full else nights.in_a_process(day, name)
        say(f"  {name}, {day}: {done['seconds']:.1f} s, {done['between']:.1f} s between the steps")
        return done

    with memory.watched() as peaks:
        found["first"] = play(company.THROUGH, "first")
        found["nights"] = []
        day = company.THROUGH
        for number in range(1, arguments.nights + 1):
            nights.let_a_day_pass()
            day = company.advance(erp, size, number, arguments.changed)
            found["nights"].append(play(day, f"night_{number}"))
        xid = checks.moment()
        found["unchanged"] = play(day, "unchanged")
        found["rewritten"] = checks.rewritten_since(xid)
    found["peak_mb"] = dict(peaks)
    found["load_after"] = os.getloadavg()[0]
    say(f"  rewritten by it: {found['rewritten'] or 'nothing'}")
    if is_full:
        from customer_tiers.embedded import services

        services.down()
        postgres.start()
    found["rebuilt"] = [peer("rebuilt", day.isoformat()) for _ in range(arguments.repeat)]
    found["differs_from_rebuilt"] = checks.differing_from_rebuilt()
    say(f"  rebuilt: {found['rebuilt']}, differing rows {found['differs_from_rebuilt']}")
    if is_full:
        found["peers"] = peers(home, day, arguments.repeat)
    return found


def peers(home: Path, day: date, repeat: int) -> dict[str, Any]:
    """Run those that are not rebuilt at every size."""
    from scale import checks, limits, rebuilt

    folder = home / "peers"
    folder.mkdir()
    found: dict[str, Any] = {"duckdb": [], "pandas": [], "copy": [], "aggregate": []}
    for _ in range(repeat):
        found["duckdb"].append(peer("duck", str(folder)))
        found["pandas"].append(peer("first_script", str(folder / "pandas.csv"), day.isoformat()))
        found["copy"].append(limits.bare_copy())
        seconds, found["aggregate_rules"] = limits.aggregate(day)
        found["aggregate"].append(seconds)
        say(f"  { ({name: runs[-1] for name, runs in found.items() if isinstance(runs, list)}) }")
    found["agree"] = {
        "duckdb": {
            name: checks.differing(query.format("candidate"), folder / f"{name}.csv")
            for name, query in rebuilt.RESULTS.items()
        },
        "pandas": {"up to freight": checks.differing(checks.UP_TO_FREIGHT, folder / "pandas.csv")},
    }
    say(f"  agreement: {found['agree']}")
    shutil.rmtree(folder)
    return found


def peer(module: str, *arguments: str) -> dict[str, Any]:
    """Run a peer in a process of its own; it prints what it measured as JSON at its end."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"scale.{module}", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} failed: {done.stdout.strip()[-500:]}")
    said = done.stdout.strip().splitlines()
    measured = json.loads(said[-1]) if said and said[-1].startswith("{") else {}
    return {**measured, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    main()
