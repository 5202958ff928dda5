"""Names, regions and tax ids of companies, put together from word lists."""

from __future__ import annotations

import re

import numpy as np

from customer_tiers.sample.rows import Array
from customer_tiers.sample.words import COUNTRIES, LONG_TRADES, RUBBISH_TAX_IDS, TRADES

_BRANCH_OF = LONG_TRADES | {
    trade: branch for branch, trades in TRADES.items() for trade in trades.split()
}
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "í": "i"})


def places(random: np.random.Generator, country: Array) -> tuple[Array, Array]:
    """Draw the region and the city of each company."""
    pick = random.random(len(country))
    region = np.empty(len(country), dtype=object)
    city = np.empty(len(country), dtype=object)
    for index, entry in enumerate(COUNTRIES.values()):
        rows = np.flatnonzero(country == index)
        chosen = (pick[rows] * len(entry.regions)).astype(int)
        region[rows] = np.array([pair[0] for pair in entry.regions], dtype=object)[chosen]
        city[rows] = np.array([pair[1] for pair in entry.regions], dtype=object)[chosen]
    return region, city


def company_names(random: np.random.Generator, country: Array, city: Array) -> tuple[Array, Array]:
    """Draw each company's name and the branch that its trade belongs to; namesakes get a number."""
    draws = random.random((len(country), 4))
    entries = list(COUNTRIES.values())
    names, branches = np.empty((2, len(country)), dtype=object)
    seen: dict[str, int] = {}
    for index, (code, town, draw) in enumerate(zip(country, city, draws, strict=True)):
        entry = entries[code]
        pattern = entry.patterns[int(draw[0] * len(entry.patterns))]
        surname = entry.surnames[int(draw[1] * len(entry.surnames))]
        other = entry.surnames[int(draw[2] * len(entry.surnames))]
        trade = entry.trades[int(draw[3] * len(entry.trades))]
        name = pattern.replace("{s}", surname, 1).replace("{s}", other)
        name = name.replace("{t}", trade).replace("{c}", town)
        if name in seen and town not in name:
            name = f"{name}, {town}"
        seen[name] = seen.get(name, 0) + 1
        names[index] = name if seen[name] == 1 else f"{name} ({seen[name]})"
        branches[index] = _BRANCH_OF[trade]
    return names, branches


def tax_ids(random: np.random.Generator, country: Array) -> Array:
    """Draw a tax id of its own for each company, clean and in the form of its country."""
    forms = [entry.vat for entry in COUNTRIES.values()]
    offset = int(random.integers(1, 9_000_000))
    ids = np.empty(len(country), dtype=object)
    for index, code in enumerate(country):
        places_left = forms[code].count("#")
        # the factor shares no divisor with a power of ten, so no two companies share a number
        number = (offset + index) * 6_700_417 % 10**places_left
        digits = iter(f"{number:0{places_left}d}")
        ids[index] = "".join(next(digits) if mark == "#" else mark for mark in forms[code])
    return ids


def as_typed(random: np.random.Generator, ids: Array, untidy: float) -> Array:
    """Return tax ids as people type them: some with spaces and dots, some empty, some rubbish."""
    typed = ids.copy()
    draw = random.random(len(ids))
    for index in np.flatnonzero((draw < untidy) & (ids != None)):  # noqa: E711 (elementwise)
        typed[index] = _untidy(ids[index], int(draw[index] * 1_000_000) % 3)
    for index in np.flatnonzero((draw > 0.985) & (ids != None)):  # noqa: E711 (elementwise)
        typed[index] = RUBBISH_TAX_IDS[index % len(RUBBISH_TAX_IDS)]
    typed[(draw > 0.955) & (draw <= 0.985)] = None
    return typed


def other_form(tax_id: str) -> str:
    """Return a tax id in the form that the CRM's users write it in."""
    return _untidy(tax_id, 1)


def _untidy(tax_id: str, way: int) -> str:
    if way == 0:
        return " " + tax_id.lower()
    step, mark = (3, " ") if way == 1 else (4, ".")
    return mark.join(tax_id[start : start + step] for start in range(0, len(tax_id), step))


def website(name: str, number: int) -> str:
    """Return a site under the reserved top-level domain; the number keeps namesakes apart."""
    words = re.findall("[a-z0-9]+", name.lower().translate(_ASCII))
    return f"www.{'-'.join(words[:2]) or 'company'}-{number}.example"
