"""What `bench/many_files.py` measured: docs/many_files.json keeps it, the page tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from customer_tiers import settings

FILE = settings.PROJECT / "docs" / "many_files.json"

MOST_RATIO = 1.3
"""Many files may take so many times the seconds of one with the same rows."""

MOST_MB = 450
"""What the reading process may hold."""

Found = dict[str, Any]
"""files, lines, load (mean number of processes that waited for the two cores), and for `one` and
`many`: seconds, cpu (seconds of the process), peak (MB)."""


def keep(found: Found) -> None:
    FILE.write_text(json.dumps(found, indent=1) + "\n")


def ratio(found: Found) -> float:
    """Seconds of the many files for one second of the one."""
    return float(found["many"]["cpu"] / found["one"]["cpu"])


def is_reached(found: Found) -> bool:
    return ratio(found) <= MOST_RATIO and found["many"]["peak"] <= MOST_MB


def told() -> Iterator[str]:
    """The section of the page."""
    if not FILE.exists():
        return
    found = json.loads(FILE.read_text())
    yield (
        "\n## Many files\n\nThe same lines in one file and in many, read by the SELECTs of "
        "`online_retail`, which drop repeated lines and\nnumber those of each invoice by a window "
        "over all of them: `python bench/many_files.py`. Each in a process of its own with\nGreat "
        "Expectations imported, from the folder to the last row that COPY would get; the ratio is "
        f"of CPU seconds, at most {MOST_RATIO} x.\n\n"
        f"| delivered as | lines | s | CPU s | ratio | peak, MB (at most {MOST_MB}) | |\n"
        "|---|---:|---:|---:|---:|---:|---|\n"
    )
    for name, files in (("one", 1), ("many", found["files"])):
        one = found[name]
        share = one["cpu"] / found["one"]["cpu"]
        aim = "" if name == "one" else "reached" if is_reached(found) else "NOT reached"
        yield (
            f"| {files:,} file{'s' * (files > 1)} | {found['lines']:,} | {one['seconds']:.1f} "
            f"| {one['cpu']:.1f} | {share:.2f} x | {one['peak']:.0f} | {aim} |\n"
        )
    yield f"\nMeasured {found['measured_at']} at a load of {found['load']:.1f} on two cores"
    busy = "; other programs ran, so seconds are too many" if found["load"] > 2 else ""
    yield f"{busy}.\n"
