"""The planted stories: customers whose tier, and its change on the story day, is known beforehand.

Each story is far beyond what the population does, so that it holds at any size of the company, any
seed and any sensible cost rates. Customers who must reach the best tier are also as loyal as can be
(old, regular, broad, content, paying early), those who must be in the lowest one lose money.

A story's amounts are sized by `Company.big`: yearly sales that one customer in 160 exceeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from customer_tiers.sample.cast import CAST, MEMBERS
from customer_tiers.sample.company import Company
from customer_tiers.sample.people import AddressBook
from customer_tiers.sample.rows import Rows, to_date, to_day, workday
from customer_tiers.sample.story_book import SMALL_MIX, Sale, StoryBook

TRIFLE = 60.0
"""EUR of an order on which we lose money, because its freight costs more."""


@dataclass(frozen=True)
class Truth:
    """What must be seen of a story: on its day the tier goes from one to the other (None: any)."""

    before: str | None
    after: str | None
    description: str
    expected: dict[str, Any] = field(default_factory=dict)


class Stories:
    """Writes all stories up to a day into a book; `truths` says what must come of them."""

    def __init__(self, company: Company, book: AddressBook, until: int) -> None:
        self.company, self.until = company, until
        self.pages = StoryBook(company, book)
        self.day = company.story
        self.month = company.parameters.months - 1
        self.big = company.big
        self.truths: dict[str, Truth] = {}
        for role in MEMBERS:
            tell: Callable[[], Truth] | None = getattr(self, f"_{role}", None)
            if tell is not None:
                self.truths[role] = tell()

    def table(self) -> Rows:
        """Return the table `truth.story`."""
        number = self.company.rows["debtor_no"]
        truths = self.truths.values()
        texts = {
            "story": list(self.truths),
            "customer_id": [str(number[MEMBERS.index(role)]) for role in self.truths],
            "from_tier": [truth.before for truth in truths],
            "to_tier": [truth.after for truth in truths],
            "expected": [json.dumps(truth.expected) for truth in truths],
            "description": [truth.description for truth in truths],
        }
        rows: Rows = {name: np.array(values, dtype=object) for name, values in texts.items()}
        return rows | {"happens_on": np.full(len(self.truths), self.day)}

    # What several stories have in common

    def _monthly(
        self, role: str, worth: float, first: int = 0, last: int | None = None, **how: Any
    ) -> None:
        """Sell once a month, around the 12th, from one month of trading to another or for ever."""
        month = first
        while last is None or month <= last:
            day = int(workday(np.array([self.pages.month_day(month, 12)]))[0])
            if day > self.until:
                return
            self.pages.sell(Sale(role, day, worth, **how))
            month += 1

    def _trifles(self, role: str, first: int = 0) -> None:
        """Sell two small bottles a month, another kind each time, at a loss."""
        for month in range(first, first + 600):
            kinds = (SMALL_MIX[month % 5], SMALL_MIX[(month + 1) % 5])
            if self.pages.month_day(month, 12) > self.until:
                return
            self._monthly(role, TRIFLE, month, month, articles=kinds, freight=1.6)

    def _content(self, role: str) -> None:
        """Ask a customer every quarter, and get the best answers."""
        for month in range(2, self.month + 1, 3):
            self.pages.ask(role, self.pages.month_day(month, 16), 0, 5)
            self.pages.ask(role, self.pages.month_day(month, 17), 1, 10)

    def _large(self, role: str, **how: Any) -> None:
        self._monthly(role, self.big / 12, **how)
        self._content(role)

    def _small(self, role: str) -> None:
        self._trifles(role)
        self._content(role)
        for month in range(1, self.month + 1, 4):
            self.pages.visit(role, self.pages.month_day(month, 18), 90)

    def _year_before(self) -> int:
        """Return the day that lies in the eve's window of 12 months and not in the story day's."""
        day: date = to_date(self.day)
        last = day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)
        return to_day(last)

    # The stories

    def _riser(self) -> Truth:
        self._small("riser")
        lines = self.pages.sell(Sale("riser", self.day, self.big))
        change = self.pages.net_revenue(lines)
        return Truth(
            "low",
            "key",
            "A year's worth of a large customer is invoiced on the story day.",
            {"contribution_sign": 1, "direction": "up", **self._change(self.day, change)},
        )

    def _faller(self) -> Truth:
        self._small("faller")
        sold = self._year_before()
        self.pages.sell(Sale("faller", sold, self.big))
        return Truth(
            "key",
            "regular",
            "The one large sale is a year old and leaves the window of 12 months. A loss forbids "
            "key at once; its place, low, must be confirmed.",
            {
                "cut_tier": "low",
                "contribution_sign": -1,
                "direction": "down",
                "sold_on": to_date(sold).isoformat(),
            },
        )

    def _churner(self) -> Truth:
        self._monthly("churner", self.big / 50, last=self.month - 12)
        self._monthly(
            "churner", TRIFLE, self.month - 11, self.month - 10, freight=1.6, articles=SMALL_MIX[:2]
        )
        for month in range(self.month - 9, self.month + 1):
            self.pages.visit("churner", self.pages.month_day(month, 18), 150)
        return Truth(
            None,
            "low",
            "Bought every month until ten months ago; we still visit.",
            {"contribution_sign": -1},
        )

    def _non_payer(self) -> Truth:
        unpaid = self.month - 8
        self._monthly("non_payer", self.big / 8, last=unpaid - 1)
        self._monthly("non_payer", self.big / 8, unpaid, is_paid=False)
        self._content("non_payer")
        return Truth(
            None,
            "regular",
            "Buys much and has paid nothing for nine months: flagged and capped.",
            {"risk_flag": "dishonest", "not_tiers": ["key", "major"]},
        )

    def _big_return(self) -> Truth:
        self._small("big_return")
        sold = self.day - 140
        lines = self.pages.sell(Sale("big_return", sold, self.big))
        self.pages.take_back("big_return", lines, self.day)
        change = -self.pages.net_revenue(lines)
        return Truth(
            "key",
            "regular",
            "The one large sale, months ago, is taken back whole on the story day. A loss forbids "
            "key at once; its place, low, must be confirmed.",
            {
                "cut_tier": "low",
                "contribution_sign": -1,
                "direction": "down",
                **self._change(sold, change),
            },
        )

    def _duplicate(self) -> Truth:
        merged = self.month - 4
        self._large("duplicate_old", last=merged)
        # what is left under the new number loses money: only both together are a key customer
        for month in range(merged + 1, self.month + 600):
            if self.pages.month_day(month, 12) > self.until:
                break
            self._monthly("duplicate", TRIFLE, month, month, freight=1.6, articles=SMALL_MIX[:2])
        self._content("duplicate")
        return Truth(
            "key",
            "key",
            "One company under two ERP numbers, merged months ago; the CRM has it twice, once "
            "linked to the old number and once only by the tax id in another form.",
            self._survivor("duplicate") | {"contribution_sign": 1},
        )

    def _merge(self) -> Truth:
        self._trifles("merge")
        self._large("merge_old", last=self.month)
        self._content("merge")
        return Truth(
            "low",
            "key",
            "The ERP merges a key customer into a small one on the story day.",
            self._survivor("merge") | {"contribution_sign": 1, "direction": "up"},
        )

    def _late_invoice(self) -> Truth:
        self._monthly("late_invoice", self.big / 200)
        dated = self.day - 70
        lines = self.pages.sell(Sale("late_invoice", dated, self.big / 80, entered=self.day))
        return Truth(
            None,
            None,
            "An invoice dated ten weeks back is entered on the story day.",
            self._change(dated, self.pages.net_revenue(lines)),
        )

    def _newcomer(self) -> Truth:
        for day in range(self.day - 50, self.until + 1, 7):
            self.pages.sell(Sale("newcomer", day, self.big / 40))
        return Truth("new", "new", "First bought seven weeks ago, and a lot.")

    def _graduate(self) -> Truth:
        day = to_date(self.day)
        month = (day.month - 4) % 12 + 1
        year = day.year - (day.month <= 3)
        first = to_day(date(year, month, min(day.day, 28 if month == 2 else 30)))
        for sold in range(first, self.until + 1, 28):
            self.pages.sell(Sale("graduate", sold, TRIFLE, freight=1.6, articles=SMALL_MIX[:2]))
        self.pages.visit("graduate", first + 10, 120)
        return Truth(
            "new",
            "low",
            "First invoice three months before the story day; small orders at a loss.",
            {"contribution_sign": -1, "first_invoice_on": to_date(first).isoformat()},
        )

    def _negative(self) -> Truth:
        self._monthly("negative", self.big / 12, rebate=0.45, freight=0.4)
        return Truth(
            "low",
            "low",
            "As much revenue as a key customer, but discount and freight eat more than all of it.",
            {"contribution_sign": -1, "not_tiers": ["key", "major"]},
        )

    def _fx(self) -> Truth:
        self._large("fx")
        lines = self.pages.trading().lines
        day = self.pages.month_day(self.month - 1, 1)
        customer = lines["customer"] == MEMBERS.index("fx")
        is_month = (
            customer
            & (lines["document_date"] >= day)
            & (lines["document_date"] < self.pages.month_day(self.month, 1))
        )
        net = self.pages.net_revenue({name: column[is_month] for name, column in lines.items()})
        return Truth(
            "key",
            "key",
            "A key customer invoiced in USD.",
            {
                "contribution_sign": 1,
                "currency": "USD",
                "month": self.pages.first_of_month(day),
                "net_revenue": f"{net / 100:.2f}",
            },
        )

    def _stable(self) -> Truth:
        self._large("stable")
        return Truth("key", "key", "Nothing happens to a key customer.", {"is_changed": False})

    def _stable_low(self) -> Truth:
        self._small("stable_low")
        return Truth("low", "low", "Nothing happens to a small customer.", {"is_changed": False})

    # What is expected

    def _change(self, day: int, cents: int) -> dict[str, str]:
        """Return by how much the net revenue of a day's month changes on the story day."""
        month = self.pages.first_of_month(day)
        return {"month": month, "net_revenue_change": f"{cents / 100:.2f}"}

    def _survivor(self, role: str) -> dict[str, str]:
        """Return who the owner of a merged customer is and whose sales count for it."""
        index, rows = MEMBERS.index(role), self.company.rows
        old = MEMBERS.index(next(name for name in CAST if CAST[name].merged_into == role))
        owner = self.company.user_numbers(rows["rep_before"][index : index + 1])[0]
        return {"owner_id": owner, "merged_customer_id": str(rows["debtor_no"][old])}
