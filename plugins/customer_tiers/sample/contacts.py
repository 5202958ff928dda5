"""Contacts with accounts in one month: activities, tickets, surveys and deals.

As in `trading.py`, a month is drawn from its own random numbers and holds the whole life of each
row; the tables are cut off at an evening here, since each of them is short.
"""

from __future__ import annotations

import numpy as np

from customer_tiers.sample.people import AddressBook
from customer_tiers.sample.rows import (
    NEVER,
    NONE,
    Array,
    Rows,
    Window,
    generator,
    month_start,
    to_day,
    workday,
)
from customer_tiers.sample.trading import number_base
from customer_tiers.sample.visible import cut

_STREAMS = {"activity": 51, "ticket": 52, "survey": 53, "deal": 54}
_PER_MONTH = {"activity": 0.55, "ticket": 0.09, "survey": 0.08, "deal": 0.05}
"""Rows per month and account of middle size; large accounts have more."""

LIFE_DAYS = 260
"""No row changes later than this after the end of its month."""


def _draw(book: AddressBook, table: str, month: int) -> tuple[np.random.Generator, Rows]:
    """Draw which accounts have something on which workday of a month."""
    company = book.company
    random = generator(company.parameters.seed, _STREAMS[table], month)
    start = company.parameters.month(month)
    first, end = to_day(start), to_day(month_start(start, 1))
    rows = book.rows
    size = np.sqrt(np.clip(rows["annual"] / 6_000, 0.3, 40))
    is_quiet = company.rows["is_quiet"][rows["customer"]] & (rows["customer"] != NONE)
    is_over = (rows["created_on"] >= end) | (rows["stop"] + 60 < first) | is_quiet
    count = random.poisson(np.where(is_over, 0, _PER_MONTH[table] * size))
    index = np.repeat(np.arange(len(count)), count)
    day = workday(first + random.integers(0, end - first, len(index)))
    is_there = day > rows["created_on"][index]
    index, day = index[is_there], day[is_there]
    by_day = np.argsort(day, kind="stable")
    index, day = index[by_day], day[by_day]
    drawn = {"index": index, "day": day, "account_no": rows["account_no"][index]}
    drawn["number"] = number_base(company, month) + 1 + np.arange(len(index))
    return random, drawn


def _at(random: np.random.Generator, day: Array) -> Array:
    """Return a second between 07:00 and 16:00 UTC of each day."""
    return day * 86_400 + random.integers(7 * 3_600, 16 * 3_600, len(day))


def _user(book: AddressBook, index: Array, day: Array) -> Array:
    """Return the number of the account's owner on a day; nobody who has left makes contacts."""
    rows, company = book.rows, book.company
    has_changed = rows["rep_changed_on"][index] <= day
    rep = np.where(has_changed, rows["rep_after"][index], rows["rep_before"][index])
    rep = np.where((rep == company.leaver) & (day >= company.leaves_on), 0, rep)
    return company.user_numbers(rep)


def activities(book: AddressBook, month: int, window: Window) -> Rows:
    """Return the month's rows of the table `activity`; one in eight is entered days late."""
    random, drawn = _draw(book, "activity", month)
    count = len(drawn["day"])
    kind = random.choice(5, count, p=[0.46, 0.2, 0.08, 0.24, 0.02])
    minutes = np.array([12, 75, 50, 6, 180])[kind] * np.exp(random.normal(0, 0.35, count))
    late = np.where(random.random(count) < 0.12, random.integers(1, 6, count), 0)
    rows = {
        "activity_no": drawn["number"],
        "account_no": drawn["account_no"],
        "index": drawn["index"],
        "day": drawn["day"],
        "type_code": kind,
        "happened_at": _at(random, drawn["day"]),
        "duration_minutes": np.maximum(np.rint(minutes).astype(np.int64), 2),
        "met_with": random.choice(3, count, p=[0.62, 0.31, 0.07]),
        "created_on": drawn["day"] + late,
    }
    rows = cut(rows, window, "created_on")
    return rows | {"user_no": _user(book, rows["index"], rows["day"])}


