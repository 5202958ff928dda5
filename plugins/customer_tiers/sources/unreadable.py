"""Values that a SELECT over files or records cannot read, and where they were delivered."""

from __future__ import annotations

import re

NOT_ISO = "not ISO, column "
OF_ROW = " of the row with the key "
"""What the error of a day that is not ISO consists of: column, value, key."""


def explain(message: str, path: str) -> str:
    """Turn DuckDB's many lines on a value into one that says what to do.

    Args:
        message: What DuckDB says.
        path: The file of the SELECT.
    """
    if not_iso := re.search(f"{NOT_ISO}(.*)", message):
        name, _, value = not_iso[1].partition(": ")
        value, _, key = value.rpartition(OF_ROW)
        return (
            f"column {name}, row {key}: {value!r} is no date in the form YYYY-MM-DD; correct "
            f"it, or read it with strptime in {path}"
        )
    text = message.split("Possible")[0]
    return f"{' '.join(text.split())[:300]}; correct what was delivered or {path}"
