"""The words of a mail in the recipient's language, and its numbers, dates and money.

Words live in `locales/<name>.yml`, one file per language with the same keys. A code that a file
does not know (another policy's tier, a new reason) is printed as words: `gold_plus`, "gold plus".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import (
    NumberPattern,
    format_compact_decimal,
    get_currency_symbol,
    parse_pattern,
)

from customer_tiers import yaml_files
from customer_tiers.digest.clean import clean

LOCALES = Path(__file__).parent / "locales"
DEFAULT_LOCALE = "en"


@dataclass(frozen=True)
class Words:
    """The wording of one locale and its way to print numbers.

    Attributes:
        entries: The file's texts by dotted key; a counted one has its grammatical forms.
        locale: How numbers, dates and money are printed.
        currency: Base currency of the amounts, or None.
        tier_names: Names that the policy gives its tiers in this language.
    """

    entries: Mapping[str, Any]
    locale: Locale
    currency: str | None
    tier_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def html_lang(self) -> str:
        """The language as HTML names it."""
        return str(self.entries["html_lang"])

    def text(self, key: str, /, **values: object) -> str:
        """Return the text of a dotted key, filled with values."""
        return self._find(key).format(**values)

    def has(self, key: str) -> bool:
        """Tell whether the file has a text of that dotted key."""
        return isinstance(self.entries.get(key), str)

    def has_counted(self, key: str) -> bool:
        """Tell whether the file has a text of that dotted key in its grammatical forms."""
        return isinstance(self.entries.get(key), Mapping)

    def counted(self, key: str, count: int, /, **values: object) -> str:
        """Return the text of a key in the grammatical number of a count."""
        forms = self.entries[key]
        form = self.locale.plural_form(count)
        return str(forms.get(form, forms["other"])).format(n=self.whole(count), **values)

    def name(self, section: str, code: str | None) -> str:
        """Return the word for a code: a tier, a P&L line, a cause."""
        if code is None:
            return self.text("nothing")
        if self.has(f"{section}.{code}"):
            return self._find(f"{section}.{code}")
        return clean(code.replace("_", " ")) or self.text("nothing")

    def tier(self, code: str | None) -> str:
        """Return the name of a tier: the policy's own, else the file's."""
        if code is not None and self.tier_names.get(code):
            return clean(self.tier_names[code])
        name = self.name("tiers", code)
        return name[:1].upper() + name[1:]

    def whole(self, number: int | Decimal, signed: bool = False) -> str:
        """Print a count or rank."""
        return self._number(number, "#,##0", signed)

    def amount(self, amount: Decimal | None, signed: bool = False) -> str:
        """Print money without its currency, in whole units; cents only where all would be lost."""
        if amount is None:
            return self.text("nothing")
        return self._number(amount, "#,##0" if _is_whole(amount) else "#,##0.00", signed)

    def money(self, amount: Decimal | None, signed: bool = False) -> str:
        """Print money with its currency, as the locale writes it."""
        if not self.currency or amount is None:
            return self.amount(amount, signed)
        before, digits, after = _money_pattern(str(self.locale), clean(self.currency, 8))
        sign = _sign(amount, signed)
        number = self._number(abs(amount), digits if _is_whole(amount) else digits + ".00")
        return sign + before + number + after

    def compact_money(self, amount: Decimal) -> str:
        """Print money for a narrow cell, without its currency: 4.3M, 430万."""
        digits = 0 if abs(amount) < 1000 else 1
        return str(
            format_compact_decimal(round(amount), locale=self.locale, fraction_digits=digits)
        )

    def percent(self, share: Decimal | None) -> str:
        """Print a share: 0.123 as 12.3%."""
        return self.text("nothing") if share is None else self._number(share, "#,##0.0%")

    def days(self, days: Decimal) -> str:
        """Print a number of days, a half day only where the number is small."""
        printed = days.quantize(Decimal(1) if abs(days) >= 10 else Decimal("0.1")).normalize()
        forms = self.entries["days"]
        form = forms.get(self.locale.plural_form(printed), forms["other"])
        return str(form).format(n=self._number(printed, "#,##0.#"))

    def index(self, value: Decimal | None) -> str:
        """Print a loyalty index, one decimal."""
        return self.text("nothing") if value is None else self._number(value, "0.0")

    def month(self, day: date) -> str:
        """Print the month of a date."""
        return format_skeleton("yMMMM", day, locale=self.locale)

    def _number(self, number: Decimal | int, pattern: str, signed: bool = False) -> str:
        return _sign(number, signed) + _printed(abs(number), pattern, str(self.locale))

    def _find(self, key: str) -> str:
        found = self.entries[key]
        if not isinstance(found, str):
            raise KeyError(key)
        return found

    def date(self, day: date) -> str:
        """Print a date in the language's usual form."""
        return format_date(day, format="medium", locale=self.locale)


