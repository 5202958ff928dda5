"""The customers of the sample company: who they are and how they behave, fixed for all time.

Index 0.. is the cast of the stories, then one internal customer, then everybody else. Customers who
join after the story day are drawn here too; they are not visible before the day they are opened.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from customer_tiers.sample import addresses
from customer_tiers.sample.cast import CAST, CAST_SIZE, INTERNAL, MEMBERS
from customer_tiers.sample.market import YEARS_AHEAD, Market, Parameters
from customer_tiers.sample.names import as_typed, company_names, places, tax_ids
from customer_tiers.sample.rows import NEVER, NONE, Array, Rows, generator, to_day
from customer_tiers.sample.words import BRANCHES, COUNTRIES

_STREAM_PEOPLE, _STREAM_NAMES, _STREAM_LIFE, _STREAM_HABITS = 11, 12, 13, 14
_STREAM_ADDRESSES = 15

MEDIAN_ANNUAL = 6_000.0
"""EUR per year that the customer in the middle buys."""

SPREAD = 1.7
"""Of the logarithm of a customer's size: the best fifth then earns four fifths of the profit."""

JOIN_PER_MONTH = 0.008
"""New customers per month after the story day, as a share of the customers."""

FAVOURITES = 6
"""Articles that a customer buys at most."""

TERM_DAYS = np.array([14, 30, 60])
"""Days to pay of each payment term, in the order of the column `payment_term`."""


