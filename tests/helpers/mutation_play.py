"""Load mutated deliveries into copies of a prepared warehouse, and judge what was made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from customer_tiers import connections, night
from customer_tiers.embedded.cluster import Cluster
from customer_tiers.errors import UserError

Key = tuple[str, ...]
RUN_DATE = date(2026, 6, 30)
LONGEST_MESSAGE = 900


@dataclass
class Player:
    """Plays loads of one source; each begins from a copy of one of two databases."""

    cluster: Cluster
    source: str
    folder: Path
    faults: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def prepare(self) -> None:
        """Keep a warehouse that is empty, and one after a good load of what the folder holds."""
        self.cluster.drop_database(self._warehouse)
        run = night.Run("good", self.source, str(self.folder), RUN_DATE, None)
        night.begin(run)
        self._copy(self._warehouse, self._template(0))
        night.load(run, "erp")
        self._copy(self._warehouse, self._template(1))

    def close(self) -> None:
        """Drop the databases."""
        for name in (self._warehouse, self._template(0), self._template(1)):
            self.cluster.drop_database(name)

    def play(self, name: str, delivery: Any, *, is_second: bool) -> None:
        """Load what lies in the folder, and note what is wrong with the outcome."""
        self._copy(self._template(is_second), self._warehouse)
        before = self.in_raw()
        run = night.Run("mutated", self.source, str(self.folder), RUN_DATE, None)
        try:
            night.begin(run)
            night.load(run, "erp")
        except UserError as error:
            self.outcomes["refused"] += 1
            self.faults += [f"{name}: {line}" for line in self._refusal(error, delivery, before)]
        except Exception as error:  # the point of it: nothing else may come out
            self.faults.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
        else:
            self.outcomes["accepted"] += 1
            # A row that waits in quarantine keeps its last good version in raw.
            aside = self.waiting()
            kept = {key: before[key] for key in aside & before.keys()}
            raw = {key: row for key, row in self.in_raw().items() if kept.get(key) != row}
            found = wrong(delivery.truth(), raw, aside, delivery.bad)
            self.faults += [f"{name}: {line}" for line in found]

    def _refusal(self, error: UserError, delivery: Any, before: dict[Key, tuple]) -> list[str]:
        line, found = str(error), []
        if self.in_raw() != before:
            found.append("refused, but raw changed")
        if self.source not in line or "Traceback" in line or len(line) > LONGEST_MESSAGE:
            found.append(f"the message is not one clear line: {line}")
        if delivery.is_harmless:
            found.append(f"refused without need: {line}")
        return found

    @property
    def _warehouse(self) -> str:
        return f"warehouse_{self.source}"

    def _template(self, is_second: int) -> str:
        return f"mutations_{self.source}_{int(is_second)}"

    def _copy(self, source: str, target: str) -> None:
        self.cluster.drop_database(target)
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {target} template {source}")

    def _ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(connections.warehouse(self.source)) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def in_raw(self) -> dict[Key, tuple]:
        """Key -> day, quantity, cost and amount as loaded."""
        rows = self._ask(
            "select invoice_id, line_no::text, invoice_date, quantity, cost_amount, net_amount "
            "from raw.erp_invoice_lines"
        )
        return {row[:2]: row[2:] for row in rows}

    def waiting(self) -> set[Key]:
        """Keys of the lines in quarantine."""
        rows = self._ask(
            "select row_data ->> 'invoice_id', row_data ->> 'line_no' from quarantine.rows "
            "where entity = 'erp.invoice_lines' and resolved_run is null"
        )
        return {(str(invoice), str(line)) for invoice, line in rows}


def wrong(
    truth: Mapping[Key, set[tuple]] | None,
    raw: Mapping[Key, tuple],
    aside: Collection[Key],
    bad: Collection[Key],
) -> list[str]:
    """Where an accepted delivery was not read as what it holds.

    Args:
        truth: Key -> its different rows; None if the delivery is no table at all.
        raw: Key -> the row as loaded.
        aside: Keys in quarantine.
        bad: Keys of rows that were made unreadable; such a key may be null in quarantine.
    """
    if truth is None:
        return ["a file that is no table of these columns was accepted"]
    found = [f"{key}: not in the file" for key in raw.keys() - truth.keys()]
    for key, versions in truth.items():
        if key in raw:
            if len(versions) > 1 or not any(same(raw[key], row) for row in versions):
                found.append(f"{key}: {raw[key]} for {sorted(map(str, versions))}")
        elif key not in aside and key not in bad:
            found.append(f"{key}: lost")
    if truth.keys() - raw.keys() and not aside:
        found.append("rows are missing and none is in quarantine")
    return found


def same(loaded: tuple, meant: tuple) -> bool:
    """Whether two rows are equal; a cell of a workbook is a double, right to 15 digits."""
    return all(
        abs(a - b) <= abs(b) * Decimal("1e-14")
        if isinstance(a, Decimal) and isinstance(b, Decimal) and a.is_finite()
        else a == b
        for a, b in zip(loaded, meant, strict=True)
    )
