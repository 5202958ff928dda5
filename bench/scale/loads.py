"""What `bench/loading.py` measured: docs/loading.json keeps it, docs/benchmarks.md tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from customer_tiers import settings

FILE = settings.PROJECT / "docs" / "loading.json"

AIMS = {"sql": ("PostgreSQL", 250_000), "csv": ("CSV", 400_000), "excel": ("Excel", 80_000)}
"""Kind of source -> its name, and rows per second to raw."""

MOST_MB = 400
"""What a loading process may hold."""

Load = Mapping[str, Any]
"""kind, rows, peak (MB), and rows per second: stage, raw, bare (COPY)."""


def keep(loads: Sequence[Load], about: Load) -> None:
    """Put loads, and what they were measured with, in place of those of the same kinds."""
    kept = {**_read(), **{one["kind"]: {**one, **about} for one in loads}}
    FILE.write_text(json.dumps(kept, indent=1) + "\n")


def is_reached(load: Load) -> bool:
    return bool(load["raw"] >= AIMS[load["kind"]][1] and load["peak"] <= MOST_MB)


def told() -> Iterator[str]:
    """The section of the page."""
    yield (
        "\n## Loading\n\nInvoice lines from a source to raw with all checks, beside the bare COPY "
        "of the same bytes:\n`python bench/loading.py`.\n\n"
        "| source | rows | to stage, rows/s | to raw, rows/s | aim | | bare COPY, rows/s "
        f"| to raw / bare COPY | peak, MB (at most {MOST_MB}) | measured |\n"
        "|---|---:|---:|---:|---:|---|---:|---:|---:|---|\n"
    )
    for one in _read().values():
        name, aim = AIMS[one["kind"]]
        yield (
            f"| {name} | {one['rows']:,} | {one['stage']:,.0f} | {one['raw']:,.0f} | {aim:,} "
            f"| {'reached' if is_reached(one) else 'NOT reached'} | {one['bare']:,.0f} "
            f"| {one['raw'] / one['bare']:.2f} x | {one['peak']:.0f} "
            f"| {one['measured_at']}, commit {one['machine']['commit']} |\n"
        )


def _read() -> dict[str, Load]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}
