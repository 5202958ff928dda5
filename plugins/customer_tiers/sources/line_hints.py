"""What the rows of `erp.invoice_lines` say of a mapping that reads them wrongly.

No rule of `expectations/` can see these: each row is right by itself, and the whole of them looks
like a credit for a price that was mapped as goods, an advance that was mapped as a sale, or a
credit note that was mapped as an invoice. All are hints: a company may do business that way.
"""

from __future__ import annotations

import re

import duckdb

from customer_tiers.sources.judgement import Report, short
from customer_tiers.sources.staged import quoted

LINES = "erp.invoice_lines"

SMALL_PART = 0.5
"""Goods that come back are credited at what they were sold for, less a fee: less than this share of
it is rather the price that is credited."""

GOODS = "coalesce(line_kind, 'goods') = 'goods' and coalesce(posted, true)"

PRICE_CREDITS = f"""
select count(*), any_value(note.invoice_id)
from lines as note
inner join (
    select invoice_id, product_id, sum(net_amount) / sum(quantity) as price
    from lines where document_type = 'invoice' and quantity > 0 and net_amount > 0 and {GOODS}
    group by invoice_id, product_id
) as sale
    on note.original_invoice_id = sale.invoice_id and note.product_id = sale.product_id
where
    note.document_type = 'credit_note' and note.quantity > 0 and {GOODS}
    and note.net_amount < {SMALL_PART} * note.quantity * sale.price
"""

PRICE_CREDITS_WITHOUT_SALE = f"""
select count(*), any_value(note.invoice_id)
from lines as note
inner join (
    select customer_id, product_id, min(net_amount / quantity) as price
    from lines where document_type = 'invoice' and quantity > 0 and net_amount > 0 and {GOODS}
    group by customer_id, product_id
) as sale
    on note.customer_id = sale.customer_id and note.product_id = sale.product_id
where
    note.document_type = 'credit_note' and note.quantity > 0 and {GOODS}
    and note.original_invoice_id is null
    and note.net_amount < {SMALL_PART} * note.quantity * sale.price
"""

ADVANCES = """
select count(*), any_value(deduction.invoice_id)
from lines as deduction
where
    deduction.document_type = 'invoice' and deduction.net_amount < 0
    and coalesce(line_kind, 'price') <> 'down_payment'
    and exists (
        select 1 from lines as advance
        where
            advance.document_type = 'invoice'
            and coalesce(advance.line_kind, 'price') <> 'down_payment'
            and advance.customer_id = deduction.customer_id
            and advance.product_id = deduction.product_id
            and advance.net_amount = -deduction.net_amount
            and advance.invoice_id <> deduction.invoice_id
            and advance.invoice_date <= deduction.invoice_date
    )
"""

AGAINST_THEIR_DOCUMENT = """
select count(*), any_value(invoice_id)
from (
    select invoice_id from lines
    where document_type = '{0}' and coalesce(line_kind, 'goods') <> 'down_payment'
    group by invoice_id
    having sum(net_amount) < 0
)
"""

SILENT_DEDUCTIONS = """
select count(*), any_value(invoice_id)
from lines
where document_type = 'invoice' and quantity > 0 and net_amount < 0 and line_kind is null
"""

FINE_AMOUNTS = """
select
    case when abs(sum(round(net_amount, 2) - net_amount)) >= 0.01 then count(*) else 0 end,
    any_value(invoice_id)
from lines
where round(net_amount, 2) <> net_amount
"""

HINTS = (
    (
        PRICE_CREDITS,
        "column net_amount: {count} lines of credit notes take units back at less than half the "
        "price of the invoice that they name, for example {example}; if it is the price that is "
        "credited and no goods came back, give line_kind 'price', else their cost comes back and "
        "the credit raises the contribution",
    ),
    (
        PRICE_CREDITS_WITHOUT_SALE,
        "column net_amount: {count} lines of credit notes that name no invoice take units back at "
        "less than half of the lowest price that the customer paid for the product, for example "
        "{example}; if it is the price that is credited, give line_kind 'price', else the cost of "
        "goods comes back",
    ),
    (
        ADVANCES,
        "column line_kind: {count} negative lines of invoices take off exactly what an earlier "
        "invoice charged the customer for the same product, for example {example}; if the earlier "
        "line is an advance, give both line_kind 'down_payment', else an advance counts as a sale "
        "on its own day",
    ),
    (
        AGAINST_THEIR_DOCUMENT.format("invoice"),
        "column document_type: {count} invoices have a negative total, for example {example}; if "
        "they are credit notes, give document_type 'credit_note' and -quantity, -net_amount",
    ),
    (
        AGAINST_THEIR_DOCUMENT.format("credit_note"),
        "column net_amount: {count} credit notes have a negative total, for example {example}, so "
        "they charge the customer; give -net_amount if the system writes credit notes negative",
    ),
    (
        SILENT_DEDUCTIONS,
        "column line_kind: {count} lines of invoices have units and a negative amount, for example "
        "in {example}; they count as money without goods, so no cost comes back: give line_kind "
        "'price' if that is right, document_type 'credit_note' if goods came back",
    ),
)
"""Query of a count and an example, and what to say of it."""

AS_DELIVERED = (
    FINE_AMOUNTS,
    "column net_amount: {count} lines have amounts of more than two decimals, for example in "
    "{example}; they count as delivered, to a millionth: if the books round each line, or the "
    "total of each document, write `rounding: line`, or `rounding: document`, into source.yml",
)
"""Query and words for a source that does not say how its books round."""

IN_SELECT = (
    (
        re.compile(r"\babs\s*\(", re.IGNORECASE),
        "its SELECT calls abs(), which makes a sale of each deduction; give -quantity and "
        "-net_amount on the credit notes of a system that writes them negative, and the others as "
        "they are",
    ),
    (
        re.compile(
            r"\bwhere\b.*\b\w*(qty|quantity|menge|units|pieces)\w*\b[^<>!=;]{0,40}(<>|!=)\s*0\b",
            re.IGNORECASE | re.DOTALL,
        ),
        "its SELECT leaves out lines with a quantity of 0; price credits, debit notes and "
        "surcharges are such lines: let them in, they count as line_kind 'price'",
    ),
)
"""What a SELECT should not do with lines, and why."""

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def add(
    report: Report, sink: duckdb.DuckDBPyConnection, select: str | None, *, is_rounded: bool
) -> None:
    """Add a hint for each pattern in the lines, and in their SELECT, that a wrong mapping leaves.

    Args:
        report: Gets the hints.
        sink: Holds the view `typed erp.invoice_lines` of the rows that were read.
        select: The SELECT of the lines, if the source has one.
        is_rounded: The source says that its books round lines or documents.
    """
    if not report.counts.get(LINES):
        return
    for pattern, advice in IN_SELECT:
        if select and pattern.search(COMMENT.sub("", select)):
            report.hints.append(f"{LINES}: {advice}")
    sink.execute(f"create temp view lines as select * from {quoted(f'typed {LINES}')}")
    for query, words in HINTS if is_rounded else (*HINTS, AS_DELIVERED):
        [(count, example)] = sink.execute(query).fetchall()
        if count:
            said = words.format(count=f"{count:,}", example=repr(short(example)))
            report.hints.append(f"{LINES}, {said}")
    sink.execute("drop view lines")
