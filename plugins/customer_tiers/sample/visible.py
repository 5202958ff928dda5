"""What the ERP's tables hold on an evening, of documents whose whole life is known.

Each function takes rows with the days of their changes and a window of days, and returns the rows
that changed within the window as they stand at its end. A window that starts before all time gives
whole tables; one that starts at yesterday's evening gives the night's changes.
"""

from __future__ import annotations

import numpy as np

from customer_tiers.sample.cast import INTERNAL
from customer_tiers.sample.company import Company
from customer_tiers.sample.rows import (
    NEVER,
    NONE,
    Array,
    Rows,
    Window,
    divide,
    evening,
    month_of,
    take,
)
from customer_tiers.sample.trading import Trading
from customer_tiers.sample.words import BRANCHES

LEDGER_KINDS = 3
"""Revenue, cost of goods, freight: the order of `tables.ACCOUNT_NUMBERS`."""


def cut(rows: Rows, window: Window, created: str, *changes: str) -> Rows:
    """Keep rows that exist at the window's end and changed within it; add `changed_at`."""
    changed = rows[created].copy()
    for name in changes:
        happened = rows[name] <= window.through
        changed = np.where(happened, np.maximum(changed, rows[name]), changed)
    keep = (rows[created] <= window.through) & (changed > window.after)
    return take(rows | {"changed_at": evening(changed)}, keep)


def past(days: Array, window: Window) -> Array:
    """Return each day if it has come by the window's end, else nothing."""
    return np.where(days <= window.through, days, NEVER)


def debtors(company: Company, window: Window) -> Rows:
    """Return the table `debtor`."""
    changes = ("closed_on", "blocked_on", "merged_on", "rep_changed_on")
    index = np.arange(company.size)
    rows = cut(company.rows | {"index": index}, window, "opened_on", *changes)
    has = {name: rows[name] <= window.through for name in changes}
    state = np.where(has["closed_on"], 2, np.where(has["blocked_on"], 1, 0))
    state[rows["index"] == INTERNAL] = 3
    branches = np.array([branch[0] for branch in BRANCHES], dtype=object)
    rep = np.where(has["rep_changed_on"], rows["rep_after"], rows["rep_before"])
    limit = np.rint(rows["annual"] / 5_000).astype(np.int64) * 100_000 + 200_000
    return {
        "debtor_no": rows["debtor_no"],
        "name1": rows["name"],
        "vat_no": rows["tax_id_typed"],
        **{name: rows[name] for name in ("street", "postcode", "city", "phone", "invoice_mail")},
        "country_code": rows["country"],
        "region_name": rows["region"],
        "branch_code": branches[rows["branch"]],
        "state_code": state,
        "opened_on": rows["opened_on"],
        "currency_code": rows["currency"],
        "credit_limit": limit,
        "payment_term": rows["term"],
        "head_office_no": rows["head_office_no"],
        "rep_no": company.user_numbers(rep),
        "replaced_by_no": np.where(has["merged_on"], rows["replaced_by_no"], NONE),
        "changed_at": rows["changed_at"],
    }


def orders(company: Company, trading: Trading, window: Window) -> Rows:
    """Return the table `sales_order`."""
    rows = cut(trading.orders, window, "ordered_on", "shipped_on", "void_on")
    is_void = rows["void_on"] <= window.through
    is_shipped = rows["shipped_on"] <= window.through
    return {
        "order_no": rows["order_no"],
        "debtor_no": company.rows["debtor_no"][rows["customer"]],
        "ordered_on": rows["ordered_on"],
        "wanted_on": rows["wanted_on"],
        "shipped_on": past(rows["shipped_on"], window),
        "state_code": np.where(is_void, 2, np.where(is_shipped, 1, 0)),
        "entry_channel": rows["channel"],
        "changed_at": rows["changed_at"],
    }


