"""Which days' facts a touched invoice line or receivable makes wrong.

Runs in the transaction that loaded the rows, on the temporary table `touched` (old and new versions
of every inserted, updated or deleted row), so that facts can never miss a change. A line counts on
its own day and, if it is a credit note, on the day of the sale it takes back; both are marked. The
facts find themselves which sale a credit note without a link takes back, and what a changed price
or rate touches (macros `widen_dirty_days_by_returns` and `widen_dirty_days_by_prices`).
"""

from __future__ import annotations

import psycopg

from customer_tiers import stopwatch
from customer_tiers.contract import Entity

LINES = "erp.invoice_lines"
RECEIVABLES = "erp.receivables"

FACTS = "candidate.int_days_rebuilt"
"""Made after all facts, and so there when all are; see dbt_project/macros/dirty_days.sql."""

RETURNED = """
analyze touched (customer_id, product_id, invoice_id, invoice_date, original_invoice_id);
drop table if exists pg_temp.returned;
create temporary table returned on commit drop as
select customer_id, invoice_date, original_invoice_id
from touched
where original_invoice_id is not null
union
-- a sale that arrives, moves or goes takes its credit notes along
select line.customer_id, line.invoice_date, line.original_invoice_id
from touched
inner join raw.erp_invoice_lines as line on line.original_invoice_id = touched.invoice_id;
analyze returned
"""
"""The credit notes that name a sale, of which one is touched. A table of its own, so that the
planner knows how few they are and looks their sales up: else it reads all lines there are."""

MARK = """
insert into ops.dirty_day (fact, key_id, day)
select 'sales', customer_id, invoice_date from touched
union
select 'sales', customer_id, invoice_date from returned
union
select 'sales', returned.customer_id, original.invoice_date
from returned
inner join raw.erp_invoice_lines as original on original.invoice_id = returned.original_invoice_id
union
-- under the day it had before, an original that moved or went is only here
select 'sales', returned.customer_id, touched.invoice_date
from returned
inner join touched on touched.invoice_id = returned.original_invoice_id
union
-- a later return that names no sale may take back this one
select 'sales', line.customer_id, line.invoice_date
from raw.erp_invoice_lines as line
where
    line.document_type = 'credit_note'
    and line.original_invoice_id is null
    and exists (
        select 1 from touched
        where
            touched.customer_id = line.customer_id
            and touched.product_id = line.product_id
            and touched.invoice_date <= line.invoice_date
            and touched.document_type = 'invoice'
    )
on conflict do nothing
"""

MARK_RECEIVABLES = """
insert into ops.dirty_day (fact, key_id, day)
select distinct 'receivables', customer_id, least(issued, due_date, paid_date) from touched
on conflict do nothing
"""
"""Nothing that is owed counts on an earlier day than these."""

LOCK = "select {}(hashtextextended('customer_tiers.facts', 0))"
"""Who marks days shares it until it commits; who builds the facts, which empty the list, has it
alone: what were marked meanwhile would be struck off with the rest."""

FIRST = {
    LINES: """
    create temporary table touched on commit drop as
    select customer_id, invoice_date, original_invoice_id, invoice_id, product_id, document_type
    from raw.erp_invoice_lines
    """,
    RECEIVABLES: """
    create temporary table touched on commit drop as
    select customer_id, issued, due_date, paid_date from raw.erp_receivables
    """,
}


@stopwatch.part("dirty days")
def mark(connection: psycopg.Connection, entity: Entity) -> int:
    """Mark the days that the entity's touched rows make dirty; return how many are new.

    After a first load all rows are new. As long as there are no facts nothing is marked then: they
    will be made from all lines.
    """
    if entity.name not in FIRST:
        return 0
    connection.execute(LOCK.format("pg_advisory_xact_lock_shared"))
    row = connection.execute(
        "select to_regclass('pg_temp.touched') is null, to_regclass(%s) is null", [FACTS]
    ).fetchone()
    is_first, has_no_facts = row or (False, False)
    if is_first and has_no_facts:
        return 0
    if is_first:
        connection.execute(FIRST[entity.name])
    if entity.name == RECEIVABLES:
        return connection.execute(MARK_RECEIVABLES).rowcount
    connection.execute(RETURNED)
    return connection.execute(MARK).rowcount