def words(
    locale: str | None,
    currency: str | None = None,
    tier_names: Mapping[str, Mapping[str, str]] | None = None,
) -> Words:
    """Return the wording for a recipient's locale.

    A locale without a file of its own gets the file of its language, else English. Numbers and
    dates follow the recipient's country where the language is the file's (`en_GB`), never another
    language's: English words with German numbers would be misread.
    """
    name, printing = _chosen(locale)
    names = (tier_names or {}).get(Locale.parse(name).language, {})
    return Words(_load(name), printing, currency, names)


@cache
def _chosen(locale: str | None) -> tuple[str, Locale]:
    """Return the file that serves a locale, and the locale that numbers and dates follow."""
    wanted = _parse(locale)
    name = DEFAULT_LOCALE
    if wanted is not None:
        names = available()
        same_language = [n for n in names if Locale.parse(n).language == wanted.language]
        name = str(wanted) if str(wanted) in names else next(iter(same_language), DEFAULT_LOCALE)
    own = Locale.parse(name)
    return name, wanted if wanted is not None and wanted.language == own.language else own


def _is_whole(amount: Decimal) -> bool:
    return not amount or abs(amount) >= 1


@lru_cache(maxsize=8192)
def _printed(number: Decimal | int, pattern: str, locale: str) -> str:
    """A number as the locale prints it; the same amounts stand in a mail's parts and in others."""
    return str(_pattern(pattern).apply(Decimal(number), Locale.parse(locale)))


@cache
def _pattern(pattern: str) -> NumberPattern:
    return parse_pattern(pattern)


@cache
def available() -> tuple[str, ...]:
    """Return the locales that have a file."""
    return tuple(sorted(path.stem for path in LOCALES.glob("*.yml")))


@cache
def _load(name: str) -> Mapping[str, Any]:
    path = LOCALES / f"{name}.yml"
    return dict(
        _flat(yaml_files.read(path, missing="the words are gone; restore the file", holds="words"))
    )


def _flat(entries: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and what they stand for; a mapping of plural forms stays one."""
    for key, value in entries.items():
        if isinstance(value, Mapping) and "{n}" not in str(value.get("other")):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


@cache
def _money_pattern(locale: str, currency: str) -> tuple[str, str, str]:
    """Return what stands before an amount, how its whole units are printed, and what follows."""
    pattern = Locale.parse(locale).currency_formats["standard"].pattern.partition(";")[0]
    digits = next(iter(re.findall(r"[#,0.]+", pattern)))
    before, _, after = pattern.partition(digits)
    symbol = get_currency_symbol(currency, locale)
    gap = "\u00a0" if symbol[-1:].isalpha() else ""  # CHF 5, but €5
    return before.replace("¤", symbol + gap), digits.removesuffix(".00"), after.replace("¤", symbol)


def _sign(number: Decimal | int, signed: bool) -> str:
    return "-" if number < 0 else "+" if signed and number > 0 else ""


def _parse(locale: str | None) -> Locale | None:
    try:
        return Locale.parse((locale or "").strip().replace("-", "_"))
    except (ValueError, TypeError, UnknownLocaleError):
        return None
