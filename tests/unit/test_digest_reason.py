"""The reason in words, per reason code, and what the words do with figures that are missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customer_tiers.digest.facts import facts
from customer_tiers.digest.reason import next_step, sentence
from customer_tiers.digest.story import CustomerFacts, Item, Story
from customer_tiers.digest.wording import words

ENGLISH = words("en", "EUR")
CHINESE = words("zh_CN", "CNY")


def told(*others: Item, known: dict[str, Any] | None = None, **values: Any) -> Story:
    """A customer that fell from major to regular, but for what is said otherwise."""
    for name, value in values.items():
        if name.startswith(("contribution_12m", "main_driver_c", "second_driver_c")):
            values[name] = None if value is None else Decimal(value)
    fell = {"from_tier": "major", "to_tier": "regular", "direction": "down"}
    change = Item(customer_id="C1", **(fell | values))
    return Story((change, *others), CustomerFacts("C1", **(known or {})))


FELL = {
    "cause": "own_change",
    "reason_code": "contribution_down",
    "main_driver": "returns",
    "main_driver_change": -15000,
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
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "mostly returns (-€15,000).",
        ),
        (
            UNMOVED,
            "Fell from Major to Regular: others moved, own figures unchanged.",
        ),
        (
            UNMOVED | {"contribution_12m_change": 500},
            "Fell from Major to Regular: other customers moved more; contribution of the last 12 "
            "months up €500.",
        ),
        (
            FELL | {"main_driver_change": 14000, "main_driver": "cogs"},
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "largest single change: cost of goods (+€14,000).",
        ),
        (
            FELL | {"second_driver": "freight", "second_driver_change": -2100},
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "mostly returns (-€15,000) and freight (-€2,100).",
        ),
        (
            FELL | {"second_driver": "freight", "second_driver_change": -1499},
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "mostly returns (-€15,000).",
        ),
        (
            FELL | {"main_driver_change": -5000, "main_driver": "net_revenue"},
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "largest single change: net revenue (-€5,000).",
        ),
        (
            {
                "reason_code": "loyalty_down",
                "loyalty_index_before": Decimal("71.2"),
                "loyalty_index": Decimal(48),
                "contribution_12m": 100,
                "contribution_12m_change": 0,
            },
            "Fell from Major to Regular: loyalty index 71.2 → 48.0 of 100.",
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
            "Newly ranked as Regular: now has enough history to be ranked; contribution of the "
            "last 12 months €13,000.",
        ),
        (
            {"to_tier": "new", "direction": "returned"},
            "Back from Major to New, not ranked for now.",
        ),
        (
            {"from_tier": None, "direction": None, "cause": "initial"},
            "First placed in Regular.",
        ),
        (
            FELL | {"cause": "policy", "reason_code": "policy_changed", "main_driver": None},
            "Fell from Major to Regular: the tier rules changed; contribution of the last 12 "
            "months down €12,300.",
        ),
        (
            FELL
            | {
                "cause": "lunar_phase",
                "score_rank_before": 310,
                "main_driver": "good_will",
                "main_driver_change": -15000,
            },
            "Fell from Major to Regular: contribution of the last 12 months down €12,300, "
            "mostly good will (-€15,000).",
        ),
        (
            {
                "from_tier": "gold_plus",
                "direction": "sideways",
                "cause": "lunar_phase",
                "reason_code": "odd_reason",
            },
            "Moved from Gold plus to Regular: cause: lunar phase; reason: odd reason.",
        ),
    ],
)
def test_reason_in_english(values: dict[str, Any], expected: str) -> None:
    assert sentence(told(**values), ENGLISH) == expected


def test_reason_in_chinese() -> None:
    expected = (
        "由主要客户降为普通客户\uff1a近 12 个月贡献减少 ¥12,300\uff0c主要来自退货"
        "\uff08-¥15,000\uff09。"
    )
    assert sentence(told(**FELL), CHINESE) == expected


def test_a_loyalty_that_prints_the_same_is_not_called_moved() -> None:
    same = UNMOVED | {"loyalty_index_before": Decimal("61.01"), "loyalty_index": Decimal("61.04")}
    assert "own figures unchanged" in sentence(told(**same), ENGLISH)


def test_next_step_follows_the_reason_then_the_driver() -> None:
    assert "returns" in (next_step(told(**FELL), ENGLISH) or "")
    assert "nothing is wrong" in (next_step(told(**UNMOVED), ENGLISH) or "")
    rising = UNMOVED | {"direction": "up"}
    assert "others fell back" in (next_step(told(**rising), ENGLISH) or "")
    assert next_step(told(**FELL | {"main_driver_change": 10}), ENGLISH) is None
    assert next_step(told(reason_code="odd", direction="sideways"), ENGLISH) is None


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
    said = sentence(told(direction=direction, reason_code=code), language)
    assert said.endswith((".", "。"))
    assert "None" not in said
    assert "{" not in said
    assert "_" not in said


def warned(signal: str, now: str, usual: str | None, unit: str, **values: Any) -> Item:
    baseline = None if usual is None else Decimal(usual)
    about = {"value_unit": unit, "current_value": Decimal(now), "baseline_value": baseline}
    return Item("C1", topic="early_warning", cause=signal, **(about | values))


@pytest.mark.parametrize(
    ("item", "english", "chinese"),
    [
        (
            warned("cadence_lapse", "43", "12.5", "days_between_orders", since=date(2026, 5, 3)),
            "No order for 43 days (usual: 12 days), since May 3, 2026",
            "已 43 天没有订单\uff08平常\uff1a12 天\uff09\uff0c始于2026年5月3日",
        ),
        (
            warned("category_loss", "90", "7.5", "days_between_orders", subject="Argon"),
            "No Argon for 90 days (usual: 7.5 days)",
            "已 90 天没有购买 Argon\uff08平常\uff1a7.5 天\uff09",
        ),
        (
            warned("shrinking_basket", "0", "34921.4", "base_currency_in_3_months"),
            "Buys less: €0 in the last 3 months (usual: €34,921)",
            "采购减少\uff1a近 3 个月 ¥0\uff08平常\uff1a¥34,921\uff09",
        ),
        (
            warned("price_anomaly", "0.12", "0.031", "discount_share_of_list"),
            "Discounts rose to 12.0% of the list price (usual: 3.1%)",
            "折扣升至目录价的 12.0%\uff08平常\uff1a3.1%\uff09",
        ),
        (
            warned("return_anomaly", "1697.3", "0", "return_share_of_sales"),
            "Returns rose to more than 100% of sales (usual: 0.0%)",
            "退货升至销售额的 超过 100%\uff08平常\uff1a0.0%\uff09",
        ),
        (
            warned("open_complaint", "30", None, "days_open", subject="C-7"),
            "Complaint C-7 open for 30 days",
            "投诉 C-7 已 30 天未解决",
        ),
        (
            warned("late_payment", "1", "-3", "days_late", subject="I-9"),
            "Invoice I-9 is 1 day late (usual: 3 days early)",
            "发票 I-9 已逾期 1 天\uff08平常\uff1a提前 3 天付款\uff09",
        ),
        (
            warned("late_payment", "40", "0", "days_late", subject="I-9"),
            "Invoice I-9 is 40 days late (usual: on time)",
            "发票 I-9 已逾期 40 天\uff08平常\uff1a按时付款\uff09",
        ),
        (
            warned("late_payment", "40", "12.5", "days_late", subject="I-9"),
            "Invoice I-9 is 40 days late (usual: 12 days late)",
            "发票 I-9 已逾期 40 天\uff08平常\uff1a逾期 12 天付款\uff09",
        ),
        (
            warned("owner_change", "5", "98", "contacts_by_the_owner", subject="U007"),
            "Contacts are now made by Anna",
            "现由 Anna 负责联系",
        ),
        (
            warned("full_moon", "5", "4", "moons"),
            "Full moon: 5 (usual: 4)",
            "Full moon\uff1a5\uff08平常\uff1a4\uff09",
        ),
    ],
)
def test_a_warning_says_what_is_now_and_what_is_usual(
    item: Item, english: str, chinese: str
) -> None:
    story = Story((item,), CustomerFacts("C1", new_contact_name="Anna"))
    for language, expected in ((ENGLISH, english), (CHINESE, chinese)):
        label = language.text("fact.warning")
        said = [fact.value for fact in facts(story, language) if fact.label == label]
        assert said == [expected]


def said(story: Story, label: str) -> str | None:
    values = {fact.label: fact.value for fact in facts(story, ENGLISH)}
    return values.get(label)


def test_facts_of_a_fall() -> None:
    story = told(
        **FELL,
        contribution_12m_before=52300,
        own_move=-150,
        others_move=-40,
        known={
            "tier_since": date(2026, 6, 30),
            "tier_before": "major",
            "tier_before_since": date(2025, 1, 1),
            "next_better_tier": "major",
            "amount_to_rise": Decimal(5400),
            "amount_to_keep": Decimal(900),
            "last_contact_date": date(2026, 6, 1),
            "next_contact_date": date(2026, 7, 9),
            "next_contact_kind": "visit",
        },
    )
    assert said(story, "Contribution, 12 months") == "€52,300 → €40,000 (-€12,300)"
    assert said(story, "Tier") == "Regular since Jun 30, 2026; Major since Jan 1, 2025 until then"
    moved = "120 → 310 of 1,150; its own figures -150, other customers -40 places"
    assert said(story, "Place") == moved
    assert said(story, "To win back Major") == "€5,400 more contribution a year"
    assert said(story, "To keep Regular") == "€900 of yearly contribution to spare"
    assert said(story, "Contact") == "Visit on Jul 9, 2026; the last was on Jun 1, 2026"


@pytest.mark.parametrize(
    ("known", "label", "value"),
    [
        ({"amount_to_rise": Decimal(7)}, "To reach Key", "€7 more contribution a year"),
        ({"amount_to_rise": Decimal(0)}, "To reach Key", "Reached; the rise waits to be confirmed"),
        (
            {"amount_to_keep": Decimal(-8)},
            "To keep Major",
            "Lacks €8 of yearly contribution",
        ),
        (
            {
                "amount_to_keep": Decimal(-8),
                "pending_direction": "down",
                "nights_until_change": 2,
            },
            "To keep Major",
            "Lacks €8 of yearly contribution; falls in 2 nights if nothing changes",
        ),
        (
            {"amount_to_rise": Decimal(0), "pending_direction": "up", "nights_until_change": 1},
            "To reach Key",
            "Reached; the rise waits to be confirmed; it comes in 1 night",
        ),
        (
            {"amount_to_rise_note": "beyond_money"},
            "To reach Key",
            "No contribution alone is enough; what lacks is loyalty: steadier, broader orders, "
            "paid on time",
        ),
        (
            {"amount_to_rise_note": "risk_flag"},
            "To reach Key",
            "Not while the risk flag stands; settle what is behind it first",
        ),
        ({"amount_to_rise_note": "small_population"}, "To reach Key", None),
        ({"last_contact_date": date(2026, 6, 1)}, "Contact", "The last was on Jun 1, 2026"),
        ({"amount_to_rise": None}, "To reach Key", None),
    ],
)
def test_facts_of_a_customer_that_stays(
    known: dict[str, Any], label: str, value: str | None
) -> None:
    about = {"tier": "major", "next_better_tier": "key"}
    item = warned("cadence_lapse", "43", "12", "days_between_orders")
    assert said(Story((item,), CustomerFacts("C1", **(about | known))), label) == value


def test_one_next_step_the_most_urgent() -> None:
    risk = Item("C1", topic="risk", cause="bad", recommended_step="prepay")
    lapse = warned("cadence_lapse", "43", "12", "days_between_orders")
    courted = warned("category_loss", "9", "3", "days_between_orders", warning_cause="poaching")
    rose = {"direction": "up", "reason_code": "contribution_up"}
    for story, expected in (
        (told(risk, lapse, **FELL), "prepayment"),
        (told(lapse, **FELL), "returns"),
        (told(courted, lapse, **rose), "competing offers"),
        (told(lapse, **rose), "next order"),
        (told(**rose), "new tier"),
        (Story((Item("C1", topic="hand_over"),), CustomerFacts("C1")), "introduce"),
    ):
        assert expected in (next_step(story, ENGLISH) or "")
