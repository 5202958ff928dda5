"""Which records are compared: those that share something rare.

That is a telephone, a domain, a tax number, or a part of the name beside another part or the place.
So the work grows with the records, not with their pairs. Keys are held as hashes: beside a hundred
thousand records, which have more than two million, they take 20 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt

from customer_tiers.identity.records import Record

LARGEST_BLOCK = 30
"""A key that more records share says too little to compare all of them; rarer keys find them."""

SHARED_BY = 4
"""A domain or telephone of more records than this is a provider's or an office's: no evidence."""

PART = 2_000
"""Records whose keys are held as text at a time."""

Hashes = npt.NDArray[np.uint64]


def shared(values: Iterable[str | None]) -> set[int]:
    """Hashes of the domains and telephones that too many records of a system have."""
    hashes = np.fromiter((hash(value) for value in values if value), np.int64)
    found, counts = np.unique(hashes, return_counts=True)
    return set(found[counts > SHARED_BY].tolist())


def forget(records: Iterable[Record], common: set[int]) -> None:
    """Take from records the domains and telephones that say nothing."""
    for row in records:
        if hash(row.domain) in common:
            row.domain = None
        if hash(row.phone) in common:
            row.phone = None


class Index:
    """Records by the keys that they are found by.

    Each key of a record is one number: the upper bits of the key's hash, and below them the place
    of the record. Two keys seldom have these upper bits in common (of two million, a pair in one
    company of fifty); then records are compared for nothing, or a key passes for a frequent one.
    """

    def __init__(
        self, records: Sequence[Record], keys_of: Callable[[Record], Iterator[str]]
    ) -> None:
        self.records = records
        self._keys_of = keys_of
        self._bits = np.uint64(len(records).bit_length())
        self._mask = (np.uint64(1) << self._bits) - np.uint64(1)
        entries = array("Q")  # grows in place, where joining parts would hold them twice
        for start in range(0, len(records), PART):
            hashes, places = self._hashes(records[start : start + PART])
            entries.frombytes((hashes & ~self._mask | places + np.uint64(start)).tobytes())
        self._entries = np.asarray(entries)
        self._entries.sort()

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Places of two records that share a key, each pair once and in order."""
        ends = np.flatnonzero(_is_last(self._entries >> self._bits))
        sizes = np.diff(ends, prepend=-1)
        entries = self._entries[np.repeat((sizes > 1) & (sizes <= LARGEST_BLOCK), sizes)]
        found = [np.empty(0, np.uint64)]
        for distance in range(1, LARGEST_BLOCK):
            first, second = entries[:-distance], entries[distance:]
            is_same = (first >> self._bits == second >> self._bits) & (first != second)
            first, second = first[is_same] & self._mask, second[is_same] & self._mask
            found.append(first << self._bits | second)
        return self._apart(_distinct(np.concatenate(found)))

    def found_by(self, records: Sequence[Record]) -> Iterator[tuple[int, int]]:
        """Place of one of these records, and of one of the index that shares a key with it."""
        hashes, places = self._hashes(records)
        order = hashes.argsort()  # looked up in order, they are found five times as fast
        hashes, places = hashes[order], places[order]
        low = np.searchsorted(self._entries, hashes & ~self._mask)
        sizes = np.searchsorted(self._entries, hashes | self._mask, side="right") - low
        is_rare = (sizes > 0) & (sizes <= LARGEST_BLOCK)
        low, sizes, places = low[is_rare], sizes[is_rare], places[is_rare]
        # of blocks that begin at `low`, the members one after the other
        members = np.arange(sizes.sum()) + np.repeat(low - (sizes.cumsum() - sizes), sizes)
        others = self._entries[members] & self._mask
        return self._apart(_distinct(np.repeat(places, sizes) << self._bits | others))

    def _apart(self, pairs: Hashes) -> Iterator[tuple[int, int]]:
        """Pairs of places that are held as one number each."""
        for start in range(0, len(pairs), PART):
            part = pairs[start : start + PART]
            yield from zip((part >> self._bits).tolist(), (part & self._mask).tolist(), strict=True)

    def _hashes(self, records: Sequence[Record]) -> tuple[Hashes, Hashes]:
        """Hash of each key of each record, and the place of the record."""
        found = [{hash(key) for key in self._keys_of(row)} for row in records]
        sizes = [len(hashes) for hashes in found]
        hashes = np.fromiter(chain.from_iterable(found), np.int64, sum(sizes)).view(np.uint64)
        return hashes, np.repeat(np.arange(len(found), dtype=np.uint64), sizes)


def _distinct(values: Hashes) -> Hashes:
    """Each value once, in order; `np.unique` does it by a table of ten times their size."""
    values.sort()
    return values[_is_last(values)]


def _is_last(values: Hashes) -> npt.NDArray[np.bool_]:
    """Whether the next of ordered values is another one."""
    return np.append(values[1:] != values[:-1], np.True_)[: len(values)]


def strong_keys(row: Record) -> Iterator[str]:
    """What hardly two companies share by chance."""
    yield f"n:{row.name.core}"
    if row.tax_id:
        yield f"t:{row.tax_id[-8:]}"
    if row.domain:
        yield f"d:{row.domain}"
    if row.phone:
        # with and without one to three digits of country, with and without an extension
        for start in range(4):
            if len(window := row.phone[start : start + 7]) == 7:
                yield f"p:{window}"
    if row.street and row.postal_code:
        yield f"a:{row.postal_code} {row.street} {row.house}"


def keys(row: Record) -> Iterator[str]:
    """What a record is found by; two that share a key are compared."""
    yield from strong_keys(row)
    words = [word for word in dict.fromkeys(row.name.words) if len(word) > 2][:8]
    for first, second in combinations(sorted(words), 2):
        yield f"w:{first} {second}"
    places = [place for place in (row.postal_code, row.city) if place]
    if row.street:
        places.append(f"{row.street} {row.house}")
    for word in words:
        yield f"w:{word}"
        for place in places:
            yield f"w:{word} @{place}"
