"""What a load says of an entity beside its counts: lines for whoever looks after the source."""

from __future__ import annotations

from datetime import date

from customer_tiers.contract import UNKNOWN, Entity
from customer_tiers.sources.extract import WHOLE

MONTHS_SHOWN = 6


def of_months(source: str, entity: Entity, months: list[date]) -> str:
    """Say which months were read again."""
    if months == [WHOLE]:
        return (
            f"warning: source {source}, entity {entity.name}: the number of rows differed from the "
            "source, so all were read again; rows were deleted there, or stamped with a wrong time"
        )
    listed = ", ".join(f"{month:%Y-%m}" for month in months[:MONTHS_SHOWN])
    more = f" and {len(months) - MONTHS_SHOWN} more" if len(months) > MONTHS_SHOWN else ""
    return (
        f"warning: source {source}, entity {entity.name}: {listed}{more} differed from the "
        "source and was read again; rows were deleted there, or stamped with a wrong time"
    )


def of_deletions(source: str, entity: Entity, deleted: int) -> list[str]:
    """Say how many rows are gone; nothing if none is."""
    if not deleted:
        return []
    return [
        f"warning: source {source}, entity {entity.name}: {deleted} rows are gone "
        "from the extract and were deleted; check the export if nobody deleted them"
    ]


def of_new_columns(source: str, entity: Entity, names: list[str]) -> list[str]:
    """Say which columns are new and not in the contract; nothing if none is."""
    if not names:
        return []
    return [
        f"warning: source {source}, entity {entity.name}: column {', '.join(names)} is new "
        f"and not in the contract, so it is only kept in raw.{entity.table}.{UNKNOWN}; see "
        "bi.stewardship"
    ]
