"""How much of what customers buy later do the best of a score buy? On real data.

    python bench/forecast.py FOLDER [--cut 2019-11-30] [--days 183]

FOLDER holds the AdventureWorks files. The company is played as of the cut, by the pipeline, with
nothing dated after it. Then the fifth of the customers with the best `tier_score` is taken, as it
is published under the policy that leads there and as each other policy would score them, and what
they bought in the days after is divided by what the best possible fifth bought. Beside it, the same
for the order by revenue of all time (ABC).
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

SHARE = 5
"""One customer in so many is taken."""

Money = dict[str, Decimal]


def main() -> None:
    """Print a table: score, share captured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cut", type=date.fromisoformat, default=date(2019, 11, 30))
    parser.add_argument("--days", type=int, default=183)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="customer-tiers-bench-") as home:
        Path(home).chmod(0o755)  # root's PostgreSQL runs as nobody, who must get in
        os.environ["CUSTOMER_TIERS_HOME"] = home
        history, later = sales(given.folder, given.cut, given.days)
        print(f"{len(history)} customers with sales up to {given.cut}; {given.days} days after it")
        print(f"{'revenue of all time (ABC)':<40}{captured(history, later, history):8.4f}")
        for name, found in scored(given.folder, given.cut):
            print(f"{name:<40}{captured(found, later, history):8.4f}")


def sales(folder: Path, cut: date, days: int) -> tuple[Money, Money]:
    """Revenue per customer: all of it up to the cut, and of the days after."""
    history: Money = defaultdict(Decimal)
    later: Money = defaultdict(Decimal)
    with (folder / "FactResellerSales.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            day = date.fromisoformat(row["OrderDate"][:10])
            if day <= cut:
                history[row["ResellerKey"]] += Decimal(row["SalesAmount"])
            elif day <= cut + timedelta(days=days):
                later[row["ResellerKey"]] += Decimal(row["SalesAmount"])
    return history, later


def captured(scores: Money, later: Money, customers: Iterable[str]) -> Decimal:
    """What the best by score bought later, as a fraction of what the best possible bought."""
    known = sorted(customers)  # customers with equal scores are taken in the order of their numbers
    taken = round(len(known) / SHARE)
    chosen = sorted(known, key=lambda name: -scores.get(name, Decimal(-1)))[:taken]
    best = sorted((later[name] for name in known), reverse=True)[:taken]
    return sum((later[name] for name in chosen), Decimal(0)) / sum(best, Decimal(0))


def scored(folder: Path, cut: date) -> list[tuple[str, Money]]:
    """Play the night of the cut; the scores as published, and those of each other policy."""
    import psycopg

    from customer_tiers import connections, contract, night, simulation
    from customer_tiers.embedded import postgres
    from customer_tiers.sources import definition

    source = definition.load("adventureworks", contract.load())
    postgres.start()
    run = night.Run("forecast", source.name, str(folder.resolve()), cut, cut)
    try:
        night.begin(run)
        night.load(run, "erp")
        settled = night.settle(run)
        for layer in ("facts", "tiers"):
            night.build(run, settled, layer)
        night.publish(run, settled)
        url = connections.warehouse(source.name)
        with psycopg.connect(url, autocommit=True) as connection:
            published = connection.execute("select min(policy_id) from bi.tier_decision").fetchone()
            (leading,) = published or ("",)
            found = [
                (f"tier_score as published ({leading})", scores(connection, "bi.tier_decision"))
            ]
            policies = connection.execute(
                "select policy_id from policy.tier_policies where policy_id <> %s order by 1",
                [leading],
            ).fetchall()
            for (policy,) in policies:
                simulation.replay(url, [policy], source=source)
                simulated = scores(connection, "simulation.int_tiers_decided")
                found.append((f"policy {policy}, simulated", simulated))
            return found
    finally:
        postgres.stop()


def scores(connection: psycopg.Connection, table: str) -> Money:
    """The score of each customer that is ranked."""
    rows = connection.execute(
        f"select customer_id, tier_score from {table} where tier_score is not null"
    ).fetchall()
    return {str(name): Decimal(score) for name, score in rows}


if __name__ == "__main__":
    main()
