"""The reason in words, per reason code, and what the words do with figures that are missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from customer_tiers.digest.compose import CHANGE_FIELDS, Change
from customer_tiers.digest.reason import next_step, sentence
from customer_tiers.digest.wording import words

ENGLISH = words("en", "EUR")
CHINESE = words("zh_CN", "CNY")


def change(**values: Any) -> Change:
    for name in ("contribution_12m", "contribution_12m_change", "main_driver_change"):
        if values.get(name) is not None:
            values[name] = Decimal(values[name])
    known: dict[str, Any] = dict.fromkeys(CHANGE_FIELDS)
    known.update(customer_id="C1", from_tier="major", to_tier="regular", direction="down")
    return Change(**(known | values))


FELL = {
    "cause": "own_change",
    "reason_code": "contribution_down",
    "main_driver": "returns",
    "main_driver_change": -15000,  # returns rose, so they took from the contribution
    "contribution_12m": 40000,
    "contribution_12m_change": -12300,
    "score_rank_before": 120,
    "score_rank": 310,
    "customers_ranked": 1150,
}
UNMOVED = {
    "cause": "displacement",
    "reason_code": "others_moved",
    "contribution_12m": 8100,
    "contribution_12m_change": 0,
    "score_rank_before": 240,
    "score_rank": 251,
    "customers_ranked": 1150,
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            FELL,
            "Fell from major to regular: contribution of the last 12 months down 12,300 EUR, "
            "mostly returns (-15,000 EUR); rank 120 → 310 of 1,150.",
        ),
        (
            UNMOVED,
            "Fell from major to regular: others moved, own figures unchanged; "
            "rank 240 → 251 of 1,150.",
        ),
        (
            UNMOVED | {"contribution_12m_change": 500},
            "Fell from major to regular: other customers moved more; contribution of the last 12 "
            "months up 500 EUR; rank 240 → 251 of 1,150.",
        ),
        (
            FELL | {"main_driver_change": 14000, "main_driver": "cost"},
            "Fell from major to regular: contribution of the last 12 months down 12,300 EUR, "
            "largest single change: unit costs of goods (+14,000 EUR); rank 120 → 310 of 1,150.",
        ),
        (
            FELL | {"main_driver_change": -5000, "main_driver": "volume"},
            "Fell from major to regular: contribution of the last 12 months down 12,300 EUR, "
            "largest single change: quantities bought (-5,000 EUR); rank 120 → 310 of 1,150.",
        ),
        (
            {
                "reason_code": "loyalty_down",
                "loyalty_index_before": Decimal("71.2"),
                "loyalty_index": Decimal(48),
                "contribution_12m": 100,
                "contribution_12m_change": 0,
            },
            "Fell from major to regular: loyalty index 71.2 → 48.0 of 100.",
        ),
        (
            {
                "from_tier": "new",
                "direction": "entered",
                "cause": "graduation",
                "reason_code": "enough_history",
                "contribution_12m": 13000,
                "score_rank": 300,
                "customers_ranked": 1150,
            },
            "Newly ranked as regular: now has enough history to be ranked; contribution of the "
            "last 12 months 13,000 EUR; rank 300 of 1,150.",
        ),
        (
            {"to_tier": "new", "direction": "returned"},
            "Back from major to new, not ranked for now.",
        ),
        (
            {"from_tier": None, "direction": None, "cause": "initial"},
            "First placed in regular.",
        ),
        (
            FELL | {"cause": "policy", "reason_code": "policy_changed", "main_driver": None},
            "Fell from major to regular: the tier rules changed; contribution of the last 12 "
            "months down 12,300 EUR; rank 120 → 310 of 1,150.",
        ),
        (
            FELL
            | {
                "cause": "lunar_phase",
                "score_rank_before": 310,
                "main_driver": "good_will",
                "main_driver_change": -15000,
            },
            "Fell from major to regular: contribution of the last 12 months down 12,300 EUR, "
            "mostly good will (-15,000 EUR); rank still 310 of 1,150.",
        ),
        (
            {
                "from_tier": "gold_plus",
                "direction": "sideways",
                "cause": "lunar_phase",
                "reason_code": "odd_reason",
            },
            "Moved from gold plus to regular: cause: lunar phase; reason: odd reason.",
        ),
    ],
)
def test_reason_in_english(values: dict[str, Any], expected: str) -> None:
    assert sentence(change(**values), ENGLISH) == expected


def test_reason_in_chinese() -> None:
    expected = (
        "由主要客户降为普通客户\uff1a近 12 个月贡献减少 12,300 CNY\uff0c主要来自退货"
        "\uff08-15,000 CNY\uff09\uff1b排名 120 → 310\uff08共 1,150 位\uff09。"
    )
    assert sentence(change(**FELL), CHINESE) == expected


def test_a_loyalty_that_prints_the_same_is_not_called_moved() -> None:
    same = UNMOVED | {"loyalty_index_before": Decimal("61.01"), "loyalty_index": Decimal("61.04")}
    assert "own figures unchanged" in sentence(change(**same), ENGLISH)


def test_next_step_follows_the_reason_then_the_driver() -> None:
    assert "returns" in (next_step(change(**FELL), ENGLISH) or "")
    assert "nothing is wrong" in (next_step(change(**UNMOVED), ENGLISH) or "")
    rising = UNMOVED | {"direction": "up"}
    assert "others fell back" in (next_step(change(**rising), ENGLISH) or "")
    assert next_step(change(**FELL | {"main_driver_change": 10}), ENGLISH) is None
    assert next_step(change(reason_code="odd", direction="sideways"), ENGLISH) is None


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
@pytest.mark.parametrize("direction", ["up", "down", "entered", "returned", "sideways", None])
@pytest.mark.parametrize(
    "code",
    [
        "contribution_up",
        "contribution_down",
        "loyalty_up",
        "loyalty_down",
        "others_moved",
        "enough_history",
        "negative_contribution",
        "risk_flag",
        "risk_cleared",
        "not_enough_history",
        "policy_changed",
        "customers_merged",
        "population_size",
        "odd",
        None,
    ],
)
def test_a_row_without_figures_still_gives_a_sentence(
    language: Any, direction: str | None, code: str | None
) -> None:
    said = sentence(change(direction=direction, reason_code=code), language)
    assert said.endswith((".", "。"))
    assert "None" not in said
    assert "{" not in said
    assert "_" not in said
