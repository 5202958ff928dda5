"""Which sale does a credit note take back that does not say? Rules, measured on those that say.

    python bench/returns.py [--customers 1200] [--months 30]

Makes the sample company, whose credit notes mostly name their invoice (3 to 49 days old, the line
drawn at random), hides the names, lets each rule guess, and prints how often the month is right.
`probable_sale_days` of dbt_project/macros/dirty_days.sql is the last rule. The delays are the
sample company's; the more often a customer buys a product, the less any rule can know.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

Line = dict[str, Any]
Rule = Callable[[list[Line], list[Line]], list[date | None]]
"""Sales and returns of one customer and product, oldest first -> day of each return's sale."""


def own_day(_: list[Line], returns: list[Line]) -> list[date | None]:
    """No rule: the day the credit note was posted."""
    return [line["invoice_date"] for line in returns]


def first_in_first_out(sales: list[Line], returns: list[Line]) -> list[date | None]:
    """The oldest sale that has units left."""
    left = [line["quantity"] for line in sales]
    days: list[date | None] = []
    for line in returns:
        back, day = line["quantity"], None
        for place, sale in enumerate(sales):
            if sale["invoice_date"] > line["invoice_date"] or back <= 0:
                break
            if left[place] > 0:
                day = day or sale["invoice_date"]
                taken = min(left[place], back)
                left[place], back = left[place] - taken, back - taken
        days.append(day)
    return days


def newest(sales: list[Line], returns: list[Line]) -> list[date | None]:
    """The newest sale."""
    return [max(_days(sales, line, 0), default=None) for line in returns]


def newest_of_as_many(sales: list[Line], returns: list[Line]) -> list[date | None]:
    """The newest sale of as many units, else the newest."""
    return [
        max(_days(sales, line, line["quantity"]) or _days(sales, line, 0), default=None)
        for line in returns
    ]


def _days(sales: list[Line], line: Line, units: int) -> list[date]:
    last = line["invoice_date"]
    return [
        sale["invoice_date"]
        for sale in sales
        if sale["invoice_date"] <= last and sale["quantity"] >= units
    ]


RULES: tuple[Rule, ...] = (own_day, first_in_first_out, newest, newest_of_as_many)


def main() -> None:
    """Print the share of right months and the mean error in days of each rule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_200)
    parser.add_argument("--months", type=int, default=30)
    given = parser.parse_args()
    with lines(given.customers, given.months) as found:
        sales, returns, sold_on = grouped(found)
    for rule in RULES:
        right = off = count = 0
        for key, group in returns.items():
            for line, guess in zip(group, rule(sales[key], group), strict=True):
                true = sold_on[line["original_invoice_id"]]
                day = guess or line["invoice_date"]
                count += 1
                right += (day.year, day.month) == (true.year, true.month)
                off += abs((day - true).days)
        print(f"{rule.__name__:20} month right {right / count:6.1%}, {off / count:5.1f} days off")


def grouped(found: list[Line]) -> tuple[dict, dict, dict[str, date]]:
    """Sales and returns by customer and product, and the day of each invoice."""
    sales: dict[tuple, list[Line]] = defaultdict(list)
    returns: dict[tuple, list[Line]] = defaultdict(list)
    for line in sorted(found, key=lambda line: (line["invoice_date"], line["invoice_id"])):
        key = line["customer_id"], line["product_id"]
        if line["document_type"] == "invoice":
            sales[key].append(line)
        elif line["original_invoice_id"] is not None:
            returns[key].append(line)
    return sales, returns, {x["invoice_id"]: x["invoice_date"] for x in found}


@contextmanager
def lines(customers: int, months: int) -> Iterator[list[Line]]:
    """The posted invoice lines of a sample company in a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="customer-tiers-bench-") as home:
        Path(home).chmod(0o755)  # PostgreSQL of a root user runs as nobody
        os.environ["CUSTOMER_TIERS_HOME"] = home
        import psycopg
        from psycopg.rows import dict_row

        from customer_tiers import sample, settings
        from customer_tiers.embedded import postgres

        cluster = postgres.start()
        try:
            erp, crm = (cluster.ensure_database(name) for name in ("erp", "crm"))
            sample.create(erp, crm, customers=customers, months=months)
            query = (settings.SOURCES / "sample" / "erp" / "invoice_lines.sql").read_bytes()
            with psycopg.connect(erp, row_factory=dict_row) as connection:
                yield [x for x in connection.execute(query) if x["posted"] is not False]
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