def tickets(book: AddressBook, month: int, window: Window) -> Rows:
    """Return the month's rows of the table `ticket`."""
    random, drawn = _draw(book, "ticket", month)
    count = len(drawn["day"])
    answered = drawn["day"] + np.minimum(random.geometric(0.55, count) - 1, 9)
    closed = answered + np.minimum(random.geometric(0.12, count), 60)
    is_left = random.random(count) < 0.02
    times = random.integers(0, 3_000, (2, count))
    rows = {
        "ticket_no": drawn["number"],
        "account_no": drawn["account_no"],
        "type_code": random.choice(3, count, p=[0.38, 0.52, 0.1]),
        "priority": random.choice([1, 2, 3], count, p=[0.5, 0.36, 0.14]),
        "opened_at": _at(random, drawn["day"]),
        "created_on": drawn["day"],
        "answered_on": answered,
        "closed_on": np.where(is_left, NEVER, closed),
    }
    rows |= {  # always after 16:00, so that no answer comes before its question
        "answered_at": answered * 86_400 + 16 * 3_600 + times[0],
        "closed_at": np.where(is_left, NEVER, closed * 86_400 + 17 * 3_600 + times[1]),
    }
    rows = cut(rows, window, "created_on", "answered_on", "closed_on")
    is_answered, is_closed = (
        rows["answered_on"] <= window.through,
        rows["closed_on"] <= window.through,
    )
    return rows | {
        "answered_at": np.where(is_answered, rows["answered_at"], NONE),
        "closed_at": np.where(is_closed, rows["closed_at"], NONE),
    }


def surveys(book: AddressBook, month: int, window: Window) -> Rows:
    """Return the month's rows of the table `survey`; six in ten are answered."""
    random, drawn = _draw(book, "survey", month)
    count = len(drawn["day"])
    mood = book.rows["satisfaction"][drawn["index"]] + random.normal(0, 0.13, count)
    form = (random.random(count) < 0.4).astype(np.int64)
    csat = np.clip(np.rint(1 + 4.4 * mood), 1, 5)
    nps = np.clip(np.rint(11 * mood), 0, 10)
    replied = workday(drawn["day"] + 1 + np.minimum(random.geometric(0.3, count), 25))
    replied = np.where(random.random(count) < 0.6, replied, NEVER)
    rows = {
        "survey_no": drawn["number"],
        "account_no": drawn["account_no"],
        "form": form,
        "sent_at": _at(random, drawn["day"]),
        "created_on": drawn["day"],
        "replied_on": replied,
        "replied_at": _at(random, replied),
        "rating": np.where(form == 1, nps, csat).astype(np.int64),
    }
    rows = cut(rows, window, "created_on", "replied_on")
    has_replied = rows["replied_on"] <= window.through
    return rows | {
        "replied_at": np.where(has_replied, rows["replied_at"], NONE),
        "rating": np.where(has_replied, rows["rating"], NONE),
    }


def deals(book: AddressBook, month: int, window: Window) -> Rows:
    """Return the month's rows of the table `deal`: offer, negotiation, then won or lost."""
    random, drawn = _draw(book, "deal", month)
    count = len(drawn["day"])
    offered = workday(drawn["day"] + random.integers(5, 40, count))
    negotiated = workday(offered + random.integers(5, 60, count))
    decided = workday(negotiated + random.integers(3, 90, count))
    currency = np.append(book.company.rows["currency"], 0)[book.rows["customer"][drawn["index"]]]
    # one in twenty was recommended by an account opened before this one's deal
    older = random.integers(0, len(book.rows["account_no"]), count)
    is_referred = (random.random(count) < 0.05) & (book.rows["created_on"][older] < drawn["day"])
    is_referred &= older != drawn["index"]
    value = book.rows["annual"][drawn["index"]] * np.exp(random.normal(-1.2, 0.7, count))
    rows = {
        "deal_no": drawn["number"],
        "account_no": drawn["account_no"],
        "created_on": drawn["day"],
        "opened_at": drawn["day"] * 86_400 + 9 * 3_600,
        "offered_on": offered,
        "negotiated_on": negotiated,
        "decided_on": decided,
        "decided_at": _at(random, decided),
        "decision_on": workday(drawn["day"] + random.integers(40, 150, count)),
        "deal_value": np.rint(np.maximum(value, 50)).astype(np.int64) * 100,
        "currency_code": currency,
        "is_won": (random.random(count) < 0.38).astype(np.int64),
        "referred_by_no": np.where(is_referred, book.rows["account_no"][older], NONE),
    }
    changes = ("offered_on", "negotiated_on", "decided_on")
    rows = cut(rows, window, "created_on", *changes)
    phase = np.sum([rows[name] <= window.through for name in changes], axis=0)
    is_decided = phase == len(changes)
    return rows | {
        "phase": phase,
        "win_percent": np.where(is_decided, rows["is_won"] * 100, np.array([10, 30, 60, 0])[phase]),
        "decided_at": np.where(is_decided, rows["decided_at"], NONE),
        "outcome": np.where(is_decided, rows["is_won"], NONE),
    }


TABLES = {"activity": activities, "ticket": tickets, "survey": surveys, "deal": deals}
"""Table -> its rows of one month."""
