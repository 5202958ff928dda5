"""The P&L of a receipt, and what moved it since the night that the receipt compares with."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from customer_tiers.digest.wording import words

Receipt = dict[str, Any]

P_AND_L = {
    "net_revenue": 1,
    "cogs": -1,
    "freight": -1,
    "cost_to_serve": -1,
    "financing": -1,
    "bad_debt": -1,
}
"""Line, as the mails name it too, and what a unit of it does to contribution."""


WATERFALL = {
    **{
        line: f"{line}_effect"
        for line in (
            *("volume", "price", "mix", "discount", "returns", "cost", "freight"),
            *("cost_to_serve", "financing", "bad_debt", "fx"),
        )
    },
    "restated": "restated_12m",
}
"""Term of the waterfall -> its column; together they are the change, to the cent."""

WIDTH = 100
"""Characters of a line of the waterfall."""


def lines(receipt: Receipt, before: Receipt | None) -> Iterator[str]:
    """Say the contribution, its P&L and the terms of its change.

    Args:
        receipt: Columns of `tier_decision`.
        before: The receipt that it compares with, if there is one.
    """
    yield f"contribution of 12 months: {receipt['contribution_12m']:,.2f}{_moved(receipt, before)}"
    for line, sign in P_AND_L.items():
        name, column = _name(line), f"{line}_12m"
        if receipt[column] is None:
            yield f"  {name:<26} {'no data':>16}"
            continue
        change = ""
        if before is not None:
            change = f" {sign * (receipt[column] - (before[column] or 0)) or 0:>+14,.2f}"
        amount = sign * receipt[column] or 0  # never -0.00
        yield f"  {name:<26} {amount:>16,.2f}{change}"
    yield from waterfall(receipt)


def _name(line: str) -> str:
    return words("en").name("lines", line)


def waterfall(receipt: Receipt) -> Iterator[str]:
    """Say what moved the contribution, the largest first, in lines of `WIDTH`, if anything did.

    Args:
        receipt: The columns of `WATERFALL` (money, may be None) and quantity_completeness (0 to 1,
            or None).
    """
    terms = [(receipt[column] or 0, _name(term)) for term, column in WATERFALL.items()]
    moved = sorted(
        ((a, name) for a, name in terms if round(a, 2)), key=lambda t: (-abs(t[0]), t[1])
    )
    if moved:
        text = "of the change: " + ", ".join(f"{amount:+,.2f} {name}" for amount, name in moved)
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    if moved and receipt["quantity_completeness"] not in (None, 1):
        yield (
            f"  quantities are known for {receipt['quantity_completeness']:.0%} of the sales; what "
            "the others did is among the products newly or no longer bought"
        )


def _moved(receipt: Receipt, before: Receipt | None) -> str:
    if before is None:
        return ""
    moved = receipt["contribution_12m"] - before["contribution_12m"]
    return f" ({moved:+,.2f} since {before['business_date']})"
