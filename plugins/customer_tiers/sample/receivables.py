"""What is owed for invoices and how it is paid: late, in parts, under dispute, or never."""

from __future__ import annotations

import numpy as np

from customer_tiers.sample.company import TERM_DAYS, Company
from customer_tiers.sample.rows import NEVER, Array, Rows, generator, length, take, workday

_STREAM = 31

LOST_AFTER = 200
"""Days after the due date at which what a defaulter owes is written off."""


def open_items(company: Company, month: int, invoices: Rows, lines: Rows) -> Rows:
    """Draw the open item of each posted invoice with the days of its payments.

    Args:
        company: The company.
        month: Month of trading, for the random numbers.
        invoices: The month's invoices.
        lines: Their lines; `document` is the index of the line's invoice.

    Returns:
        One row per posted invoice: what is owed, `paid1_on`, `paid1`, `paid2_on`, `paid2`,
        `dispute_on`, `settled_on` (of the dispute), `lost_on`, `lost`, `posted_on`.
    """
    random = generator(company.parameters.seed, _STREAM, month)
    value = np.bincount(lines["document"], lines["net_value"], length(invoices)).astype(np.int64)
    draws = random.random((4, len(value)))
    spread = random.normal(0, 5, len(value))
    keep = (invoices["posted_on"] != NEVER) & (value > 0)
    owed, value = take(invoices, keep), value[keep]
    customer = owed["customer"]
    due = owed["document_date"] + TERM_DAYS[company.rows["term"][customer]]
    delay = np.clip(company.rows["lateness"][customer] + spread[keep], -14, 85).astype(np.int64)
    rows = {
        "document_no": owed["document_no"],
        "customer": customer,
        "issued_on": owed["document_date"],
        "due_on": due,
        "value": value,
        "currency": owed["currency"],
        "posted_on": owed["posted_on"],
    }
    return rows | _payments(rows, delay, company.rows["default_on"][customer], draws[:, keep])


def _payments(owed: Rows, delay: Array, default: Array, draws: Array) -> Rows:
    """Choose the days of payments; what a defaulter owes is written off."""
    due, value, posted = owed["due_on"], owed["value"], owed["posted_on"]
    is_disputed = draws[0] < 0.015
    disputed = np.maximum(due, posted) + 3
    settled = disputed + 7 + (draws[3] * 45).astype(np.int64)
    paid = np.where(is_disputed, settled + 5, due + delay)
    paid = workday(np.maximum(paid, posted + 1))
    is_split = draws[1] < 0.06
    first = np.where(is_split, (value * (0.3 + 0.4 * draws[2])).astype(np.int64), value)
    second = np.where(is_split, workday(paid + 12 + (draws[2] * 25).astype(np.int64)), NEVER)
    is_first_lost = paid >= default
    is_lost = is_first_lost | (is_split & (second >= default))
    return {
        "paid1_on": np.where(is_first_lost, NEVER, paid),
        "paid1": first,
        "paid2_on": np.where(is_lost, NEVER, second),
        "paid2": value - first,
        "dispute_on": np.where(is_disputed, disputed, NEVER),
        "settled_on": np.where(is_disputed, settled, NEVER),
        "lost_on": np.where(is_lost, np.maximum(due + LOST_AFTER, posted), NEVER),
    }
