"""A waterfall in words: what moved the contribution, the largest first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from customer_tiers.explanation import WATERFALL, WIDTH, waterfall


def lines(**terms: Any) -> list[str]:
    rest = {"contribution_12m_constant": Decimal("7.5"), "quantity_completeness": Decimal(1)}
    return list(waterfall(dict.fromkeys(WATERFALL.values(), Decimal("0.00")) | rest | terms))


def test_terms_are_told_by_size_and_those_of_nothing_left_out() -> None:
    found = lines(volume_effect=Decimal("-1234.5"), price_effect=Decimal("0.01"))
    assert found == ["of the change: -1,234.50 quantities bought, +0.01 list prices"]


def test_all_terms_fit_into_a_few_lines() -> None:
    found = lines(**dict.fromkeys(WATERFALL.values(), Decimal("-1234567.89")))
    assert len(found) == 6
    assert max(map(len, found)) <= WIDTH


def test_a_first_night_and_a_night_without_change_say_nothing() -> None:
    assert lines() == lines(**dict.fromkeys(WATERFALL.values())) == []


def test_sales_without_quantity_are_told_and_so_are_constant_rates() -> None:
    assert lines(mix_effect=5, quantity_completeness=Decimal("0.25")) == [
        "of the change: +5.00 products newly or no longer bought",
        "  quantities are known for 25% of the sales; what the others did is among the products "
        "newly or no longer bought",
    ]
    assert lines(fx_effect=5) == [
        "of the change: +5.00 exchange rates",
        "  at the exchange rates of before it would be 7.50",
    ]
