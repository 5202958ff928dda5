"""Orders, invoices and credit notes of one month, with every day on which one of them changes.

A month is drawn from its own random numbers alone, so any month can be drawn again without those
before it. What is drawn is the whole life of each document; `visible.py` cuts it off at an evening.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer_tiers.sample.company import FAVOURITES, Company
from customer_tiers.sample.market import RATES
from customer_tiers.sample.receivables import open_items
from customer_tiers.sample.rows import (
    NEVER,
    NONE,
    Array,
    Rows,
    concat,
    divide,
    generator,
    length,
    month_start,
    take,
    to_day,
    workday,
)

_STREAM_ORDERS, _STREAM_LINES, _STREAM_CREDIT = 21, 22, 23

LIFE_DAYS = 400
"""No document changes later than this after the end of the month in which it was ordered."""

SEASON = (0.96, 0.97, 1.05, 1.02, 1.02, 1.03, 1.0, 0.86, 1.05, 1.07, 1.04, 0.93)
WEEKDAYS = (1.15, 1.1, 1.05, 1.0, 0.9, 0.08, 0.02)

ORDER_NUMBERS, INVOICE_NUMBERS, CREDIT_NUMBERS = 0, 100_000_000_000, 200_000_000_000
"""Number ranges; a number is range + year and month (2 + 2 digits) + 7 digits."""


@dataclass
class Trading:
    """Documents with all days on which they change; see `visible.py` for what they turn into."""

    orders: Rows
    documents: Rows
    lines: Rows
    items: Rows


def number_base(company: Company, month: int) -> int:
    """Return what is added to a running number within a month."""
    start = company.parameters.month(month)
    return (start.year % 100 * 100 + start.month) * 10_000_000


def trade(company: Company, month: int) -> Trading:
    """Draw all that is ordered in one month of trading and what becomes of it."""
    orders = _orders(company, month)
    lines = _lines(company, month, orders)
    invoices = _invoices(company, month, orders)
    lines = _on_documents(lines, invoices)
    credits, credit_lines = _credit_notes(company, month, invoices, lines)
    items = open_items(company, month, invoices, lines)
    columns = [name for name in credit_lines if name in lines]
    lines = {name: lines[name] for name in columns}
    documents = {name: invoices[name] for name in credits}
    return Trading(orders, concat([documents, credits]), concat([lines, credit_lines]), items)


def _orders(company: Company, month: int) -> Rows:
    random = generator(company.parameters.seed, _STREAM_ORDERS, month)
    rows, start = company.rows, company.parameters.month(month)
    first, end = to_day(start), to_day(month_start(start, 1))
    rate = rows["order_rate"] * trend(company, first) ** 0.4 * SEASON[start.month - 1]
    rate = np.where(rows["is_quiet"] | (rows["start"] >= end) | (rows["stop"] < first), 0, rate)
    customer = np.repeat(np.arange(company.size), random.poisson(rate))
    days = np.arange(first, end)
    weight = np.cumsum(np.array(WEEKDAYS)[(days + 3) % 7])
    ordered = first + np.searchsorted(weight, random.random(len(customer)) * weight[-1])
    is_alive = (ordered >= rows["start"][customer]) & (ordered < rows["stop"][customer])
    customer, ordered = customer[is_alive], ordered[is_alive]
    by_day = np.argsort(ordered, kind="stable")
    customer, ordered, count = customer[by_day], ordered[by_day], len(by_day)
    wanted = workday(ordered + random.integers(1, 9, count))
    late = np.where(random.random(count) < 0.11, random.integers(1, 7, count), 0)
    is_void = random.random(count) < 0.02
    draw = random.random(count)
    portal = rows["portal"][customer]
    return {
        "order_no": ORDER_NUMBERS + number_base(company, month) + 1 + np.arange(count),
        "customer": customer,
        "ordered_on": ordered,
        "wanted_on": wanted,
        "shipped_on": np.where(is_void, NEVER, workday(wanted + late)),
        "void_on": np.where(is_void, ordered + random.integers(1, 4, count), NEVER),
        "channel": np.where(draw < portal, np.where(portal > 0.8, 2, 1), (draw > 0.97) * 3),
    }


def trend(company: Company, day: int) -> Array:
    """Return how much more or less than at the start of trading each customer buys by now."""
    years = (day - company.first) / 365
    return np.clip(np.exp(company.rows["growth"] * years), 0.2, 2.5)


def _lines(company: Company, month: int, orders: Rows) -> Rows:
    """Draw the lines of the orders, priced on the day the goods leave."""
    random = generator(company.parameters.seed, _STREAM_LINES, month)
    orders = take(orders, orders["shipped_on"] != NEVER)
    customer, rows = orders["customer"], company.rows
    per_order = 1 + np.minimum(random.poisson(2.0, len(customer)), 9)
    order = np.repeat(np.arange(len(customer)), per_order)
    line_no = np.arange(len(order)) - np.repeat(np.cumsum(per_order) - per_order, per_order) + 1
    buyer = customer[order]
    size = (rows["annual"] / 12 / rows["order_rate"])[customer]
    size *= (trend(company, int(orders["ordered_on"].min(initial=company.first))) ** 0.6)[customer]
    share = 0.3 + random.random(len(order))
    share /= np.bincount(order, share, len(customer))[order]
    value = size[order] * share * np.exp(random.normal(-0.06, 0.35, len(order)))
    choice = (random.random(len(order)) ** 1.7 * FAVOURITES).astype(int)
    article = company.favourite[buyer, choice]
    currency = rows["currency"][buyer]
    day = orders["shipped_on"][order]
    rebate = np.clip(rows["rebate"][buyer] + random.normal(0, 0.02, len(order)), 0, 0.6)
    amounts = company.market.line_amounts(article, currency, day, value, rebate)
    is_unknown = company.market.is_cost_unknown[article] | (random.random(len(order)) < 0.08)
    freight = (24 * rows["distance"][buyer] * share + 0.03 * value) / np.array(RATES)[currency]
    is_collected = random.random(len(order)) < 0.06
    return amounts | {
        "order_no": orders["order_no"][order],
        "line_no": line_no,
        "article": article,
        "cost_value": np.where(is_unknown, NONE, amounts["cost_value"]),
        "freight_value": np.where(is_collected, NONE, np.rint(freight * 100).astype(np.int64)),
        "currency": currency,
    }


def _invoices(company: Company, month: int, orders: Rows) -> Rows:
    """Draw one invoice per shipped order: some drafts, some entered weeks late or never posted."""
    random = generator(company.parameters.seed, _STREAM_CREDIT, 10_000 + month)
    orders = take(orders, orders["shipped_on"] != NEVER)
    count = length(orders)
    dated = workday(orders["shipped_on"] + random.choice([0, 0, 0, 1, 2], count))
    belated = np.where(random.random(count) < 0.004, random.integers(8, 41, count), 0)
    draft = np.where(random.random(count) < 0.03, random.integers(1, 7, count), 0)
    created = dated + belated
    posted = np.where(random.random(count) < 0.003, NEVER, created + draft)
    return {
        "document_no": INVOICE_NUMBERS + number_base(company, month) + 1 + np.arange(count),
        "kind": np.zeros(count, dtype=np.int64),
        "customer": orders["customer"],
        "order_no": orders["order_no"],
        "document_date": dated,
        "currency": company.rows["currency"][orders["customer"]],
        "created_on": created,
        "posted_on": posted,
    }


def _on_documents(lines: Rows, invoices: Rows) -> Rows:
    """Put each line on the invoice of its order."""
    document = np.searchsorted(invoices["order_no"], lines["order_no"])
    origin = np.full(length(lines), NONE)
    copied = ("document_no", "customer", "document_date", "created_on", "posted_on", "kind")
    return (
        lines
        | {name: invoices[name][document] for name in copied}
        | {
            "document": document,
            "valued_on": invoices["document_date"][document],
            "origin_document_no": origin,
            "origin_line_no": origin.copy(),
        }
    )


def _credit_notes(company: Company, month: int, invoices: Rows, lines: Rows) -> tuple[Rows, Rows]:
    """Draw the returns of the month's invoices, most of them naming the line they take back."""
    random = generator(company.parameters.seed, _STREAM_CREDIT, month)
    draw = random.random(length(lines))
    is_back = (draw < company.rows["returns"][lines["customer"]]) & (lines["posted_on"] != NEVER)
    back = take(lines, is_back)
    count = length(back)
    part = np.where(random.random(count) < 0.6, 1.0, random.random(count))
    is_price = random.random(count) < 0.2  # the price was wrong; the goods stay where they are
    dated = workday(back["document_date"] + random.integers(3, 50, count))
    created = np.maximum(dated, back["posted_on"])
    is_linked = random.random(count) >= 0.07
    head = {
        "document_no": CREDIT_NUMBERS + number_base(company, month) + 1 + np.arange(count),
        "kind": np.ones(count, dtype=np.int64),
        "customer": back["customer"],
        "document_date": dated,
        "currency": back["currency"],
        "created_on": created,
        "posted_on": created,
    }
    documents = head | {"order_no": np.where(is_linked, back["order_no"], NONE)}
    return documents, head | _taken_back(back, part, is_price) | {
        "line_no": np.ones(count, dtype=np.int64),
        "article": back["article"],
        "freight_value": np.full(count, NONE),
        "origin_document_no": np.where(is_linked, back["document_no"], NONE),
        "origin_line_no": np.where(is_linked, back["line_no"], NONE),
        "valued_on": np.where(is_linked, back["document_date"], dated),
    }


def _taken_back(lines: Rows, part: Array, is_price: Array) -> Rows:
    """Return the amounts of credit notes: a part of the units, or a tenth off the price of all."""
    whole = lines["quantity"] // 1_000
    units = np.clip(np.ceil(whole * part).astype(np.int64), 1, whole)
    share = {name: divide(lines[name] * units, whole) for name in ("list_value", "rebate_value")}
    listed = np.where(is_price, divide(lines["list_value"], 10), share["list_value"])
    listed = np.maximum(listed, 1)
    rebate = np.where(is_price, 0, share["rebate_value"])
    cost = np.where(lines["cost_value"] == NONE, NONE, divide(lines["cost_value"] * units, whole))
    return {
        "quantity": np.where(is_price, lines["quantity"], units * 1_000),
        "list_value": listed,
        "rebate_value": rebate,
        "net_value": listed - rebate,
        "cost_value": np.where(is_price, 0, cost),
    }
