"""What an edit of a policy changed, row by row, in the words of the seeds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def line(seed: str, row_key: str, values_before: str | None, values_now: str | None) -> str:
    """Say of one row of a seed what was changed.

    Args:
        seed: Name of the seed.
        row_key: Which row of it.
        values_before: Its values as a JSON object; None = the row is new.
        values_now: The same; None = the row is gone.

    Returns:
        Such as `tier_cuts, key customer_share: cut_at 0.05 -> 0.1`.
    """
    before, now = _values(values_before), _values(values_now)
    changed = [
        f"{name} {_said(before, name)} -> {_said(now, name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    return f"{seed}, {row_key}: {', '.join(changed)}"


def _values(row: str | None) -> dict[str, Any]:
    return json.loads(row, parse_float=Decimal) if row else {}


def _said(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value).lower() if isinstance(value, bool) else str(value)
