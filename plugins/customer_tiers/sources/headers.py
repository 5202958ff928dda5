"""How columns are called whose names in a file are missing or there twice."""

from __future__ import annotations

from collections.abc import Iterable


def column_names(written: Iterable[str | None]) -> list[str]:
    """A name for each column; compared without case, as SQL does.

    A column without a name is `column7` by its place, counted from 1. The first of several columns
    of one name keeps it, the others are `Name_1`, `Name_2`, ... by place.
    """
    stripped = [(name or "").strip() for name in written]
    taken = {name.lower() for name in stripped}
    seen: set[str] = set()
    names = []
    for place, name in enumerate(stripped, start=1):
        chosen = name or f"column{place}"
        number = 0
        while chosen.lower() in seen or (chosen != name and chosen.lower() in taken):
            number += 1
            chosen = f"{name or f'column{place}'}_{number}"
        seen.add(chosen.lower())
        names.append(chosen)
    return names
