"""What is sold and at what price, cost and exchange rate on each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from customer_tiers.errors import UserError
from customer_tiers.sample.rows import (
    NEVER,
    Array,
    Rows,
    divide,
    evening,
    generator,
    month_start,
    months_between,
    to_day,
)

ARTICLES = (
    # number, description, family, unit, price EUR, cost EUR, who buys: s small, m medium, b bulk
    ("OX-10", "Oxygen 2.5, cylinder 10 l", "OXY", "cylinder", 24.0, 9.6, "s"),
    ("OX-50", "Oxygen 2.5, cylinder 50 l", "OXY", "cylinder", 52.0, 21.0, "m"),
    ("OX-MED", "Oxygen medical, cylinder 10 l", "OXY", "cylinder", 38.0, 15.5, "sm"),
    ("OX-PK", "Oxygen pack 12 x 50 l", "OXY", "pack", 480.0, 205.0, "m"),
    ("OX-LIQ", "Oxygen liquid, bulk", "OXY", "m3", 0.34, 0.17, "b"),
    ("NI-10", "Nitrogen 5.0, cylinder 10 l", "NIT", "cylinder", 27.0, 10.5, "s"),
    ("NI-50", "Nitrogen 5.0, cylinder 50 l", "NIT", "cylinder", 58.0, 22.5, "m"),
    ("NI-PK", "Nitrogen pack 12 x 50 l", "NIT", "pack", 520.0, 228.0, "m"),
    ("NI-LIQ", "Nitrogen liquid, bulk", "NIT", "m3", 0.29, 0.14, "b"),
    ("AR-10", "Argon 4.6, cylinder 10 l", "ARG", "cylinder", 36.0, 16.0, "s"),
    ("AR-50", "Argon 4.6, cylinder 50 l", "ARG", "cylinder", 96.0, 45.0, "m"),
    ("AR-50H", "Argon 5.0, cylinder 50 l", "ARG", "cylinder", 128.0, 58.0, "m"),
    ("AR-LIQ", "Argon liquid, bulk", "ARG", "m3", 1.65, 0.92, "b"),
    ("CO-10", "Carbon dioxide, cylinder 10 kg", "CO2", "cylinder", 22.0, 8.2, "s"),
    ("CO-30", "Carbon dioxide, cylinder 30 kg", "CO2", "cylinder", 46.0, 18.0, "sm"),
    ("CO-FG", "Carbon dioxide food grade, bulk", "CO2", "kg", 0.42, 0.22, "b"),
    ("AC-10", "Acetylene, cylinder 10 l", "ACE", "cylinder", 42.0, 19.0, "s"),
    ("AC-40", "Acetylene, cylinder 40 l", "ACE", "cylinder", 118.0, 56.0, "m"),
    ("AC-PK", "Acetylene pack 8 x 40 l", "ACE", "pack", 890.0, 430.0, "m"),
    ("HE-BAL", "Balloon helium, cylinder 10 l", "HEL", "cylinder", 86.0, 52.0, "s"),
    ("HE-50", "Helium 4.6, cylinder 50 l", "HEL", "cylinder", 410.0, 262.0, "m"),
    ("HE-60", "Helium 6.0, cylinder 50 l", "HEL", "cylinder", 565.0, 340.0, "m"),
    ("MX-18", "Welding mix Ar/CO2 18 %, cylinder 20 l", "MIX", "cylinder", 58.0, 24.0, "sm"),
    ("MX-50", "Welding mix Ar/CO2 18 %, cylinder 50 l", "MIX", "cylinder", 104.0, 47.0, "m"),
    ("MX-FOOD", "Food mix N2/CO2 70/30, cylinder 50 l", "MIX", "cylinder", 76.0, 31.0, "m"),
    ("MX-CAL", "Calibration mix, cylinder 10 l", "MIX", "cylinder", 340.0, 128.0, "m"),
    ("RN-10", "Rental of a cylinder up to 20 l, month", "RNT", "month", 7.5, 1.9, "sm"),
    ("RN-50", "Rental of a cylinder 50 l, month", "RNT", "month", 10.9, 2.6, "m"),
    ("RN-TNK", "Rental of a tank, month", "RNT", "month", 420.0, 165.0, "b"),
    ("IC-PEL", "Dry ice pellets 3 mm", "ICE", "kg", 2.4, 1.05, "sm"),
    ("IC-BLK", "Dry ice blocks", "ICE", "kg", 1.95, 0.88, "mb"),
    ("HW-REG", "Pressure regulator, two stages", "HDW", "piece", 148.0, 82.0, "m"),
    ("HW-HOS", "Hose set with flashback arrestor", "HDW", "piece", 64.0, 33.0, "sm"),
    ("HW-TRL", "Cylinder trolley", "HDW", "piece", 119.0, 71.0, "m"),
)

UNKNOWN_COST_FAMILIES = ("RNT", "MIX", "ICE")
"""The ERP books no cost on these lines; the dated cost of the article counts."""

RATES = (1.0, 0.92, 1.16, 1.05)
"""EUR per unit around which each currency moves, in the order of `CURRENCIES`."""

YEARS_AHEAD = 5
"""How many years after the story day the company can be advanced."""

_STREAM_COST, _STREAM_RATE = 1, 2
_DAYS_BEFORE = 10


@dataclass(frozen=True)
class Parameters:
    """What the company is made from; two companies with equal parameters are equal."""

    seed: int
    customers: int
    months: int
    story_day: date

    def __post_init__(self) -> None:
        if not 100 <= self.customers <= 800_000:
            raise UserError(f"sample company: customers is {self.customers}; give 100 to 800000")
        if not 14 <= self.months <= 120:
            raise UserError(f"sample company: months is {self.months}; give 14 to 120")
        if self.seed < 0:
            raise UserError(f"sample company: seed is {self.seed}; give 0 or more")
        if self.story_day.day < 20:
            raise UserError(
                f"sample company: story day is {self.story_day}; give the 20th or later"
            )

    @property
    def first_day(self) -> date:
        """Return the first day of trading."""
        return month_start(self.story_day, 1 - self.months)

    @property
    def last_day(self) -> date:
        """Return the last day up to which the company can be advanced."""
        return month_start(self.story_day, 12 * YEARS_AHEAD)

    def month(self, number: int) -> date:
        """Return the first day of a month of trading; 0 is the first one."""
        return month_start(self.first_day, number)

    def month_number(self, day: date) -> int:
        """Return the number of the month of trading in which a day lies."""
        return months_between(self.first_day, day)


class Market:
    """Articles, list prices, dated unit costs and daily exchange rates."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.number = np.array([article[0] for article in ARTICLES], dtype=object)
        self.family = np.array([article[2] for article in ARTICLES])
        self.family_id = np.unique(self.family, return_inverse=True)[1]
        self.buyer = np.array([article[6] for article in ARTICLES])
        self.price = np.array([article[4] for article in ARTICLES])
        self.is_cost_unknown = np.isin(self.family, UNKNOWN_COST_FAMILIES)
        self._set_costs()
        self._set_rates()

    def _set_costs(self) -> None:
        start = self.parameters.first_day
        first = date(start.year, 1 if start.month < 7 else 7, 1)
        halves = months_between(first, self.parameters.last_day) // 6 + 1
        self.cost_from = np.array([to_day(month_start(first, 6 * half)) for half in range(halves)])
        cost = np.array([article[5] for article in ARTICLES])
        random = generator(self.parameters.seed, _STREAM_COST)
        drift = 1.012 ** np.arange(halves)[:, None] * random.normal(1, 0.02, (halves, len(cost)))
        self.cost = np.rint(cost * drift * 10_000).astype(np.int64)

    def _set_rates(self) -> None:
        self.rate_first = to_day(self.parameters.first_day) - _DAYS_BEFORE
        days = np.arange(self.rate_first, to_day(self.parameters.last_day) + 400)
        steps = generator(self.parameters.seed, _STREAM_RATE).normal(0, 0.004, (len(days), 3))
        steps[(days + 3) % 7 > 4] = 0  # no new rate at weekends: Friday's holds
        walk = np.zeros((len(days), 3))
        for row in range(1, len(days)):  # drawn back to the middle, so that no currency runs away
            is_open = 1.0 if steps[row].any() else 0.0
            walk[row] = walk[row - 1] * (1 - 0.01 * is_open) + steps[row]
        rate = np.array(RATES[1:]) * np.exp(walk)
        base = np.full((len(days), 1), 1_000_000)
        self.rate = np.hstack([base, np.rint(rate * 1_000_000).astype(np.int64)])

    def cost_at(self, article: Array, day: Array) -> Array:
        """Return the unit cost (EUR, 4 decimals) of each article that holds on a day."""
        return self.cost[np.searchsorted(self.cost_from, day, side="right") - 1, article]

    def rate_at(self, currency: Array, day: Array) -> Array:
        """Return EUR per unit of the currency (6 decimals) that holds on a day."""
        return self.rate[day - self.rate_first, currency]

    def price_at(self, article: Array, currency: Array, day: Array) -> Array:
        """Return the list price (4 decimals) in a currency; prices rise each January."""
        years = day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
        rise = 1.03 ** (years - self.parameters.first_day.year)
        price = self.price[article] * rise / np.array(RATES)[currency]
        return np.rint(price * 10_000).astype(np.int64)

    def line_amounts(
        self, article: Array, currency: Array, day: Array, value: Array, rebate: Array
    ) -> Rows:
        """Price lines whose worth in EUR is roughly known.

        Args:
            article: Index of the article.
            currency: Index of the currency of the line.
            day: Day of the invoice.
            value: Wanted net amount in EUR; the quantity becomes whole units, at least 1.
            rebate: Share of the list amount that is taken off.

        Returns:
            quantity (milli); list_value, rebate_value, net_value, cost_value (cents, currency).
        """
        price = self.price_at(article, currency, day)
        wanted = value / np.array(RATES)[currency] / (1 - rebate) / (price / 10_000)
        quantity = np.maximum(np.rint(wanted), 1).astype(np.int64) * 1_000
        listed = divide(quantity * price, 100_000)
        taken = np.rint(listed * rebate).astype(np.int64)
        cost = divide(quantity * self.cost_at(article, day), 100_000)
        cost = divide(cost * 1_000_000, self.rate_at(currency, day))
        return {
            "quantity": quantity,
            "list_value": listed,
            "rebate_value": taken,
            "net_value": listed - taken,
            "cost_value": cost,
        }

    def articles(self, through: int) -> Rows:
        """Return the table `article` as known on the evening of a day, with its change days."""
        known = self.cost_from - 14 <= through
        known[0] = True
        newest = int(np.flatnonzero(known)[-1])
        changed = np.full(len(ARTICLES), self.cost_from[newest] - 14)
        columns = np.array([article[:4] for article in ARTICLES], dtype=object).T
        return {
            "article_no": columns[0],
            "description": columns[1],
            "family_code": columns[2],
            "base_unit": columns[3],
            "standard_cost": self.cost[newest],
            "changed_on": changed,
            "changed_at": evening(changed),
        }

    def costs(self, through: int) -> Rows:
        """Return the table `article_cost` as known on the evening of a day, with its change days.

        A cost is entered two weeks ahead; its predecessor then gets its last day.
        """
        halves, articles = self.cost.shape
        entered = np.repeat(self.cost_from - 14, articles)
        follower = np.repeat(np.append(self.cost_from[1:], NEVER), articles)
        is_followed = follower - 14 <= through
        changed = np.where(is_followed, follower - 14, entered)
        rows = {
            "article_no": np.tile(self.number, halves),
            "valid_from": np.repeat(self.cost_from, articles),
            "cost_per_unit": self.cost.ravel(),
            "valid_to": np.where(is_followed, follower - 1, NEVER),
            "changed_on": changed,
            "changed_at": evening(changed),
        }
        return {name: column[entered <= through] for name, column in rows.items()}

    def rates(self, through: int) -> Rows:
        """Return the table `exchange_rate` as known on an evening: one row per workday."""
        days = np.arange(self.rate_first, through + 1)
        days = days[((days + 3) % 7 <= 4) | (days == self.rate_first)]
        currency = np.tile(np.arange(1, 4), len(days))
        valid_from = np.repeat(days, 3)
        return {
            "currency_code": currency,
            "valid_from": valid_from,
            "eur_per_unit": self.rate_at(currency, valid_from),
            "changed_on": valid_from,
            "changed_at": evening(valid_from),
        }
