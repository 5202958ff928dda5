"""Which records are compared: an index of hashed keys finds what comparing all with all finds."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from customer_tiers.identity import blocks, compare
from customer_tiers.identity.blocks import LARGEST_BLOCK, PART, SHARED_BY, Index
from customer_tiers.identity.records import Record, record

NOTHING = dict.fromkeys(
    ("name", "tax_id", "domain", "phone", "address", "postal_code", "city", "country")
)


def company(number: int, **values: str) -> Record:
    return record({**NOTHING, "record_id": f"{number:05}", **values})


def companies(count: int, seed: int) -> list[Record]:
    """Companies of few words, so that many share a key and some keys are too common."""
    chance = random.Random(seed)
    words = [f"{'abcdefgh'[n % 8]}{'klmnopqr'[n // 8]}berg" for n in range(64)]
    return [
        company(
            number,
            name=" ".join(chance.sample(words, 2)),
            postal_code=f"{chance.randrange(30):05}",
            domain=f"d{chance.randrange(2 * count)}.example",
        )
        for number in range(count)
    ]


def rare_keys(records: list[Record], keys_of) -> list[set[str]]:
    """Per record the keys that few enough share."""
    found = [set(keys_of(row)) for row in records]
    counts: dict[str, int] = {}
    for key in (key for keys in found for key in keys):
        counts[key] = counts.get(key, 0) + 1
    return [{key for key in keys if counts[key] <= LARGEST_BLOCK} for keys in found]


@pytest.mark.parametrize("count", [0, 1, 700, PART + 300])
def test_pairs_are_those_that_share_a_rare_key(count):
    records = companies(count, seed=count)
    found = list(Index(records, blocks.strong_keys).pairs())
    keys = rare_keys(records, blocks.strong_keys)
    shared = {key: [n for n, own in enumerate(keys) if key in own] for key in set().union(*keys)}
    wanted = {pair for members in shared.values() for pair in combinations(members, 2)}
    assert found == sorted(wanted)
    assert bool(wanted) == (count > 1)


@pytest.mark.parametrize(
    ("count", "is_compared"), [(LARGEST_BLOCK, True), (LARGEST_BLOCK + 1, False)]
)
def test_what_too_many_have_in_common_is_not_compared(count, is_compared):
    records = [company(number, name="Kraus Labor") for number in range(count)]
    pairs = list(combinations(range(count), 2)) if is_compared else []
    assert list(Index(records, blocks.strong_keys).pairs()) == pairs


def test_an_index_finds_those_that_share_a_rare_key_with_records_of_another_system():
    customers, accounts = companies(900, seed=1), companies(200, seed=2)
    found = list(Index(customers, blocks.keys).found_by(accounts))
    rare = rare_keys(customers, blocks.keys)
    wanted = [
        (ours, other)
        for ours, account in enumerate(accounts)
        for other, keys in enumerate(rare)
        if keys & set(blocks.keys(account))
    ]
    assert found == wanted
    assert wanted


def test_what_a_provider_gives_to_all_its_customers_is_no_evidence():
    provider = [company(n, domain="mail.example", phone="0301234567") for n in range(SHARED_BY + 1)]
    rare = [company(100 + n, domain="ours.example") for n in range(SHARED_BY)]
    common = blocks.shared(v for row in provider + rare for v in (row.domain, row.phone))
    blocks.forget(provider + rare, common)
    assert {(row.domain, row.phone) for row in provider} == {(None, None)}
    assert {row.domain for row in rare} == {"ours.example"}


def test_two_records_of_one_system_are_compared_once_the_smaller_number_left():
    records = [company(2, name="Kraus Labor AG"), company(1, name="Kraus-Labor")]
    evidence = list(compare.within(Index(records, blocks.strong_keys)))
    assert evidence == [("00001", "00002", "name", 1.0)]


def test_words_in_another_order_and_chinese_sounds_are_heard():
    customers = [company(1, name="Labor Kraus AG"), company(2, name="苏州恒瑞半导体材料有限公司")]
    accounts = [company(8, name="Kraus Labor"), company(9, name="Suzhou Hengrui Materials Ltd")]
    evidence = list(compare.between(accounts, Index(customers, blocks.keys)))
    assert ("00008", "00001", "name", 1.0) in evidence
    assert {kind for left, right, kind, _ in evidence if (left, right) == ("00009", "00002")} == {
        "name_in_pinyin"
    }