def documents(company: Company, trading: Trading, window: Window) -> Rows:
    """Return the table `sales_document`."""
    rows = cut(trading.documents, window, "created_on", "posted_on")
    return {
        "document_no": rows["document_no"],
        "kind_code": rows["kind"],
        "debtor_no": company.rows["debtor_no"][rows["customer"]],
        "order_no": rows["order_no"],
        "document_date": rows["document_date"],
        "currency_code": rows["currency"],
        "state_code": (rows["posted_on"] <= window.through).astype(np.int64),
        "changed_at": rows["changed_at"],
    }


def lines(company: Company, trading: Trading, window: Window) -> Rows:
    """Return the table `sales_document_line`; posting the document stamps its lines too."""
    rows = cut(trading.lines, window, "created_on", "posted_on")
    copied = (
        "document_no",
        "line_no",
        "quantity",
        "list_value",
        "rebate_value",
        "net_value",
        "cost_value",
        "freight_value",
        "origin_document_no",
        "origin_line_no",
        "changed_at",
    )
    return {name: rows[name] for name in copied} | {
        "article_no": company.market.number[rows["article"]]
    }


def open_items(company: Company, trading: Trading, window: Window) -> Rows:
    """Return the table `open_item`."""
    changes = ("paid1_on", "paid2_on", "dispute_on", "settled_on", "lost_on")
    rows = cut(trading.items, window, "posted_on", *changes)
    has = {name: rows[name] <= window.through for name in changes}
    paid = np.where(has["paid1_on"], rows["paid1"], 0) + np.where(has["paid2_on"], rows["paid2"], 0)
    last = np.where(has["paid2_on"], rows["paid2_on"], rows["paid1_on"])
    return {
        "document_no": rows["document_no"],
        "debtor_no": company.rows["debtor_no"][rows["customer"]],
        "issued_on": rows["issued_on"],
        "due_on": rows["due_on"],
        "value": rows["value"],
        "settled_value": paid,
        "settled_on": past(last, window),
        "has_dispute": (has["dispute_on"] & ~has["settled_on"]).astype(np.int64),
        "lost_value": np.where(has["lost_on"], rows["value"] - paid, 0),
        "currency_code": rows["currency"],
        "changed_at": rows["changed_at"],
    }


def ledger_changes(company: Company, trading: Trading, window: Window) -> Rows:
    """Return by how much the documents posted within the window change the ledger's monthly totals.

    A line counts in the month of its document's date, however late it is entered: a late invoice
    changes a month that was over. It is turned into EUR at the rate of the day it is valued on and
    rounded to cents; a line without a cost counts with its quantity times the cost of that day.
    Credit notes count negative, and those that name an invoice are valued on the invoice's day, so
    that they take back what it brought.

    Returns:
        One row per month and account: month_start, account_no, balance (cents, credit negative),
        changed_at (evening of the last posting).
    """
    market, rows = company.market, trading.lines
    is_posted = (rows["posted_on"] <= window.through) & (rows["posted_on"] > window.after)
    rows = take(rows, is_posted)
    rate = market.rate_at(rows["currency"], rows["valued_on"])
    unit_cost = market.cost_at(rows["article"], rows["valued_on"])
    cost = divide(rows["cost_value"] * rate, 1_000_000)
    dated = divide(rows["quantity"] * unit_cost, 100_000)
    freight = np.maximum(rows["freight_value"], 0)
    amounts = (
        -divide(rows["net_value"] * rate, 1_000_000),
        np.where(rows["cost_value"] == NONE, dated, cost),
        divide(freight * rate, 1_000_000),
    )
    sign = np.where(rows["kind"] == 1, -1, 1)
    months, place = np.unique(month_of(rows["document_date"]), return_inverse=True)
    posted = np.zeros(len(months), dtype=np.int64)
    np.maximum.at(posted, place, rows["posted_on"])
    totals = np.zeros((LEDGER_KINDS, len(months)), dtype=np.int64)
    for kind, amount in enumerate(amounts):
        np.add.at(totals[kind], place, sign * amount)
    return {
        "month_start": np.tile(months, LEDGER_KINDS),
        "account_no": np.repeat(np.arange(LEDGER_KINDS), len(months)),
        "balance": totals.ravel(),
        "changed_at": evening(np.tile(posted, LEDGER_KINDS)),
    }
