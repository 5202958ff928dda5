"""A mail says since when a change was due, and which fall comes, in every language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customer_tiers.digest import attachment
from customer_tiers.digest.facts import facts
from customer_tiers.digest.reason import next_step, sentence
from customer_tiers.digest.story import CustomerFacts, Item, Story
from customer_tiers.digest.wording import words
from helpers.digests import item, mail, one, plain

ENGLISH = words("en", "EUR")
CHINESE = words("zh_CN", "CNY")
BEGAN = date(2026, 6, 1)

FELL = {
    "from_tier": "key",
    "to_tier": "major",
    "direction": "down",
    "cause": "own_change",
    "reason_code": "contribution_down",
    "main_driver": "returns",
    "main_driver_change": Decimal(-58000),
    "contribution_12m_before": Decimal(60000),
    "contribution_12m": Decimal(2000),
    "contribution_12m_change": Decimal(-58000),
    "compared_with": BEGAN,
}
WAITING = {
    "topic": "about_to_fall",
    "cause": "about_to_fall",
    "from_tier": "key",
    "to_tier": "major",
    "since": date(2026, 6, 2),
    "nights_until_change": 2,
    "amount_at_stake": Decimal(40008),
}


def told(**values: Any) -> Story:
    return Story((Item("C1", **values),), CustomerFacts("C1", tier="key"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {},
            "Fell from Key to Major: contribution of the last 12 months down €58,000 since Jun 1, "
            "2026, mostly returns (-€58,000).",
        ),
        (
            {
                "reason_code": "others_moved",
                "cause": "displacement",
                "contribution_12m_change": Decimal(0),
                "main_driver": None,
            },
            "Fell from Key to Major: others moved, own figures unchanged since Jun 1, 2026.",
        ),
        (
            {
                "reason_code": "loyalty_down",
                "contribution_12m_change": Decimal(0),
                "main_driver": None,
                "loyalty_index_before": Decimal(70),
                "loyalty_index": Decimal(50),
            },
            "Fell from Key to Major: loyalty index 70.0 → 50.0 of 100 since Jun 1, 2026.",
        ),
    ],
    ids=["contribution", "others", "loyalty"],
)
def test_a_reason_says_since_when(changed: dict[str, Any], expected: str) -> None:
    assert sentence(told(**(FELL | changed)), ENGLISH) == expected


def test_a_reason_says_since_when_in_chinese() -> None:
    assert "自2026年6月1日起近 12 个月贡献减少 ¥58,000" in sentence(told(**FELL), CHINESE)


def test_figures_before_and_now_say_since_when() -> None:
    (contribution,) = [f for f in facts(told(**FELL), ENGLISH) if f.label.startswith("Contrib")]
    assert contribution.value == "€60,000 → €2,000 (-€58,000), since Jun 1, 2026"


def test_a_fall_that_waits_says_when_it_comes_and_what_keeps_the_tier() -> None:
    story = told(**WAITING)
    (fact,) = [f for f in facts(story, ENGLISH) if f.label == "About to fall"]
    assert fact.value == (
        "Falls to Major in 2 nights if nothing changes, since Jun 2, 2026; "
        "€40,008 more contribution a year keeps the tier"
    )
    assert (next_step(story, ENGLISH) or "").startswith("talk to the customer now")
    (fact,) = [f for f in facts(story, CHINESE) if f.label == "即将下降"]
    assert "¥40,008" in fact.value
    assert "2 晚" in fact.value


def test_a_fall_that_no_amount_stops_says_so() -> None:
    (fact,) = [
        f
        for f in facts(told(**(WAITING | {"amount_at_stake": None})), ENGLISH)
        if f.label == "About to fall"
    ]
    assert fact.value.endswith("no contribution alone would keep the tier")


def test_a_mail_counts_falls_that_wait_and_lists_them_in_both_parts() -> None:
    row = item(direction=None, **WAITING)
    rendered = mail(row)
    assert "1 about to fall" in rendered.subject
    for part in plain(rendered):
        assert "Falls to Major in 2 nights" in part
    table = attachment.table(one(row), ENGLISH).decode("utf-8-sig")
    assert "about to fall" in table
    assert "falls to Major in 2 nights" in table
