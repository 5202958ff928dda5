"""Which days' facts a touched row makes wrong.

Runs in the transaction that loaded the rows, on the temporary table `touched` (old and new versions
of every inserted, updated or deleted row), so that facts can never miss a change. A line counts on
its own day and, if it is a credit note, on the day of the sale it takes back; both are marked.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from customer_tiers.contract import Entity

LINES_THEMSELVES = """
    select customer_id, invoice_date, original_invoice_id, original_line_no from touched
    union all
    select line.customer_id, line.invoice_date, line.original_invoice_id, line.original_line_no
    from touched
    join raw.erp_invoice_lines as line on line.original_invoice_id = touched.invoice_id
"""
"""The touched lines and the credit notes that take them back."""

LINES_OF_PRODUCTS = """
    select line.customer_id, line.invoice_date, line.original_invoice_id, line.original_line_no
    from raw.erp_invoice_lines as line
    where line.cost_amount is null
        and line.product_id in (select touched.product_id from touched)
"""
"""Lines without a cost of their own, for which a product's cost is used."""

LINES_OF_CURRENCIES = """
    select line.customer_id, line.invoice_date, line.original_invoice_id, line.original_line_no
    from raw.erp_invoice_lines as line
    join (
        select currency, min(valid_from) as valid_from from touched group by currency
    ) as changed
        on changed.currency = line.currency and changed.valid_from <= line.invoice_date
"""
"""Lines in a currency whose rate changed, from that day on."""

LINES: dict[str, str] = {
    "erp.invoice_lines": LINES_THEMSELVES,
    "erp.products": LINES_OF_PRODUCTS,
    "erp.product_costs": LINES_OF_PRODUCTS,
    "erp.fx_rates": LINES_OF_CURRENCIES,
}
"""Entity -> the invoice lines whose amounts its touched rows change."""

MARK = """
with lines as ({lines})
insert into ops.dirty_day (fact, key_id, day)
select 'sales', customer_id, invoice_date from lines
union
select 'sales', lines.customer_id, original.invoice_date
from lines
join raw.erp_invoice_lines as original on original.invoice_id = lines.original_invoice_id
union
select 'sales', lines.customer_id, original.invoice_date
from lines
join touched_invoices as original on original.invoice_id = lines.original_invoice_id
on conflict do nothing
"""


def mark(connection: psycopg.Connection, entity: Entity) -> int:
    """Mark the days that the entity's touched rows make dirty; return how many are new."""
    if entity.name not in LINES:
        return 0
    connection.execute("drop table if exists pg_temp.touched_invoices")
    source = (
        "touched" if entity.name == "erp.invoice_lines" else "raw.erp_invoice_lines where false"
    )
    # A deleted or moved original is no longer in raw under its old day, but it is in `touched`.
    connection.execute(
        sql.SQL(
            "create temporary table touched_invoices on commit drop as "
            "select distinct invoice_id, invoice_date from {}"
        ).format(sql.SQL(source))  # type: ignore[arg-type]
    )
    statement = sql.SQL(MARK).format(lines=sql.SQL(LINES[entity.name]))  # type: ignore[arg-type]
    return connection.execute(statement).rowcount
