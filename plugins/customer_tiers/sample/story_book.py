"""A book in which stories write documents and contacts by hand, as `trading.py` draws them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from customer_tiers.sample.cast import CAST, MEMBERS
from customer_tiers.sample.company import TERM_DAYS, Company
from customer_tiers.sample.market import RATES
from customer_tiers.sample.people import AddressBook
from customer_tiers.sample.rows import (
    NEVER,
    NONE,
    Array,
    Rows,
    divide,
    month_start,
    to_date,
    to_day,
)
from customer_tiers.sample.trading import (
    CREDIT_NUMBERS,
    INVOICE_NUMBERS,
    ORDER_NUMBERS,
    Trading,
    number_base,
)

STORY_NUMBERS = 9_000_000
"""Running numbers within a month from which the documents of stories are numbered."""

LARGE_MIX = ("OX-LIQ", "NI-LIQ", "AR-LIQ", "CO-FG", "HE-50")
SMALL_MIX = ("OX-10", "NI-10", "CO-10", "AC-10", "MX-18")


@dataclass(frozen=True)
class Sale:
    """A sale to write down: what is worth how much, when, and how it is paid.

    Attributes:
        role: Role of the customer.
        invoiced: Day of the invoice.
        worth: Net amount in EUR, about.
        freight: Share of the amount that we pay for freight.
        rebate: Share of the list amount.
        articles: Numbers of the articles, one line each.
        is_paid: Is the invoice paid three days before it is due, or never.
        entered: Day on which the invoice appears in the ERP, if not the day of the invoice.
    """

    role: str
    invoiced: int
    worth: float
    freight: float = 0.02
    rebate: float = 0.05
    articles: tuple[str, ...] = LARGE_MIX
    is_paid: bool = True
    entered: int | None = None


class StoryBook:
    """Collects the documents, activities and surveys of the stories."""

    def __init__(self, company: Company, book: AddressBook) -> None:
        self.company = company
        self.book = book
        self._parts: dict[str, list[Rows]] = {
            name: [] for name in ("orders", "documents", "lines", "items", "activity", "survey")
        }
        self._numbers: Counter[tuple[str, int, str]] = Counter()

    def trading(self) -> Trading:
        """Return all documents written so far."""
        parts = {name: self._joined(name) for name in ("orders", "documents", "lines", "items")}
        return Trading(**parts)

    def contacts(self) -> dict[str, Rows]:
        """Return all activities and surveys written so far, by table."""
        return {name: self._joined(name) for name in ("activity", "survey")}

    def _joined(self, name: str) -> Rows:
        parts = self._parts[name]
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}

    def _number(self, what: str, role: str, day: int) -> int:
        parameters = self.company.parameters
        month = parameters.month_number(to_date(day))
        self._numbers[what, month, role] += 1
        running = MEMBERS.index(role) * 1_000 + self._numbers[what, month, role]
        return number_base(self.company, month) + STORY_NUMBERS + running

    def _add(self, name: str, count: int, **columns: Any) -> Rows:
        rows = {
            column: np.broadcast_to(np.asarray(value), count) for column, value in columns.items()
        }
        self._parts[name].append(rows)
        return rows

    def sell(self, sale: Sale) -> Rows:
        """Write the order, the invoice and the open item of a sale; return its lines."""
        customer, entered = MEMBERS.index(sale.role), sale.entered or sale.invoiced
        currency, count = CAST[sale.role].currency, len(sale.articles)
        article = self._articles(sale.articles)
        amounts = self._amounts(sale, article)
        order_no = ORDER_NUMBERS + self._number("order", sale.role, sale.invoiced)
        self._add(
            "orders",
            1,
            order_no=order_no,
            customer=customer,
            ordered_on=sale.invoiced - 4,
            wanted_on=sale.invoiced - 1,
            shipped_on=sale.invoiced - 1,
            void_on=NEVER,
            channel=1,
        )
        head = {
            "document_no": INVOICE_NUMBERS + self._number("invoice", sale.role, sale.invoiced),
            "kind": 0,
            "customer": customer,
            "document_date": sale.invoiced,
            "currency": currency,
            "created_on": entered,
            "posted_on": entered,
        }
        self._add("documents", 1, order_no=order_no, **head)
        lines = self._add(
            "lines",
            count,
            line_no=np.arange(count) + 1,
            article=article,
            origin_document_no=NONE,
            origin_line_no=NONE,
            valued_on=sale.invoiced,
            **amounts,
            **head,
        )
        self._owe(sale, int(lines["net_value"].sum()), head)
        return lines

    def _articles(self, names: tuple[str, ...]) -> Array:
        number = {name: index for index, name in enumerate(self.company.market.number)}
        return np.array([number[name] for name in names])

    def _amounts(self, sale: Sale, article: Array) -> Rows:
        """Price the lines of a sale; each is worth the same."""
        currency, count = CAST[sale.role].currency, len(article)
        freight = sale.worth * sale.freight / count / RATES[currency]
        return self.company.market.line_amounts(
            article,
            np.full(count, currency),
            np.full(count, sale.invoiced),
            np.full(count, sale.worth / count),
            np.full(count, sale.rebate),
        ) | {"freight_value": np.full(count, round(freight * 100))}

    def _owe(self, sale: Sale, value: int, head: dict[str, int]) -> None:
        due = sale.invoiced + int(TERM_DAYS[CAST[sale.role].term])
        self._add(
            "items",
            1,
            document_no=head["document_no"],
            customer=head["customer"],
            issued_on=sale.invoiced,
            due_on=due,
            value=value,
            currency=head["currency"],
            posted_on=head["posted_on"],
            paid1_on=max(due - 3, head["posted_on"]) if sale.is_paid else NEVER,
            paid1=value,
            paid2_on=NEVER,
            paid2=0,
            dispute_on=NEVER,
            settled_on=NEVER,
            lost_on=NEVER,
        )

    def take_back(self, role: str, lines: Rows, day: int) -> None:
        """Write a credit note for all of an invoice's lines, each naming the line it takes back."""
        head = {
            "document_no": CREDIT_NUMBERS + self._number("credit", role, day),
            "kind": 1,
            "customer": MEMBERS.index(role),
            "document_date": day,
            "currency": CAST[role].currency,
            "created_on": day,
            "posted_on": day,
        }
        self._add("documents", 1, order_no=NONE, **head)
        copied = ("line_no", "article", "quantity", "list_value", "rebate_value", "net_value")
        self._add(
            "lines",
            len(lines["line_no"]),
            cost_value=lines["cost_value"],
            freight_value=NONE,
            origin_document_no=lines["document_no"],
            origin_line_no=lines["line_no"],
            valued_on=lines["valued_on"],
            **{name: lines[name] for name in copied},
            **head,
        )

    def visit(self, role: str, day: int, minutes: int) -> None:
        """Write down a visit by the account's owner."""
        index = MEMBERS.index(role)
        owner = np.array([self.book.rows["rep_before"][index]])
        self._add(
            "activity",
            1,
            activity_no=self._number("visit", role, day),
            account_no=self.book.rows["account_no"][index],
            user_no=self.company.user_numbers(owner),
            type_code=1,
            happened_at=day * 86_400 + 9 * 3_600,
            duration_minutes=minutes,
            met_with=1,
            created_on=day,
        )

    def ask(self, role: str, day: int, form: int, rating: int) -> None:
        """Write down a survey answered on the day it was sent; form 0 is CSAT, 1 is NPS."""
        self._add(
            "survey",
            1,
            survey_no=self._number("survey", role, day),
            account_no=self.book.rows["account_no"][MEMBERS.index(role)],
            form=form,
            sent_at=day * 86_400 + 8 * 3_600,
            replied_at=day * 86_400 + 13 * 3_600,
            rating=rating,
            created_on=day,
        )

    def month_day(self, month: int, day: int) -> int:
        """Return a day of a month of trading."""
        return to_day(self.company.parameters.month(month)) + day - 1

    def net_revenue(self, lines: Rows) -> int:
        """Return the net amount of invoice lines in EUR cents, each line rounded."""
        rate = self.company.market.rate_at(lines["currency"], lines["document_date"])
        return int(divide(lines["net_value"] * rate, 1_000_000).sum())

    def first_of_month(self, day: int) -> str:
        """Return the first day of the month of a day in ISO form."""
        return month_start(to_date(day)).isoformat()
