"""Words, numbers and names: complete in each language, plain, and safe to print."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from customer_tiers import settings
from customer_tiers.digest.clean import clean
from customer_tiers.digest.reason import CONTRIBUTION_REASONS, LOYALTY_REASONS
from customer_tiers.digest.wording import available, words


def leaves(entries: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(entries, dict):
        for key, value in entries.items():
            yield from leaves(value, f"{path}.{key}")
    else:
        yield path, entries


def fields(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("locale", [name for name in available() if name != "en"])
def test_every_language_says_everything_that_english_says(locale: str) -> None:
    english = dict(leaves(words("en").entries))
    other = dict(leaves(words(locale).entries))
    singular = {path for path in english if path.endswith(".one")}
    assert set(english) - singular == {path for path in other if not path.endswith(".one")}
    for path, text in other.items():
        assert isinstance(text, str)
        assert fields(text) == fields(english[path]), path


@pytest.mark.parametrize(
    ("locale", "language", "day"),
    [
        ("en", "en", "Sep 30, 2026"),
        ("en_GB", "en", "30 Sept 2026"),
        ("zh_CN", "zh-CN", "2026年9月30日"),
        ("zh-CN", "zh-CN", "2026年9月30日"),
        ("zh", "zh-CN", "2026年9月30日"),
        ("de_DE", "en", "Sep 30, 2026"),
        ("no such locale", "en", "Sep 30, 2026"),
        ("", "en", "Sep 30, 2026"),
        (None, "en", "Sep 30, 2026"),
    ],
)
def test_recipients_locale_chooses_language_and_dates(
    locale: str | None, language: str, day: str
) -> None:
    chosen = words(locale)
    assert chosen.html_lang == language
    assert chosen.date(date(2026, 9, 30)) == day


@pytest.mark.parametrize(
    ("amount", "plain", "signed"),
    [
        ("12300.40", "12,300 EUR", "+12,300 EUR"),
        ("-15000", "-15,000 EUR", "-15,000 EUR"),
        ("0", "0 EUR", "0 EUR"),
        ("-0.40", "-0.40 EUR", "-0.40 EUR"),
        ("1234567890.12", "1,234,567,890 EUR", "+1,234,567,890 EUR"),
    ],
)
def test_money_is_printed_in_whole_units(amount: str, plain: str, signed: str) -> None:
    english = words("en", "EUR")
    assert english.money(Decimal(amount)) == plain
    assert english.money(Decimal(amount), signed=True) == signed


def test_unknown_money_is_a_dash_without_currency() -> None:
    assert words("en", "EUR").money(None) == "\u2013"
    assert words("en").money(Decimal(5)) == "5"


def test_unknown_codes_become_words() -> None:
    assert words("en").name("tiers", "gold_plus") == "gold plus"
    assert words("zh_CN").name("causes", "lunar_phase") == "lunar phase"
    assert words("en").name("tiers", "\r\n") == "\u2013"


def test_counts_follow_the_languages_grammar() -> None:
    assert words("en").counted("changed", 1) == "1 customer changed tier"
    assert words("en").counted("changed", 1200) == "1,200 customers changed tier"
    assert words("zh_CN").counted("changed", 1) == "1 位客户层级发生变化"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Plain & Sons", "Plain & Sons"),
        ("Two\r\nBcc: x@example.com", "Two Bcc: x@example.com"),
        ("a\u2028b\u2029c\x00d\x1be\u0085f", "a b c d e f"),
        ("safe\u202egpj.exe\u2066x\u2069\u200f\u061c", "safegpj.exex"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("https://evil.example/x", "https: //evil.example/x"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("", ""),
    ],
)
def test_names_are_printed_on_one_honest_line(typed: str, printed: str) -> None:
    assert clean(typed) == printed


def test_a_cut_never_parts_a_letter_from_its_accent() -> None:
    assert clean("x" * 58 + "q\u0323\u0323" + "y" * 10) == "x" * 58 + "…"


def promised(column: str) -> list[str]:
    """Return the values that the mart `tier_change` promises for a column."""
    path = settings.DBT_PROJECT / "models" / "marts" / "tier_change.yml"
    (model,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    (tests,) = [c.get("data_tests", []) for c in model["columns"] if c["name"] == column]
    (values,) = [t["accepted_values"] for t in tests if "accepted_values" in t]
    return list(values["arguments"]["values"])


@pytest.mark.parametrize("locale", available())
def test_every_code_of_the_mart_has_words(locale: str) -> None:
    for direction in promised("direction"):
        assert words(locale).has(f"lead.{direction}"), direction
    figures = CONTRIBUTION_REASONS | LOYALTY_REASONS
    for code in set(promised("reason_code")) - figures:
        assert words(locale).has(f"reasons.{code}"), code
