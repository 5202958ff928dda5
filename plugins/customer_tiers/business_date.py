"""The day that a night is about."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg

from customer_tiers.errors import UserError

SALES_MAY_PAUSE = timedelta(days=7)
"""How far a business date may lie beyond both the newest sale and the day of the run."""

# Each the first row of an index, where one query of all three would read the table.
DAYS = """
    with lines as not materialized (
        select invoice_date from raw.erp_invoice_lines where coalesce(posted, true)
    )
    select
        (select min(invoice_date) from lines),
        (select max(invoice_date) from lines),
        (select max(invoice_date) from lines where invoice_date <= %s)
"""


# A published night had sales of these days, which a load has changed since.
LOST = """
    select max(day)
    from ops.dirty_day
    where
        fact = 'sales'
        and day > %s
        and day <= (select max(business_date) from bi.publication where status = 'published')
"""


def settled(
    connection: psycopg.Connection, source: str, asked: date | None, run_date: date
) -> date:
    """The business date: as asked for, or the newest day of sales up to the day of the run.

    Raises:
        UserError: There is no sale up to it, it lies ahead of all sales and of the run, or sales of
            later days were published and are gone.
    """
    first, newest, until_now = connection.execute(DAYS, [run_date]).fetchone() or (None,) * 3
    day = asked or until_now
    where = f"source {source}, entity erp.invoice_lines, column invoice_date"
    if day is None or first is None or day < first:
        raise UserError(
            f"{where}: no posted sale up to {day or run_date} (the first is of {first}); "
            "check the extract, or give another business date with --date"
        )
    if newest is None or day > max(run_date, newest + SALES_MAY_PAUSE):
        raise UserError(
            f"{where}: business date {day} lies ahead of the newest sale ({newest}) and of "
            "today; give the day that the data describe with --date"
        )
    [(lost,)] = connection.execute(LOST, [day]).fetchall()
    if asked is None and lost is not None:
        raise UserError(
            f"{where}: sales up to {lost} were published, and now the newest are of {day}; check "
            f"that the extract is whole, or give --date {day} if the later ones are gone for good"
        )
    return day
