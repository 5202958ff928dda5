"""Which records might be one company, and how alike they are: evidence, no verdict.

Only records that share something rare are compared (`_keys`): a telephone, a domain, a tax number,
or a part of the name beside another part or the place. So the work grows with the records, not with
their pairs. What the evidence weighs is a seed, and whether it suffices is decided in SQL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_uppercase as LETTERS

from rapidfuzz import fuzz

from customer_tiers.identity import names

LARGEST_BLOCK = 30
"""A key that more records share says too little to compare all of them; rarer keys find them."""

SHARED_BY = 4
"""A domain or telephone of more records than this is a provider's or an office's: no evidence."""

LEAST_SIMILAR = 0.7
"""Names less alike are compared no further, unless number, domain or telephone are the same."""

SAME_STREET = 85
"""Of 100, how alike the same street is that two people wrote down."""

LEAST_HEARD = 0.15
"""The same where one name is Chinese and the other is not: a part of its sound must be there."""

Evidence = tuple[str, str, str, float]
"""Left record, right record, kind of evidence (a row of seed match_evidence), value from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Record:
    """A customer or account in comparable form; what it does not say is None."""

    record_id: str
    name: names.Name
    tax_id: str | None
    domain: str | None
    phone: str | None
    address: tuple[str, str] | None
    postal_code: str | None
    city: str | None
    country: str | None


def record(row: Mapping[str, str | None]) -> Record:
    """Bring a row with the contract's columns into comparable form."""
    return Record(
        record_id=str(row["record_id"]),
        name=names.take_apart(row["name"] or ""),
        tax_id=names.tax_key(row["tax_id"]),
        domain=names.domain_key(row["domain"]),
        phone=names.phone_key(row["phone"]),
        address=names.address_key(row["address"]),
        postal_code=(row["postal_code"] or "").replace(" ", "").upper() or None,
        city=names.fold(row["city"] or "") or None,
        country=(row["country"] or "").strip().upper() or None,
    )


def between(left: Sequence[Record], right: Sequence[Record]) -> Iterator[Evidence]:
    """Compare records of one system with those of the other.

    Args:
        left: Such as accounts of the CRM.
        right: Such as customers of the ERP.

    Yields:
        What speaks for or against each pair worth a look; every pair has its `name`.
    """
    common = _Common((left, right))
    # made twice, and held as numbers: the keys of 60,000 accounts would be 300 MB
    blocks = _blocks(right, common, {hash(key) for ours in left for key in _keys(ours, common)})
    for ours in left:
        found = {index for key in _keys(ours, common) for index in blocks.get(hash(key), ())}
        for index in sorted(found):
            yield from _evidence(ours, right[index], common)


def within(records: Sequence[Record]) -> Iterator[Evidence]:
    """Compare the records of one system with each other; each pair once, the smaller id left.

    Two customers of one ERP are looked at closely only if a whole name, number, domain, telephone
    or house is the same: a wrong suspicion costs a person time.
    """
    common = _Common((records,))
    pairs = {
        tuple(sorted(pair))
        for members in _blocks(records, common, keys_of=_strong_keys).values()
        for pair in combinations(members, 2)
    }
    for first, second in sorted(pairs):
        ours, other = sorted((records[first], records[second]), key=lambda r: r.record_id)
        yield from _evidence(ours, other, common)


class _Common:
    """What too many records of a system have in common to say anything: domains, telephones."""

    def __init__(self, systems: Iterable[Sequence[Record]]) -> None:
        self._values: set[str] = set()
        for records in systems:
            for column in ("domain", "phone"):
                counts = Counter(getattr(row, column) for row in records)
                self._values |= {v for v, count in counts.items() if v and count > SHARED_BY}

    def rare(self, value: str | None) -> str | None:
        return None if value in self._values else value


def _blocks(
    records: Sequence[Record],
    common: _Common,
    wanted: set[int] | None = None,
    keys_of: Callable[[Record, _Common], Iterator[str]] | None = None,
) -> dict[int, list[int]]:
    """Hash of a key -> records that have it, without keys nobody asks for or too many share."""
    blocks: defaultdict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(records):
        keys = {hash(key) for key in (keys_of or _keys)(row, common)}
        for key in keys if wanted is None else keys & wanted:
            blocks[key].append(index)
    return {key: rows for key, rows in blocks.items() if len(rows) <= LARGEST_BLOCK}


def _strong_keys(row: Record, common: _Common) -> Iterator[str]:
    """What hardly two companies share by chance."""
    yield f"n:{row.name.core}"
    if row.tax_id:
        yield f"t:{row.tax_id[-8:]}"
    if domain := common.rare(row.domain):
        yield f"d:{domain}"
    if phone := common.rare(row.phone):
        # with and without one to three digits of country, with and without an extension
        for start in range(4):
            if len(window := phone[start : start + 7]) == 7:
                yield f"p:{window}"
    if row.address and row.postal_code:
        yield f"a:{row.postal_code} {row.address[0]} {row.address[1]}"


def _keys(row: Record, common: _Common) -> Iterator[str]:
    """What a record is found by; two that share a key are compared."""
    yield from _strong_keys(row, common)
    words = [word for word in dict.fromkeys(row.name.words) if len(word) > 2][:8]
    for first, second in combinations(sorted(words), 2):
        yield f"w:{first} {second}"
    places = [place for place in (row.postal_code, row.city) if place]
    if row.address:
        places.append(" ".join(row.address))
    for word in words:
        yield f"w:{word}"
        for place in places:
            yield f"w:{word} @{place}"


def _evidence(ours: Record, other: Record, common: _Common) -> list[Evidence]:
    """What is known of a pair; nothing if names differ and no number, domain or phone agrees."""
    is_one_script = ours.name.is_han == other.name.is_han
    likeness = _likeness(ours.name, other.name) if is_one_script else _heard(ours.name, other.name)
    found: dict[str, float | None] = {
        "tax_id": _same_tax_id(ours.tax_id, other.tax_id),
        "domain": _same(common.rare(ours.domain), common.rare(other.domain)),
        "phone": _same_phone(common.rare(ours.phone), common.rare(other.phone)),
    }
    if likeness < (LEAST_SIMILAR if is_one_script else LEAST_HEARD) and not any(found.values()):
        return []
    found["name" if is_one_script else "name_in_pinyin"] = likeness
    found["number_in_name"] = 1.0 if ours.name.numbers == other.name.numbers else 0.0
    found["address"] = _same_address(ours, other)
    found["country"] = _same_country(ours.country, other.country)
    return [
        (ours.record_id, other.record_id, kind, round(value, 4))
        for kind, value in found.items()
        if value is not None
    ]


def _likeness(ours: names.Name, other: names.Name) -> float:
    """How alike two names of one script are, whatever the order of their words."""
    if ours.core == other.core:
        return 1.0
    straight = fuzz.ratio(ours.core, other.core)
    if straight < 90 and ours.turned and other.turned:
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


def _same_tax_id(ours: str | None, other: str | None) -> float | None:
    """With or without the country's letters in front."""
    if ours is None or other is None:
        return None
    short, long = sorted((ours, other), key=len)
    return float(short == long or (len(long) - len(short) <= 3 and long.lstrip(LETTERS) == short))


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
        ours.address
        and other.address
        and ours.address[1] == other.address[1]
        and fuzz.ratio(ours.address[0], other.address[0]) > SAME_STREET
    ):
        return 1.0
    if place is None:
        return None
    return 0.5 if codes is None else 0.7
