"""Words, numbers and names: complete in each language, plain, and safe to print."""

from __future__ import annotations

import csv
import re
import string
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from customer_tiers import settings
from customer_tiers.digest.clean import clean
from customer_tiers.digest.model import KINDS
from customer_tiers.digest.reason import CONTRIBUTION_REASONS, LOYALTY_REASONS
from customer_tiers.digest.wording import available, words


def leaves(entries: Any) -> Iterator[tuple[str, str]]:
    """Every text by dotted key; the grammatical forms of a counted one as keys of their own."""
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{form}", text) for form, text in value.items())
        else:
            yield key, value


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
    ("locale", "currency", "amount", "plain", "signed"),
    [
        ("en", "EUR", "12300.40", "€12,300", "+€12,300"),
        ("en", "EUR", "-15000", "-€15,000", "-€15,000"),
        ("en", "EUR", "0", "€0", "€0"),
        ("en", "EUR", "-0.40", "-€0.40", "-€0.40"),
        ("en", "EUR", "1234567890.12", "€1,234,567,890", "+€1,234,567,890"),
        ("en", "CHF", "-5", "-CHF\u00a05", "-CHF\u00a05"),
        ("en", "CNY", "5", "CN¥5", "+CN¥5"),
        ("zh_CN", "CNY", "5000", "¥5,000", "+¥5,000"),
        ("en_IN", "INR", "1234567", "₹12,34,567", "+₹12,34,567"),
        ("en", "<b>\n", "5", "<b>5", "+<b>5"),
        ("en", None, "5", "5", "+5"),
    ],
)
def test_money_is_printed_in_whole_units_as_the_locale_writes_it(
    locale: str, currency: str | None, amount: str, plain: str, signed: str
) -> None:
    language = words(locale, currency)
    assert language.money(Decimal(amount)) == plain
    assert language.money(Decimal(amount), signed=True) == signed


def test_narrow_cells_and_shares_and_days_in_the_locale() -> None:
    english, chinese = words("en", "EUR"), words("zh_CN", "EUR")
    assert [w.compact_money(Decimal(4297846)) for w in (english, chinese)] == ["4.3M", "429.8万"]
    assert chinese.compact_money(Decimal("7563.86")) == "7564"
    assert [w.percent(Decimal("0.4321")) for w in (english, chinese)] == ["43.2%", "43.2%"]
    assert [english.days(Decimal(n)) for n in ("1", "4.50", "59.5")] == [
        "1 day",
        "4.5 days",
        "60 days",
    ]
    month = date(2026, 6, 30)
    assert [w.month(month) for w in (english, chinese)] == ["June 2026", "2026年6月"]


def test_unknown_money_is_a_dash_without_currency() -> None:
    assert words("en", "EUR").money(None) == "\u2013"


def test_unknown_codes_become_words() -> None:
    assert words("en").tier("gold_plus") == "Gold plus"
    assert words("en", tier_names={"en": {"gold_plus": "Gold+"}}).tier("gold_plus") == "Gold+"
    assert words("zh_CN").name("causes", "lunar_phase") == "lunar phase"
    assert words("en").name("tiers", "\r\n") == "\u2013"


def test_counts_follow_the_languages_grammar() -> None:
    assert words("en").counted("customers", 1) == "1 customer"
    assert words("en").counted("customers", 1200) == "1,200 customers"
    assert words("zh_CN").counted("customers", 1) == "1 家客户"


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


def promised(model: str, column: str) -> list[str]:
    """Return the values that a mart promises for a column."""
    path = settings.DBT_PROJECT / "models" / "marts" / f"{model}.yml"
    (described,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    (tests,) = [c.get("data_tests", []) for c in described["columns"] if c["name"] == column]
    (values,) = [t["accepted_values"] for t in tests if "accepted_values" in t]
    return list(values["arguments"]["values"])


def seeded(seed: str, column: str) -> set[str]:
    """Return the values of a seed's column."""
    with (settings.DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8") as file:
        return {row[column] for row in csv.DictReader(file)}


def codes() -> Iterator[str]:
    """Key of the words for every code that a mail can meet."""
    figures = CONTRIBUTION_REASONS | LOYALTY_REASONS
    yield from (f"lead.{code}" for code in promised("tier_change", "direction"))
    yield from (f"counts.{code}" for code in promised("tier_change", "direction"))
    yield from (f"reasons.{c}" for c in promised("tier_change", "reason_code") if c not in figures)
    for signal in promised("early_warning", "signal"):
        yield from (f"signal.{signal}", f"table.signals.{signal}", f"next_step.signal.{signal}")
    for cause in promised("early_warning", "cause_code"):
        yield from (f"warning_causes.{cause}", f"next_step.cause.{cause}")
    for step in seeded("risk_path", "step"):
        yield from (f"steps.{step}", f"next_step.risk.{step}")
    for flag in seeded("risk_path", "risk_flag"):
        yield from (f"flags.{flag}", f"table.flags.{flag}")
    for cause in promised("tier_decision", "cause"):
        if cause != "unchanged":
            yield f"table.causes.{cause}|causes.{cause}"
    yield from (f"table.topics.{topic}" for topic in seeded("digest_subscriptions", "topic"))
    roles = seeded("digest_subscriptions", "role") - {"system"}
    yield from (f"footer.role.{role}" for role in roles)
    yield from (f"title.{kind}" for kind in KINDS if kind != "daily")
    contract = yaml.safe_load((settings.SOURCES / "contract.yml").read_text("utf-8"))
    assert "crm.activities" in str(contract)
    yield from (f"activities.{kind}" for kind in ("call", "visit", "meeting", "mail", "event"))
    yield from (f"tiers.{tier}" for tier in ("key", "major", "regular", "low", "new"))
    yield from (f"lines.{driver}" for driver in drivers())


def drivers() -> list[str]:
    """Return what `tier_change` can name as a driver: its description lists them."""
    path = settings.DBT_PROJECT / "models" / "marts" / "tier_change.yml"
    (described,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    (text,) = [c["description"] for c in described["columns"] if c["name"] == "main_driver"]
    listed = text.partition("it went: ")[2].partition(";")[0]
    return re.findall(r"[a-z_]+", listed.replace(" or ", ", "))


@pytest.mark.parametrize("locale", available())
def test_every_code_has_words(locale: str) -> None:
    language = words(locale)
    wanted = list(codes())
    missing = [k for k in wanted if not any(p in language.entries for p in k.split("|"))]
    assert not missing
    assert len(wanted) > 80
    assert len(drivers()) > 6
