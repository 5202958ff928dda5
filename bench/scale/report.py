"""What was measured, as docs/benchmarks.json keeps it and docs/benchmarks.md tells it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import Any

import psutil

from customer_tiers import settings
from scale import deliveries, loads, picture

DOCS = settings.PROJECT / "docs"
FILE = DOCS / "benchmarks.json"
AIMED_LINES = 10_000_000
"""Lines of history that the aims are for; a smaller company that reaches one has not shown it."""

HEAD = """# Benchmarks

What a night costs, beside what one would use instead. Written by `make bench`; the figures with
their parts are in [benchmarks.json](benchmarks.json).

    make bench                      # all sizes; the machine must be left alone
    make bench SIZES="10:100"       # 10 million invoice lines, 100,000 customers, and the peers

The company is made by SQL in the tables of the sample's ERP and CRM (`bench/scale/`): three years,
bills of five lines with an order and an open item each, numbered and stored in the order of their
days, credit notes, four currencies, and an account in the CRM for six of ten customers. A night has
the day's own bills, and corrections of older ones until as many lines are changed as the table
says; of three the second ends a month and the third begins one. Before each the server vacuums, for
which it has a day otherwise. Seconds are from the trigger to the publication. Every size is also
rebuilt from raw and compared row for row. The aims are those for 10 million lines and 100,000
customers, on two cores that have nothing else to do.

"""
LIMITS = """
### What limits it

- A night with changes: the facts, and the tables that read lines of sales or hold months of all of
  history, follow the change, and the same night again writes nothing. What is left of `build_tiers`
  is made for every customer each night: windows that move by a day, ranks and bounds, warnings,
  which also come with silence, and a receipt each. Customers touched are few but buy the most: of
  100,000 some 17,500, with 43 % of the rows. Both cores compute all the time, and no model takes
  more than a tenth of the night, but for `int_baskets_compared` where a month ends.
- The first night: the facts are sums of numeric over all lines, sorted by one process per table,
  and all tables above are made once for everybody.
- Memory: each step has the libraries of dbt and GX before it does anything; `settle` holds all
  customers in comparable form when any of them, or of the accounts, has changed.
- The peers compute contribution and tiers and stop. A night also checks each row, keeps what was
  known when, explains, warns, compares with the night before, tests, audits and publishes.
- Growth over 1 million lines is that of the rows of customers touched, of the prices of products,
  which compare two years of everybody's lines, and of what the publication compares.
"""
Found = dict[str, Any]


def keep(found: Found) -> None:
    """Put a size's figures into the JSON, in place of those of the same size."""
    kept = read()
    found = {**about(), **found}
    share = f":{found['largest_share']:g}" if found["largest_share"] else ""
    kept[f"{found['lines']}:{found['customers']}{share}"] = found
    FILE.write_text(json.dumps(dict(sorted(kept.items(), key=_size)), indent=1) + "\n")


def read() -> dict[str, Found]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def _size(item: tuple[str, Found]) -> tuple[int, int, float]:
    return item[1]["lines"], item[1]["customers"], _share(item[1])


def _share(found: Found) -> float:
    return float(found.get("largest_share", 0))


