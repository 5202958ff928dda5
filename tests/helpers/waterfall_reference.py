"""The terms of a contribution's change in plain Python, from the rows that were loaded.

Nothing of dbt's models is used but the rates that were published with the night before. The
formulas are those of `dbt_project/README.md`, "Why the contribution moved".
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = Mapping[str, Any]
CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")
ZERO = Decimal(0)
AMOUNTS = ("quantity", "gross", "discounts", "cost", "returns", "cost_back", "freight")


@dataclass(frozen=True)
class Window:
    """Days after `start` up to `end`, as known on `end`."""

    start: date
    end: date


def cents(amount: Decimal) -> Decimal:
    """What the sample's ERP books, which rounds each line half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def probable_day(line: Row, sales: list[Row]) -> date:
    """The day of the sale that a return without a name takes back, or its own."""
    fitting = [
        sale
        for sale in sales
        if (sale["customer_id"], sale["product_id"]) == (line["customer_id"], line["product_id"])
        and sale["invoice_date"] <= line["invoice_date"]
    ]
    as_many = [sale for sale in fitting if sale["quantity"] >= line["quantity"]]
    own_day: date = line["invoice_date"]
    return max((sale["invoice_date"] for sale in as_many or fitting), default=own_day)


class Books:
    """What was sold to whom, from `raw`.

    Args:
        lines: Rows of erp.invoice_lines.
        costs: Rows of erp.product_costs, in base currency.
        products: Rows of erp.products.
        rates: Currency -> rate at which all amounts are valued.
    """

    def __init__(self, lines: list[Row], costs: list[Row], products: list[Row], rates: Row) -> None:
        self.rates = {"EUR": Decimal(1), **rates}
        self.standard = {row["product_id"]: row["standard_cost"] for row in products}
        self.costs: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(costs, key=lambda row: row["valid_from"]):
            self.costs[row["product_id"]].append(row)
        posted = [line for line in lines if line["posted"] is not False]
        self.sales = [line for line in posted if line["document_type"] == "invoice"]
        self.sold_on: dict[str, date] = {}
        for line in self.sales:
            day = self.sold_on.get(line["invoice_id"], line["invoice_date"])
            self.sold_on[line["invoice_id"]] = min(day, line["invoice_date"])
        self.lines: dict[str, list[Row]] = defaultdict(list)
        for line in posted:
            self.lines[line["customer_id"]].append({**line, "day": self.day(line)})

    def day(self, line: Row) -> date:
        """The day a line counts on: a credit note's is that of the sale it names, or may mean."""
        posted: date = line["invoice_date"]
        if line["document_type"] == "invoice":
            return posted
        if line["original_invoice_id"] is None:
            return probable_day(line, self.sales)
        sold = self.sold_on.get(line["original_invoice_id"], posted)
        return min(sold, posted)

    def cost(self, line: Row) -> Decimal:
        """Cost of goods at constant rates."""
        if line["cost_amount"] is not None:
            return cents(line["cost_amount"]) * self.rates[line["currency"]]
        dated = self.costs[line["product_id"]]
        day = line["day"] if line["original_invoice_id"] else line["invoice_date"]
        place = bisect_right([row["valid_from"] for row in dated], day)
        unit = self.standard[line["product_id"]]
        if place and (dated[place - 1]["valid_to"] or date.max) >= day:
            unit = dated[place - 1]["unit_cost"]
        return cents((unit or ZERO) * line["quantity"])

    def products(self, customer: str, window: Window) -> dict[str, dict[str, Decimal]]:
        """Product -> amounts of the window at constant rates."""
        found: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(AMOUNTS, ZERO))
        for line in self.lines[customer]:
            if not (window.start < line["day"] and line["invoice_date"] <= window.end):
                continue
            sums, rate = found[line["product_id"]], self.rates[line["currency"]]
            net = cents(line["net_amount"])
            sign = 1 if line["document_type"] == "invoice" else -1
            sums["freight"] += sign * cents(line["freight_amount"] or ZERO) * rate
            if sign < 0:
                sums["returns"] += net * rate
                sums["cost_back"] += self.cost(line)
                continue
            listed = line["list_amount"]
            listed = net + (line["discount_amount"] or 0) if listed is None else listed
            sums["quantity"] += line["quantity"]
            sums["gross"] += cents(listed) * rate
            sums["discounts"] += (cents(listed) - net) * rate
            sums["cost"] += self.cost(line)
        return found


def margin(sums: Mapping[str, Decimal]) -> Decimal:
    """What goods brought."""
    sold = sums["gross"] - sums["discounts"] - sums["cost"] - sums["freight"]
    return sold - sums["returns"] + sums["cost_back"]


def terms(books: Books, customer: str, before: Window, now: Window) -> dict[str, Decimal]:
    """The terms of goods, and the margins of both windows, to a millionth."""
    old, new = books.products(customer, before), books.products(customer, now)
    found: dict[str, Decimal] = defaultdict(Decimal)
    nothing = dict.fromkeys(AMOUNTS, ZERO)
    for product in {*old, *new}:
        a, b = old.get(product, nothing), new.get(product, nothing)
        found["margin_before"] += margin(a)
        found["margin_now"] += margin(b)
        found["freight_effect"] += a["freight"] - b["freight"]
        found["returns_effect"] += a["returns"] - a["cost_back"] - b["returns"] + b["cost_back"]
        if a["quantity"] > 0 and b["quantity"] > 0 and a["gross"] > 0:
            growth = b["quantity"] / a["quantity"]
            share = a["discounts"] / a["gross"]
            unit = a["gross"] - a["discounts"] - a["cost"]
            found["volume_effect"] += (growth - 1) * unit
            found["price_effect"] += (b["gross"] - growth * a["gross"]) * (1 - share)
            found["discount_effect"] += share * b["gross"] - b["discounts"]
            found["cost_effect"] += growth * a["cost"] - b["cost"]
    rounded = {name: amount.quantize(MILLIONTH, ROUND_HALF_UP) for name, amount in found.items()}
    goods = [name for name in rounded if name.endswith("_effect")]
    rounded["mix_effect"] = (
        rounded.get("margin_now", ZERO)
        - rounded.get("margin_before", ZERO)
        - sum((rounded[name] for name in goods), ZERO)
    )
    return rounded
