"""How alike two records are that might be one company: evidence, no verdict.

Which records are compared at all says `blocks`. What the evidence weighs is a seed, and whether it
suffices is decided in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz

from customer_tiers.identity import names, sisters
from customer_tiers.identity.blocks import Index
from customer_tiers.identity.records import Record
from customer_tiers.identity.sisters import Found

LEAST_SIMILAR = 0.7
"""Names less alike are compared no further, unless number, domain or telephone are the same."""

SAME_STREET = 85
"""Of 100, how alike the same street is that two people wrote down."""

LEAST_HEARD = 0.15
"""The same where one name is Chinese and the other is not: a part of its sound must be there."""

LONGEST_COUNTRY = 3
"""Letters before a tax number, such as ATU, CHE or ESB."""

SAME_COUNTRY = {"EL": "GR", "UK": "GB", "XI": "GB"}
"""Letters that stand for a country in tax numbers beside its code."""

Evidence = tuple[str, str, str, float]
"""Left record, right record, kind of evidence (a row of seed match_evidence), value from 0 to 1."""


def between(left: Sequence[Record], right: Index) -> Iterator[Evidence]:
    """Compare records of one system with those of the other.

    Args:
        left: Such as accounts of the CRM, or a part of them.
        right: Such as all customers of the ERP.

    Yields:
        What speaks for or against each pair worth a look; every pair has its `name`.
    """
    for ours, other in right.found_by(left):
        record, customer = left[ours], right.records[other]
        found = _evidence(record, customer)
        if found and sisters.has_other_word(record, customer):
            found = sisters.weaken(found)
        yield from _rows(record, customer, found)


def within(index: Index) -> Iterator[Evidence]:
    """Compare the records of one system with each other; each pair once, the smaller id left."""
    records = index.records
    for first, second in index.pairs():
        ours, other = sorted((records[first], records[second]), key=lambda r: r.record_id)
        yield from _rows(ours, other, _evidence(ours, other))


def _rows(ours: Record, other: Record, found: Found) -> Iterator[Evidence]:
    for kind, value in found.items():
        yield ours.record_id, other.record_id, kind, round(value, 4)


def _evidence(ours: Record, other: Record) -> Found:
    """What is known of a pair; nothing if names differ and no number, domain or phone agrees."""
    is_one_script = ours.name.is_han == other.name.is_han
    likeness = _likeness(ours.name, other.name) if is_one_script else _heard(ours.name, other.name)
    tax_id = _same_tax_id(ours.tax_id, other.tax_id)
    domain = _same(ours.domain, other.domain)
    phone = _same_phone(ours.phone, other.phone)
    is_alike = likeness >= (LEAST_SIMILAR if is_one_script else LEAST_HEARD)
    if not (is_alike or tax_id or domain or phone):
        return {}
    found = {
        "tax_id": tax_id,
        "domain": domain,
        "phone": phone,
        "name" if is_one_script else "name_in_pinyin": likeness,
        "number_in_name": _same_numbers(ours.name, other.name),
        "address": _same_address(ours, other),
        "country": _same_country(ours.country, other.country),
    }
    return {kind: value for kind, value in found.items() if value is not None}


def _likeness(ours: names.Name, other: names.Name) -> float:
    """How alike two names of one script are, whatever the order of their words."""
    core, other_core = ours.core, other.core
    if core == other_core:
        return 1.0
    straight = fuzz.ratio(core, other_core)
    if straight < 90 and not ours.is_han:
        straight = max(straight, fuzz.ratio(ours.turned, other.turned))
    return straight / 100


def _heard(ours: names.Name, other: names.Name) -> float:
    """Which part of a Chinese name's sound the words of a Latin one have: rarely all of it, since
    what the company makes is translated."""
    han, latin = (ours, other) if ours.is_han else (other, ours)
    heard = sum(len(word) for word in set(latin.words) if len(word) > 3 and word in han.pinyin)
    return min(1.0, heard / len(han.pinyin))


def _same(ours: str | None, other: str | None) -> float | None:
    return None if ours is None or other is None else float(ours == other)


def _same_numbers(ours: names.Name, other: names.Name) -> float | None:
    """Whether the numbers of two names are the same; None where neither has one."""
    return float(ours.numbers == other.numbers) if ours.numbers or other.numbers else None


def _same_tax_id(ours: str | None, other: str | None) -> float | None:
    """With or without the country's letters in front, or a part of them: U of Austria's ATU."""
    if ours is None or other is None:
        return None
    (short, digits), (long, others) = sorted(map(_country_apart, (ours, other)), key=_prefix_length)
    is_part = len(long) <= LONGEST_COUNTRY and (long.startswith(short) or long.endswith(short))
    return float(digits == others and (short == long or is_part))


def _country_apart(tax_id: str) -> tuple[str, str]:
    """The letters before a tax number, some of which name the country in two ways, and the rest."""
    letters = re.match("[A-Z]*", tax_id)[0]  # type: ignore[index]
    return SAME_COUNTRY.get(letters, letters), tax_id[len(letters) :]


def _prefix_length(parts: tuple[str, str]) -> int:
    return len(parts[0])


def _same_phone(ours: str | None, other: str | None) -> float | None:
    """One with country or extension holds the other; 0.5 if only the extensions differ."""
    if ours is None or other is None:
        return None
    short, long = sorted((ours, other), key=len)
    if short in long:
        return 1.0
    return 0.5 if short[:-2] in long else 0.0


def _same_country(ours: str | None, other: str | None) -> float | None:
    """Codes are compared with codes and words with words."""
    if ours is None or other is None or (len(ours) == 2) != (len(other) == 2):
        return None
    return float(ours == other)


def _same_address(ours: Record, other: Record) -> float | None:
    """1 the same house, 0.7 the same postal code, 0.5 the same city, 0 another place; None where
    one does not say."""
    codes = _same(ours.postal_code, other.postal_code)
    place = codes if codes is not None else _same(ours.city, other.city)
    if place == 0.0:
        return 0.0
    if (
        ours.street
        and other.street
        and ours.house == other.house
        and fuzz.ratio(ours.street, other.street) > SAME_STREET
    ):
        return 1.0
    if place is None:
        return None
    return 0.5 if codes is None else 0.7
