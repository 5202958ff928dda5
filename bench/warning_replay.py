"""How good are the early warnings? Plays month-ends of the sample company and looks on.

    python bench/warning_replay.py [--customers 1200] [--nights 12]

Each month-end is built as the night would have built it (`+early_warning`, business date in the
past). Truth is what followed: a customer is lost at a month-end if it ordered nothing in the 90
days after, or if the contribution of the three months after is less than half of the same months a
year before. A loss begins at the first month-end at which the customer is lost, and is certain 90
days later; until then a warning is early.

    warnings   distinct (customer, signal, since) first seen at a month-end, not the first one
    precision  share of them whose customer is lost at that month-end
    on         customers x month-ends with the signal on, new or old
    lost       share of them at which the customer is lost
    recall     share of the losses with a warning that began in the 90 days before the month-end at
               which the loss began, or before it was certain
    lead       median days from the first day of such a warning to the day the loss was certain
    *          strong warnings only (strength 40 and more), counted from the month-end they were so

The company and its services live in a folder of their own, which is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

STORY_DAY = date(2026, 6, 30)
MONTHS = 30
STRONG = 40
"""Strength from which a warning counts as strong."""

CERTAIN = timedelta(days=90)
"""How long nothing must be ordered before a customer is lost for certain."""

Row = dict[str, Any]


def month_ends(nights: int) -> list[date]:
    """The last month-ends that have three whole months after them, oldest first."""
    ends = [STORY_DAY]
    while len(ends) < nights + 3:
        ends.insert(0, ends[0].replace(day=1) - timedelta(days=1))
    return ends[:nights]


def load(customers: int) -> str:
    """Make the company, load it the way a night does, and return its warehouse."""
    from customer_tiers import connections, demo, night

    demo.create(customers, MONTHS, say, through=STORY_DAY.isoformat())
    run = night.Run("replay", demo.SOURCE, None, STORY_DAY, STORY_DAY)
    night.begin(run)
    for system in ("erp", "crm"):
        night.load(run, system)
    return connections.warehouse(demo.SOURCE)


def build(url: str, day: date, *models: str, is_tested: bool = False) -> None:
    """Build models as of a day; seeds and tests only with `is_tested`."""
    from customer_tiers import transform

    transform.run(
        url,
        select=list(models),
        variables={
            "business_date": day,
            "base_currency": "EUR",
            "rounding": "line",
            "source": "sample",
        },
        run_id=f"replay_{day}",
        command="build" if is_tested else "run",
    )


def read(url: str, query: str) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


class Truth:
    """What happened to the customers, seen from the end of the data."""

    def __init__(self, url: str) -> None:
        self.orders: dict[str, list[date]] = defaultdict(list)
        for customer, day in read(
            url, "select customer_id, day from candidate.int_order_days_resolved order by 2"
        ):
            self.orders[customer].append(day)
        self.months: dict[tuple[str, date], float] = {
            (customer, month): float(amount)
            for customer, month, amount in read(
                url,
                "select customer_id, month_start_date, contribution "
                "from candidate.customer_contribution",
            )
        }

    def is_active(self, customer: str, day: date) -> bool:
        """Three days of orders, one of them within the last 12 months."""
        known = [order for order in self.orders[customer] if order <= day]
        return len(known) >= 3 and known[-1] > day - timedelta(days=365)

    def usual_gap(self, customer: str, day: date) -> float:
        """Median of the days between the orders known on a day."""
        known = [order for order in self.orders[customer] if order <= day]
        return median((later - order).days for order, later in pairwise(known))

    def has_stopped(self, customer: str, day: date) -> bool:
        """Nothing ordered in the 90 days after."""
        return not any(day < order <= day + CERTAIN for order in self.orders[customer])

    def is_lost(self, customer: str, day: date) -> bool:
        """Stopped, or the contribution of three months fell by more than half in a year."""
        if self.has_stopped(customer, day):
            return True
        before = self.contribution(customer, day, years_back=1)
        return before > 0 and self.contribution(customer, day) < before / 2

    def contribution(self, customer: str, day: date, years_back: int = 0) -> float:
        """Contribution of the three months after a month-end, or of the same a year before."""
        first = (day + timedelta(days=1)).replace(year=(day + timedelta(days=1)).year - years_back)
        total = 0.0
        for _ in range(3):
            total += self.months.get((customer, first), 0.0)
            first = (first + timedelta(days=31)).replace(day=1)
        return total


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def replay(url: str, days: list[date]) -> list[Row]:
    """All warnings of all month-ends."""
    found = []
    for day in days:
        build(url, day, "+early_warning", is_tested=day == days[0])
        rows = read(
            url,
            "select customer_id, signal, since, strength, cause_code from candidate.early_warning",
        )
        say(f"{day}: {len(rows)} warnings")
        names = ("customer", "signal", "since", "strength", "cause")
        found += [{"night": day, **dict(zip(names, row, strict=True))} for row in rows]
    return found


@dataclass(frozen=True)
class Question:
    """Who is looked at, and what counts as lost."""

    text: str
    is_member: Callable[[str, date], bool]
    is_lost: Callable[[str, date], bool]


def questions(truth: Truth) -> list[Question]:
    return [
        Question(
            "ALL: lost = no order in 90 days, or contribution of 3 months down by more than half",
            lambda customer, day: truth.is_active(customer, day),
            truth.is_lost,
        ),
        Question(
            "REGULAR BUYERS (usual gap 14 days or less): lost = no order in 90 days",
            lambda customer, day: (
                truth.is_active(customer, day) and truth.usual_gap(customer, day) <= 14
            ),
            truth.has_stopped,
        ),
    ]


def report(truth: Truth, warnings: list[Row], days: list[date], question: Question) -> None:
    """Print a line per signal, and the causes."""
    members = [
        (customer, before, day)
        for before, day in pairwise(days)
        for customer in truth.orders
        if question.is_member(customer, day)
    ]
    lost = [
        (customer, day)
        for customer, before, day in members
        if question.is_lost(customer, day)
        and not question.is_lost(customer, before)
        and day + CERTAIN <= days[-1]  # a later loss may be warned of after the replay
    ]
    rate = sum(question.is_lost(customer, day) for customer, _, day in members) / len(members)
    print(f"\n{question.text}")
    print(f"month-ends {days[1]} to {days[-1]}, {len(members)} customers x month-ends")
    inside = {(customer, day) for customer, _, day in members}
    warned = {(row["customer"], row["night"]) for row in warnings}
    quiet = [question.is_lost(*pair) for pair in inside - warned]
    print(f"lost at one picked at random: {rate:.1%}, at one without a warning: {mean(quiet):.1%}")
    print(f"losses that began and were certain by the end: {len(lost)}\n")
    head = ("warnings", "precision", "on", "lost", "recall", "lead")
    print(f"{'signal':20}" + "".join(f"{name:>10}" for name in head))
    signals = sorted({row["signal"] for row in warnings})
    strong = [row for row in warnings if row["strength"] >= STRONG]
    for name, chosen, is_all in [
        *((name, [r for r in warnings if r["signal"] == name], True) for name in signals),
        *(
            (f"{name} *", [r for r in strong if r["signal"] == name], False)
            for name in sorted({row["signal"] for row in strong})
        ),
        ("any", warnings, True),
        ("any *", strong, False),
    ]:
        first: dict[tuple[str, str, date], date] = {}
        for row in chosen:
            first.setdefault((row["customer"], row["signal"], row["since"]), row["night"])
        fresh = [
            question.is_lost(customer, night)
            for (customer, _, _), night in first.items()
            if (customer, night) in inside
        ]
        while_on = [
            question.is_lost(*pair)
            for pair in inside & {(row["customer"], row["night"]) for row in chosen}
        ]
        began: dict[str, set[date]] = defaultdict(set)
        for (customer, _, since), night in first.items():
            began[customer].add(since if is_all else night)
        leads = lead_times(began, lost)
        print(
            f"{name:20}{len(fresh):10}{share(fresh):>10}{len(while_on):10}{share(while_on):>10}"
            f"{len(leads) / max(1, len(lost)):10.0%}{median(leads) if leads else 0:10.0f}"
        )
    print(f"\n{'cause':22}{'customers x nights':>19}{'lost':>6}")
    causes: dict[str, list[bool]] = defaultdict(list)
    for customer, night, cause in {
        (row["customer"], row["night"], row["cause"] or "none") for row in warnings
    }:
        if (customer, night) in inside:
            causes[cause].append(question.is_lost(customer, night))
    for cause, outcomes in sorted(causes.items()):
        print(f"{cause:22}{len(outcomes):19}{sum(outcomes) / len(outcomes):6.0%}")


def share(outcomes: list[bool]) -> str:
    return f"{mean(outcomes):.0%}" if outcomes else "-"


def lead_times(began: dict[str, set[date]], lost: list[tuple[str, date]]) -> list[int]:
    """Days from the first early warning of each loss that had one to the day it was certain."""
    leads = []
    for customer, day in lost:
        early = [since for since in began[customer] if day - CERTAIN < since < day + CERTAIN]
        if early:
            leads.append((day + CERTAIN - min(early)).days)
    return leads


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1200)
    parser.add_argument("--nights", type=int, default=12)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-replay-"))
    home.chmod(0o755)  # root's PostgreSQL runs as nobody, who must get in
    os.environ["CUSTOMER_TIERS_HOME"] = str(home)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
        del os.environ[name]
    from customer_tiers.embedded import postgres

    postgres.start()
    try:
        url = load(options.customers)
        days = month_ends(options.nights)
        warnings = replay(url, days)
        build(url, STORY_DAY, "+customer_contribution", "+int_order_days_resolved")
        truth = Truth(url)
        for question in questions(truth):
            report(truth, warnings, days, question)
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
