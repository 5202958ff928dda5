"""A waterfall in words: what moved the contribution, the largest first."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from customer_tiers import settings
from customer_tiers.digest.wording import LOCALES
from customer_tiers.explanation import amounts, progress, spell_of
from customer_tiers.explanation_money import WATERFALL, WIDTH, waterfall


def lines(**terms: Any) -> list[str]:
    rest = {"quantity_completeness": Decimal(1)}
    return list(waterfall(dict.fromkeys(WATERFALL.values(), Decimal("0.00")) | rest | terms))


def test_terms_are_told_by_size_and_those_of_nothing_left_out() -> None:
    found = lines(volume_effect=Decimal("-1234.5"), price_effect=Decimal("0.01"))
    assert found == ["of the change: -1,234.50 quantities bought, +0.01 list prices"]


def test_all_terms_fit_into_a_few_lines() -> None:
    found = lines(**dict.fromkeys(WATERFALL.values(), Decimal("-1234567.89")))
    assert len(found) == 5
    assert max(map(len, found)) <= WIDTH


def test_a_first_night_and_a_night_without_change_say_nothing() -> None:
    assert lines() == lines(**dict.fromkeys(WATERFALL.values())) == []


def test_sales_without_quantity_are_told() -> None:
    assert lines(mix_effect=5, quantity_completeness=Decimal("0.25")) == [
        "of the change: +5.00 products newly or no longer bought",
        "  quantities are known for 25% of the sales; what the others did is among the products "
        "newly or no longer bought",
    ]


def test_what_the_next_tier_takes_and_when_a_change_comes() -> None:
    newcomer = {"rule": "new", "orders": 1, "business_date": date(2026, 8, 31)}
    asked = {"minimum_orders": 2, "ranked_from": date(2026, 9, 1)}
    assert list(progress(newcomer, asked)) == [
        "next: to be ranked, it needs 1 more order(s) and to be with us until 2026-09-01"
    ]
    grown = {**newcomer, "business_date": date(2026, 9, 1)}
    assert list(progress(grown, asked)) == ["next: to be ranked, it needs 1 more order(s)"]
    waiting = {"rule": "held_grace", "pending_direction": "down", "nights_until_change": 12}
    assert list(progress(waiting, asked)) == [
        "next: falls in 12 night(s), unless its figures change"
    ]
    assert list(progress({"rule": "cut", "nights_until_change": None}, {})) == []


def test_amounts_say_what_lacks_and_which_error_of_allocation_matters() -> None:
    receipt = {
        "computed_tier_rank": 2,
        "computed_tier": "major",
        "amount_to_rise": None,
        "amount_to_rise_note": "beyond_money",
        "amount_to_keep": Decimal(900),
        "amount_at_risk": Decimal(0),
        "allocation_slack": Decimal("0.2000"),
        "tier_confidence": None,
    }
    names = {1: "key", 2: "major"}
    assert list(amounts(receipt, names)) == [
        "in contribution, all others as they are: no amount alone wins key: loyalty is what lacks; "
        "it may lose 900.00 and keep major",
        "an error of 20% in the cost to serve, which is allocated, would change it",
    ]
    assert len(list(amounts({**receipt, "allocation_slack": Decimal("0.25")}, names))) == 1


def test_every_term_has_words_here_in_mails_and_in_the_readme() -> None:
    macro = (settings.DBT_PROJECT / "macros" / "waterfall.sql").read_text(encoding="utf-8")
    terms = dict(re.findall(r"'(\w+)': '(\w+)'", macro))
    assert terms == WATERFALL
    readme = (settings.DBT_PROJECT / "README.md").read_text(encoding="utf-8")
    assert [term for term in terms if f"`{term}`" not in readme] == []
    for path in LOCALES.glob("*.yml"):
        words = yaml.safe_load(path.read_text(encoding="utf-8"))["lines"]
        assert set(terms) <= set(words), path.name


def spell(**receipt: Any) -> list[str]:
    known = {"business_date": date(2026, 6, 4), "is_changed": True, "spell_since": date(2026, 6, 2)}
    known |= {"compared_with": date(2026, 6, 1)}
    return spell_of(known | receipt, [{"night": date(2026, 6, 1)}])


def test_a_change_that_waited_says_since_when_and_what_it_compares_with() -> None:
    assert spell() == [
        "its figures asked for this since 2026-06-02, so what follows compares with the night of "
        "2026-06-01"
    ]


def test_a_comparison_with_an_older_night_than_the_spell_says_why() -> None:
    assert spell(compared_with=date(2026, 4, 30)) == [
        "its figures asked for this since 2026-06-02, so what follows compares with the night of "
        "2026-04-30, the last one before it that is kept"
    ]


def test_a_change_that_did_not_wait_says_nothing_of_a_spell() -> None:
    assert spell(spell_since=date(2026, 6, 4), compared_with=date(2026, 6, 3)) == []
    assert spell(spell_since=None) == []


def test_a_change_that_still_waits_says_since_when() -> None:
    waits = spell(is_changed=False, compared_with=date(2026, 6, 3))
    assert waits == ["its figures have asked for the change since 2026-06-02"]
