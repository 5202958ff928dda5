"""What a check can see in the rows that is allowed, and yet is often a mistake of the mapping.

Each doubt is one query over the typed scratch tables of `promises`; what it finds becomes a hint.
None of them stops a source: only the owner of the data knows whether the rows are meant so. What
the lines say of goods and of money without goods is in `line_hints`.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from customer_tiers.sources.judgement import Report, short


@dataclass(frozen=True)
class Doubt:
    """A query that returns one row (how many, an example) and what to say of it.

    `needs` are the entities without which it has nothing to compare; `$base` in the query is the
    base currency. In the text, {count} and {example} are what the query found.
    """

    needs: tuple[str, ...]
    query: str
    text: str


LINES, CUSTOMERS, RATES = "erp.invoice_lines", "erp.customers", "erp.fx_rates"

RATE_JUMP = 1.5
"""Rates of one currency that follow each other do not differ by more: the sharpest falls of a day
of a traded currency stayed below it, while a rate turned round, of another company or per 100 units
lies beyond."""

UNIT_JUMP = 8
"""Prices of one unit of a product within a currency that differ by more are of different units."""

LEAST_TWINS = 5
"""Fewer documents that look alike are a customer who orders the same twice a day."""

TWINS_SHARE = 0.05
"""The same as a share of all documents."""

DOUBTS = (
    Doubt(
        (LINES,),
        """
        select count(*), any_value(invoice_id) from "typed erp.invoice_lines"
        where invoice_date is null and posted is false
        """,
        "erp.invoice_lines, column invoice_date: {count} lines without a day are not posted, for "
        "example of {example}: drafts; leave them out until they have a day (where ... is not "
        "null), or give the day on which they were written, and posted false",
    ),
    Doubt(
        (LINES, CUSTOMERS),
        """
        select count(*), any_value(line.invoice_id)
        from "typed erp.invoice_lines" as line
        inner join "typed erp.customers" as customer using (customer_id)
        where
            customer.currency <> $base and coalesce(line.currency, $base) = $base
            and coalesce(line.posted, true)
        having count(*) filter (where line.currency is null) > 0
        """,
        "erp.invoice_lines, column currency: {count} lines of customers that are invoiced in "
        "another currency count as base currency, for example of {example}; select the currency "
        "of the amounts, or of the company whose books they are from, unless they are converted",
    ),
    Doubt(
        (RATES,),
        """
        select count(*), any_value(currency || ' ' || valid_from)
        from (
            select
                currency, valid_from,
                rate / lag(rate) over (partition by currency order by valid_from) as step
            from "typed erp.fx_rates"
        ) as followed
        where step > $rate_jump or step < 1 / $rate_jump
        """,
        "erp.fx_rates, column rate: {count} rates differ from the one before by half or more, for "
        "example {example}: rates of another company, turned round, or for 100 units among them",
    ),
    Doubt(
        (RATES,),
        """
        select count(*), any_value(valid_from) from "typed erp.fx_rates"
        where currency = $base and rate <> 1
        """,
        "erp.fx_rates, column rate: {count} rates of the base currency are not 1, for example from "
        "{example} on: all rates must be to the base currency",
    ),
    Doubt(
        (LINES,),
        """
        select count(*), any_value(product_id)
        from (
            select
                product_id,
                quantile_cont(net_amount / quantity, 0.95)
                / nullif(quantile_cont(net_amount / quantity, 0.05), 0) as spread
            from "typed erp.invoice_lines"
            where quantity > 0 and net_amount > 0 and coalesce(line_kind, 'goods') = 'goods'
            group by product_id, coalesce(currency, $base)
            having count(*) >= 10 and count(distinct quantity) > 1
        ) as priced
        where spread > $unit_jump
        """,
        "erp.invoice_lines, column quantity: one unit of {count} products costs eight times as "
        "much on some lines as on others, for example of {example}: where they are sold by the "
        "piece and by the box, give the quantity in the unit of the product's cost",
    ),
    Doubt(
        (LINES,),
        """
        select sum(alike - 1), any_value(example)
        from (
            select count(*) as alike, min(invoice_id) || ' and ' || max(invoice_id) as example
            from (
                select
                    invoice_id, any_value(customer_id) as customer_id,
                    any_value(invoice_date) as day, any_value(document_type) as kind,
                    sum(net_amount) as amount, sum(quantity) as quantity, count(*) as lines,
                    list(product_id order by product_id) as products
                from "typed erp.invoice_lines"
                where coalesce(posted, true) and invoice_date is not null
                group by invoice_id
            ) as document
            group by customer_id, day, kind, amount, quantity, lines, products
            having count(*) > 1
        ) as twin
        having
            sum(alike - 1) >= $least_twins
            and sum(alike - 1) >= $twins_share * (
                select count(distinct invoice_id) from "typed erp.invoice_lines"
            )
        """,
        "erp.invoice_lines, column invoice_id: {count} documents are like another one in customer, "
        "day, products and amount, for example {example}: the same sale under two names, such as a "
        "receipt and the invoice that gathers it, or a document and its amended copy, counts twice",
    ),
)
"""What is looked for, in the order in which it is told."""


def add(report: Report, sink: duckdb.DuckDBPyConnection, base_currency: str) -> None:
    """Add a hint for each doubt that the typed rows of `promises` give rise to."""
    values = {
        "base": base_currency,
        "rate_jump": RATE_JUMP,
        "unit_jump": UNIT_JUMP,
        "least_twins": LEAST_TWINS,
        "twins_share": TWINS_SHARE,
    }
    for doubt in DOUBTS:
        if not all(report.counts.get(entity) for entity in doubt.needs):
            continue
        used = {name: value for name, value in values.items() if f"${name}" in doubt.query}
        found = sink.execute(doubt.query, used).fetchone()
        if found and found[0]:
            count, example = found
            report.hints.append(
                doubt.text.format(count=f"{int(count):,}", example=short(str(example)))
            )