class Company:
    """Everything about the sample company that does not depend on the day it is looked at.

    Attributes:
        rows: One row per customer: what never changes, the days of changes (`*_on`), and how the
            customer buys and pays.
        favourite: Per customer the indexes of the articles it buys, most frequent first.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.market = Market(parameters)
        self.first = to_day(parameters.first_day)
        self.story = to_day(parameters.story_day)
        self.last = to_day(parameters.last_day)
        self.owners = max(3, round(parameters.customers / 80))
        self.managers = -(-self.owners // 6)
        self.leaver, self.leaves_on = self.owners - 1, self.first + 400
        later = int(max(1.0, parameters.customers * JOIN_PER_MONTH) * 12 * YEARS_AHEAD)
        self.today, self.size = parameters.customers, parameters.customers + later
        self.rows: Rows = self._who()
        self.rows |= self._when()
        self.rows |= self._how()
        self._cast()
        self.rows |= addresses.draw(generator(parameters.seed, _STREAM_ADDRESSES), self.rows)
        self._number()
        self.favourite = self._favourites()

    @cached_property
    def big(self) -> float:
        """Return EUR per year that puts a customer above nearly all others at any population."""
        return float(MEDIAN_ANNUAL * np.exp(SPREAD * 2.5))

    def user_numbers(self, owner: Array) -> Array:
        """Return the number that both systems give to the owner with an index."""
        numbers = [f"U{self.managers + index + 1:03d}" for index in range(self.owners)]
        return np.array(numbers, dtype=object)[owner]

    def _who(self) -> Rows:
        random = generator(self.parameters.seed, _STREAM_PEOPLE)
        shares = np.array([entry.share for entry in COUNTRIES.values()])
        country = random.choice(len(shares), self.size, p=shares / shares.sum())
        in_euro = random.random(self.size) < 0.15  # some customers abroad are invoiced in EUR
        home = np.array([entry.currency for entry in COUNTRIES.values()])[country]
        names = generator(self.parameters.seed, _STREAM_NAMES)
        region, city = places(names, country)
        name, trade = company_names(names, country, city)
        code = {branch[0]: index for index, branch in enumerate(BRANCHES)}
        tax_id = tax_ids(names, country)
        return {
            "name": name,
            "tax_id": tax_id,
            "tax_id_typed": as_typed(names, tax_id, 0.12),
            "country": np.array(list(COUNTRIES), dtype=object)[country],
            "region": region,
            "city": city,
            "branch": np.array([code[branch] for branch in trade]),
            "currency": np.where(in_euro, 0, home),
            "term": random.choice(3, self.size, p=[0.25, 0.55, 0.2]),
        }

    def _when(self) -> Rows:
        """Draw the days of each customer's life: opened, first order, last order, closed."""
        random = generator(self.parameters.seed, _STREAM_LIFE)
        size, first = self.size, self.first
        is_old = random.random(size) < 0.74
        before = first - random.integers(30, 4_000, size)
        within = random.integers(first, self.story - 20, size)
        after = self.story + 1 + random.integers(0, self.last - self.story - 60, size)
        opened = np.where(is_old, before, within)
        opened[self.today :] = after[self.today :]
        start = np.maximum(opened + random.integers(0, 20, size), first)
        stop = start + 60 + random.exponential(365 / 0.07, size).astype(np.int64)
        defaults = random.integers(first + 120, self.last, size)
        is_defaulter = random.random(size) < 0.02
        default = np.where(is_defaulter, np.maximum(defaults, start + 60), NEVER)
        stop = np.minimum(stop, default + 90)
        is_closed = random.random(size) < 0.5
        moved = random.integers(first + 30, self.last, size)
        return {
            "opened_on": opened,
            "start": start,
            "stop": np.where(stop > self.last + 400, NEVER, stop),
            "default_on": default,
            "blocked_on": np.where(is_defaulter, default + 75, NEVER),
            "closed_on": np.where(is_closed & ~is_defaulter, stop + 90, NEVER),
            "merged_on": np.full(size, NEVER),
            "rep_changed_on": np.where(random.random(size) < 0.25, moved, NEVER),
        }

    def _how(self) -> Rows:
        """Draw how each customer buys and pays."""
        random = generator(self.parameters.seed, _STREAM_HABITS)
        size = self.size
        pull = np.array([branch[2] for branch in BRANCHES])[self.rows["branch"]]
        weight = np.clip(random.normal(0, 1, size), -2.6, 2.9)
        annual = MEDIAN_ANNUAL * np.exp(SPREAD * weight + 0.3 * pull)
        annual[random.random(size) < 0.08] *= 0.02  # asleep: a bottle now and then
        mood = random.random(size)
        growth = random.normal(0, 0.08, size)
        growth[mood < 0.08] += 0.45
        growth[mood > 0.92] -= 0.5
        draw = random.random(size)
        payer = np.where(
            draw < 0.68, -1.0, np.where(draw < 0.94, 10 + 30 * random.random(size), 60)
        )
        distance = np.exp(random.normal(0, 0.3, size))
        distance[random.random(size) < 0.03] *= 5  # far away and small drops: freight eats the sale
        rebate = np.clip(
            0.04 + 0.045 * np.log10(annual / 1_000) + random.normal(0, 0.04, size), 0, 0.3
        )
        rebate[random.random(size) < 0.02] = 0.48  # once negotiated, never looked at again
        rep = random.integers(0, self.owners, (2, size))
        head = random.integers(0, size, size) // 12 * 12
        rep[1][rep[1] == self.leaver] = 0
        return {
            "annual": annual,
            "growth": growth,
            "order_rate": np.clip(1.2 * (annual / MEDIAN_ANNUAL) ** 0.42, 0.12, 14),
            "lateness": payer,
            "distance": distance,
            "rebate": rebate,
            "returns": np.where(random.random(size) < 0.08, 0.08, 0.012),
            "satisfaction": np.clip(random.beta(5, 2.2, size), 0.05, 0.98),
            "portal": random.random(size),
            "rep_before": rep[0],
            "rep_after": rep[1],
            "head": np.where(random.random(size) < 0.08, head, NONE),
            "is_quiet": np.zeros(size, dtype=bool),
        }

    def _cast(self) -> None:
        """Give the first customers their roles and the next one the company's own use."""
        rows, codes = self.rows, [branch[0] for branch in BRANCHES]
        for index, role in enumerate(CAST.values()):
            rows["name"][index], rows["country"][index] = role.name, role.country
            rows["region"][index], rows["tax_id"][index] = role.region, role.tax_id
            rows["branch"][index] = codes.index(role.branch)
            old = self.first - 900 - index
            rows["opened_on"][index] = old if role.opened is None else self.story + role.opened
            rows["merged_on"][index] = NEVER if role.merged is None else self.story + role.merged
            rows["currency"][index], rows["term"][index] = role.currency, role.term
        cast = slice(0, CAST_SIZE + 1)
        rows["tax_id_typed"][cast] = rows["tax_id"][cast]
        for name in ("stop", "default_on", "blocked_on", "closed_on", "rep_changed_on"):
            rows[name][cast] = NEVER
        rows["start"][cast], rows["head"][cast] = self.first, NONE
        rows["closed_on"][cast] = rows["merged_on"][cast]
        rows["rep_before"][cast] = np.arange(CAST_SIZE + 1) % (self.owners - 1)
        rows["is_quiet"][:CAST_SIZE] = True  # the stories write these customers' documents
        rows["name"][INTERNAL], rows["country"][INTERNAL] = "Eigenverbrauch Füllwerk Köln", "DE"
        rows["opened_on"][INTERNAL] = self.first - 3_000
        rows["currency"][INTERNAL], rows["annual"][INTERNAL] = 0, 40_000.0
        rows["tax_id_typed"][INTERNAL] = None

    def _number(self) -> None:
        """Number customers in the order in which they were opened; resolve who belongs to whom."""
        rows = self.rows
        number = np.empty(self.size, dtype=np.int64)
        number[np.argsort(rows["opened_on"], kind="stable")] = 100_001 + np.arange(self.size)
        rows["debtor_no"] = number
        # heads of groups are old customers, so that no row names a customer that is not there yet
        head = rows.pop("head")
        is_old = (rows["opened_on"] < self.first) & ~rows["is_quiet"]
        is_fit = (head != NONE) & is_old[head] & (head > INTERNAL) & (head != np.arange(self.size))
        is_fit &= (head % 12 == 0) & (np.arange(self.size) % 12 != 0)  # no chains
        rows["head_office_no"] = np.where(is_fit, number[head], NONE)
        rows["replaced_by_no"] = np.full(self.size, NONE)
        for index, role in enumerate(CAST.values()):
            if role.merged_into is not None:
                rows["replaced_by_no"][index] = number[MEMBERS.index(role.merged_into)]

    def _favourites(self) -> Array:
        """Choose the articles that fit the worth of a customer's usual order line."""
        random = generator(self.parameters.seed, _STREAM_HABITS, 1)
        line = self.rows["annual"] / 12 / self.rows["order_rate"] / 3.0
        group = np.digitize(line, [60, 900])
        favourite = np.empty((self.size, FAVOURITES), dtype=np.int64)
        for index, mark in enumerate("smb"):
            fitting = np.flatnonzero(np.char.find(self.market.buyer, mark) >= 0)
            rows = np.flatnonzero(group == index)
            favourite[rows] = random.choice(fitting, (len(rows), FAVOURITES))
        return favourite
