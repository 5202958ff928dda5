"""Revenue, cost of goods and customers per month, to hold against the company's own books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from customer_tiers.currency import printed

MONTHS_SHOWN = 4
"""The newest months that are shown, the open one included; those before are in the sum."""

MONTHS = """
    with posted as (
        select
            month_start_date,
            bool_or(is_open) as is_open,
            sum(customers_total + unallocated_total) filter (where account_kind = 'revenue')
                as revenue,
            sum(customers_total + unallocated_total) filter (where account_kind = 'cogs') as cogs,
            sum(ledger_total) filter (where account_kind = 'revenue') as ledger_revenue,
            sum(ledger_total) filter (where account_kind = 'cogs') as ledger_cogs
        from bi.ledger_reconciliation group by month_start_date
    ),
    billed as (
        select month_start_date, count(*) as customers
        from bi.customer_contribution where gross_revenue <> 0 group by month_start_date
    )
    select
        month_start_date, is_open, revenue, cogs, coalesce(customers, 0),
        ledger_revenue, ledger_cogs
    from posted left join billed using (month_start_date)
    order by month_start_date
"""

CUSTOMERS = (
    "select count(distinct customer_id) from bi.customer_contribution where gross_revenue <> 0"
)

WIDTH = 120
"""Characters of a line: an amount that is cut off cannot be compared."""

NOT_DELIVERED = "not delivered"


class Month(NamedTuple):
    """What was posted in a month, base currency; None where the company has no data.

    Goods that come back count in the month in which they were posted, as in the books; customers
    are those with a sale in the month, internal ones left out.
    """

    first_day: date
    is_open: bool
    revenue: Decimal | None
    cogs: Decimal | None
    customers: int
    ledger_revenue: Decimal | None
    ledger_cogs: Decimal | None


def months(connection: psycopg.Connection) -> list[Month]:
    """All months up to the newest published night, the oldest first."""
    return [Month(*row) for row in connection.execute(MONTHS).fetchall()]


def print_months(
    connection: psycopg.Connection, currency: str | None, say: Callable[[str], None]
) -> None:
    """Print the newest months and the sum of all; nothing for a company without any posting."""
    found = months(connection)
    if found:
        say(f"to hold against the books, {currency}, as posted in each month:")
        Console(highlight=False, width=WIDTH).print(_table(connection, found, currency))


def _table(connection: psycopg.Connection, found: list[Month], currency: str | None) -> Table:
    has_ledger = any(m.ledger_revenue is not None or m.ledger_cogs is not None for m in found)
    titles = ["month", "revenue", "cost of goods", "customers"]
    if has_ledger:
        titles += ["ledger's revenue", "ledger's cost"]
    shown = Table(box=None, header_style="bold")
    for place, title in enumerate(titles):
        shown.add_column(title, justify="right" if place else "left", no_wrap=True)
    for month in found[-MONTHS_SHOWN:]:
        name = f"{month.first_day:%Y-%m}" + (", still open" if month.is_open else "")
        shown.add_row(name, *_cells(month, currency, has_ledger=has_ledger))
    [(customers,)] = connection.execute(CUSTOMERS).fetchall()
    shown.add_row(_span(found), *_cells(_sum(found, customers), currency, has_ledger=has_ledger))
    return shown


def _span(found: list[Month]) -> str:
    return f"all months since {found[0].first_day:%Y-%m}"


def _sum(found: list[Month], customers: int) -> Month:
    """All months together; of a ledger that lacks some of them there is no sum."""
    return Month(
        first_day=found[0].first_day,
        is_open=False,
        revenue=_total([month.revenue for month in found]),
        cogs=_total([month.cogs for month in found]),
        customers=customers,
        ledger_revenue=_whole([month.ledger_revenue for month in found]),
        ledger_cogs=_whole([month.ledger_cogs for month in found]),
    )


def _total(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _whole(amounts: list[Decimal | None]) -> Decimal | None:
    return None if None in amounts else _total(amounts)


def _cells(month: Month, currency: str | None, *, has_ledger: bool) -> Iterator[str]:
    yield _amount(month.revenue, currency)
    yield _amount(month.cogs, currency)
    yield f"{month.customers:,}"
    if has_ledger:
        yield _amount(month.ledger_revenue, currency)
        yield _amount(month.ledger_cogs, currency)


def _amount(amount: Decimal | None, currency: str | None) -> str:
    return NOT_DELIVERED if amount is None else printed(amount, currency)
