"""Chinese firms of one group, which differ in one word of their names: 信博液压件, 信博液压件物流.

They have a domain, a house and most of a name in common, so these say which group it is and not
which firm. A word of two characters hardly changes how alike two names are as text; in Latin
letters such a word is longer, and the likeness of names suffices.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rapidfuzz.distance import Levenshtein

from customer_tiers.identity import names
from customer_tiers.identity.records import Record

SHORTEST_WORD = 2
"""Characters; a single other one may be a typing error."""

TRADES = (
    "物流 物资 物业 贸易 商贸 经贸 工贸 科贸 外贸 科技 技术 实业 工业 机械 机电 电子 电气 "
    "电器 设备 配件 材料 制造 制品 销售 工程 投资 控股 服务 国际 置业 能源 新能源"
)
"""Words that may differ in one character, and still be two."""

LIKE_A_SISTER = 0.94
"""At most so alike are the names of two sisters; the rest is for names that are the same."""

LIKE_A_DOMAINS_SISTER = 0.79
"""The same where the domain says already that they are of one group."""

Found = dict[str, float]
"""Kind of evidence (a row of seed match_evidence) -> value from 0 to 1."""


def has_other_word(ours: Record, other: Record) -> bool:
    """Whether a word of two or more characters is in one Chinese name and not in the other.

    The place before a name is no such word, if the other name has just left it out.
    """
    if not (ours.name.is_han and other.name.is_han) or ours.name.core == other.name.core:
        return False
    left, right = ours.name.han, other.name.han
    places = {city for city in (ours.city, other.city) if city}
    return _has_other_trade(left, right) or any(
        _is_word(gone, come, left, right, places) for gone, come in _differences(left, right)
    )


def weaken(found: Found) -> Found:
    """Of evidence between two firms with another word, what a person should be asked about.

    Tax number or telephone, if the same, belong to the firm: then all of it counts. Else what a
    group shares must not add up to a match, and must not vanish: someone is asked.
    """
    if found.get("tax_id") == 1 or found.get("phone") == 1:
        return found
    left = {**found, "word_in_name": 0.0}
    if found.get("domain") == 1:
        left["name"] = min(found["name"], LIKE_A_DOMAINS_SISTER)
        left.pop("address", None)
        left.pop("phone", None)
        return left
    left["name"] = min(found["name"], LIKE_A_SISTER)
    if found.get("address") == 1:
        left.pop("phone", None)  # a switchboard goes with the house
    return left


def _differences(left: str, right: str) -> Iterator[tuple[str, str]]:
    """What one name has in the place of what the other has."""
    steps = Levenshtein.opcodes(left, right)
    for is_same, group in groupby(steps, key=lambda step: step.tag == "equal"):
        if not is_same:  # 件 to 贸易 are two steps, one character changed and one added
            parts = list(group)
            first, last = parts[0], parts[-1]
            yield left[first.src_start : last.src_end], right[first.dest_start : last.dest_end]


def _is_word(gone: str, come: str, left: str, right: str, places: set[str]) -> bool:
    if max(len(gone), len(come)) < SHORTEST_WORD:
        return False
    if names.fold(gone) == names.fold(come):
        return False  # 貿易 and 贸易
    if not gone or not come:
        word = names.fold(gone or come)
        if any(place.startswith(word) for place in places):
            return False
    # a word in another place of the name is not another word
    return (len(gone) >= SHORTEST_WORD and gone not in right) or (
        len(come) >= SHORTEST_WORD and come not in left
    )


def _has_other_trade(left: str, right: str) -> bool:
    """Whether each says another trade: 物流 and 物资 differ in one character only."""
    ours = {word for word in TRADES.split() if word in left}
    others = {word for word in TRADES.split() if word in right}
    return bool(ours - others) and bool(others - ours)