def about() -> Found:
    """When it was measured, and with what."""
    return {"machine": machine(), "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}


def machine() -> Found:
    commit = subprocess.run(
        ["git", "-C", str(settings.PROJECT), "rev-parse", "--short", "HEAD"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    names = ("apache-airflow", "dbt-core", "great-expectations", "duckdb", "pandas")
    from customer_tiers.embedded import postgres

    cluster = postgres.running()
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": cluster.server_version() if cluster else "",
        "commit": commit.stdout.strip(),
        **{name: version(name) for name in names},
    }


def write() -> None:
    """Write the page and the picture from the JSON."""
    kept = read()
    parts = [HEAD, *_curve(kept)]
    full = [found for found in kept.values() if "peers" in found]
    if full:
        parts += _headline(max(full, key=lambda found: found["lines"]), kept)
    (DOCS / "benchmarks.md").write_text("".join([*parts, *loads.told(), *deliveries.told()]))


def nightly(found: Found) -> float:
    return median(night["seconds"] for night in found["nights"])


def _curve(kept: dict[str, Found]) -> Iterator[str]:
    yield "## The cost of a night by history and customers\n\n"
    yield "![Seconds of a night by lines of history and by customers](pictures/benchmarks.svg)\n\n"
    yield (
        "| lines | customers | lines of one customer | first night, s | with changes, s "
        "| facts of it, s | nothing new, s | rows rewritten by it | rows other than rebuilt "
        "| through |\n"
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n"
    )
    for found in kept.values():
        facts = median(night["steps"]["build_facts"] for night in found["nights"])
        yield (
            f"| {found['lines']:,} | {found['customers']:,} "
            f"| {f'{_share(found):.0%}' if _share(found) else 'even'} "
            f"| {found['first']['seconds']:.0f} | {nightly(found):.1f} | {facts:.1f} "
            f"| {found['unchanged']['seconds']:.1f} "
            f"| {sum(found['rewritten'].values())} | {sum(found['differs_from_rebuilt'].values())} "
            f"| {'Airflow' if found['through_airflow'] else 'one process'} |\n"
        )
    yield "\n"
    yield from _largest(kept)
    (DOCS / "pictures").mkdir(exist_ok=True)
    (DOCS / "pictures" / "benchmarks.svg").write_text(
        picture.draw(
            [
                (found["lines"], found["customers"], nightly(found))
                for found in kept.values()
                if not _share(found)
            ]
        )
    )


def _largest(kept: dict[str, Found]) -> Iterator[str]:
    """How much more a night costs where one customer has a large share of the lines."""
    for found in kept.values():
        even = kept.get(f"{found['lines']}:{found['customers']}")
        if not _share(found) or even is None:
            continue
        night = nightly(found) / nightly(even)
        first = found["first"]["seconds"] / even["first"]["seconds"]
        yield (
            f"Where one customer has {_share(found):.0%} of {found['lines']:,} lines, with credit "
            f"notes that name no invoice, a night with changes takes {night:.2f} x that of the "
            f"even company, and the first night {first:.2f} x (at most 1.3 x is asked for).\n\n"
        )


def _headline(found: Found, kept: dict[str, Found]) -> Iterator[str]:
    about = found["machine"]
    yield f"## {found['lines']:,} lines, {found['customers']:,} customers\n\n"
    yield (
        f"{found['measured_at']}, commit {about['commit']}, {about['cores']} cores, "
        f"{about['memory_gb']} GB, load {found['load_before']:.1f} before the first night and "
        f"{found['load_after']:.1f} after the last; Python "
        f"{about['python']}, PostgreSQL {about['postgresql']}, Airflow {about['apache-airflow']}, "
        f"dbt {about['dbt-core']}, GX {about['great-expectations']}, DuckDB {about['duckdb']}, "
        f"pandas {about['pandas']}. Nights with changes: the median of {len(found['nights'])}; "
        f"peers: of {len(found['rebuilt'])}.\n\n"
    )
    yield "| | measured | aim | |\n|---|---:|---:|---|\n"
    for what, measured, unit, aim, is_most in _figures(found, kept):
        reached = measured <= aim if is_most else measured >= aim
        here = "" if found["lines"] >= AIMED_LINES else " at this size"
        yield (
            f"| {what} | {measured:,.1f}{unit} | {'at most' if is_most else 'at least'} "
            f"{aim:g}{unit} | {'reached' if reached else 'NOT reached'}{here} |\n"
        )
    yield from _steps(found)
    yield from _models(found)
    yield LIMITS
    yield from _agreement(found)


def _peer_seconds(found: Found) -> tuple[float, float, float]:
    """Seconds of the rebuilt dbt project with its loading, of pandas, and of DuckDB."""
    peers = found["peers"]
    copy = median(sum(run.values()) for run in peers["copy"])
    rebuilt = copy + median(run["seconds"] for run in found["rebuilt"])
    pandas = median(run["seconds"] for run in peers["pandas"])
    return rebuilt, pandas, median(run["read"] + run["compute"] for run in peers["duckdb"])


def _figures(found: Found, kept: dict[str, Found]) -> Iterator[tuple[str, float, str, float, bool]]:
    night, first = nightly(found), found["first"]["seconds"]
    rebuilt, pandas, duckdb = _peer_seconds(found)
    lines = "load_erp/erp.invoice_lines"
    copied, checked = (found["first"]["parts"][f"{lines}/{part}"] for part in ("copy", "validate"))
    bare = median(run["erp.invoice_lines"] for run in found["peers"]["copy"])
    by_hand = median(found["peers"]["aggregate"])
    yield "first night, empty warehouse to published", first, " s", 150, True
    yield (
        f"the same / DuckDB reads and computes all ({duckdb:.0f} s)",
        first / duckdb,
        " x",
        4,
        True,
    )
    yield f"night with {found['changed_lines']:,} changed lines", night, " s", 40, True
    yield (
        f"plain dbt project, loaded and rebuilt ({rebuilt:.0f} s) / night",
        rebuilt / night,
        " x",
        5,
        False,
    )
    yield f"pandas script ({pandas:.0f} s) / night", pandas / night, " x", 5, False
    yield f"DuckDB reading all again ({duckdb:.0f} s) / night", duckdb / night, " x", 1, False
    small = kept.get(f"1000000:{found['customers']}")
    if small and small is not found:
        ours, theirs = (nightly(one) - _between(one) for one in (found, small))
        yield "night / night at 1 million lines, steps only", ours / theirs, " x", 1.3, True
    yield "the same night again", found["unchanged"]["seconds"], " s", 20, True
    yield "rows rewritten by it", sum(found["rewritten"].values()), "", 0, True
    yield "Airflow's share of a night", 100 * _between(found) / night, " %", 25, True
    steps = max(one["peak_mb"] for one in (found["first"], found["unchanged"], *found["nights"]))
    yield "largest process, a step", steps, " MB", 500, True
    if found["peak_mb"]:
        name, size = max(found["peak_mb"].items(), key=lambda item: item[1])
        yield f"largest process, any ({name})", size, " MB", 500, True
    yield f"COPY of the lines into stage / bare COPY ({bare:.0f} s)", copied / bare, " x", 2, True
    yield (
        f"GX's checks of the lines / one SELECT ({by_hand:.0f} s)",
        checked / by_hand,
        " x",
        2,
        True,
    )


def _between(found: Found) -> float:
    return median(night["between"] for night in found["nights"])


def _steps(found: Found) -> Iterator[str]:
    yield "\n### Where the time goes\n\n"
    yield "| step | first night, s | night with changes, s | nothing new, s |\n"
    yield "|---|---:|---:|---:|\n"
    for step, first in found["first"]["steps"].items():
        if step in found["unchanged"]["steps"] and step != "send":
            nights = median(night["steps"][step] for night in found["nights"])
            again = found["unchanged"]["steps"][step]
            yield f"| {step} | {first:.1f} | {nights:.1f} | {again:.1f} |\n"
    yield (
        f"| between the steps | {found['first']['between']:.1f} | {_between(found):.1f} "
        f"| {found['unchanged']['between']:.1f} |\n"
    )


def _models(found: Found) -> Iterator[str]:
    night = found["nights"][-1]
    yield "\n| slowest models, two at a time | first night, s | | with changes, s |\n"
    yield "|---|---:|---|---:|\n"
    for (one, first), (other, later) in zip(
        found["first"]["models"].items(), night["models"].items(), strict=False
    ):
        yield f"| {one} | {first:.1f} | {other} | {later:.1f} |\n"


def _agreement(found: Found) -> Iterator[str]:
    yield "\n### Do the peers agree?\n\n"
    for name, compared in found["peers"]["agree"].items():
        for what, one in compared.items():
            cents = f", by at most {one['largest']:.2f}" if one["largest"] else ""
            yield f"- {name}, {what}: {one['differing']} of {one['customers']:,} differ{cents}\n"
    yield (
        "- the rebuilt dbt project: "
        f"{sum(found['differs_from_rebuilt'].values())} rows of facts and tiers differ\n\n"
        "The plain dbt project is our own models of contribution and tiers, every table made anew, "
        "without tests,\nafter a bare COPY of everything. DuckDB runs the same models over Parquet "
        "that is read from the\nsource first. The pandas script computes twelve months up to "
        "freight and ranks: less than ours.\n"
    )
