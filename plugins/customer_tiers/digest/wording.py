"""The words of a mail in the recipient's language, and its numbers, dates and money.

Words live in `locales/<name>.yml`, one file per language with the same keys. A code that a file
does not know (another policy's tier, a new reason) is printed as words: `gold_plus`, "gold plus".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from customer_tiers.digest.clean import clean

LOCALES = Path(__file__).parent / "locales"
DEFAULT_LOCALE = "en"


@dataclass(frozen=True)
class Words:
    """The wording of one locale and its way to print numbers.

    Attributes:
        entries: The file's content.
        locale: How numbers and dates are printed.
        currency: Base currency of the amounts, or None.
    """

    entries: Mapping[str, Any]
    locale: Locale
    currency: str | None

    @property
    def html_lang(self) -> str:
        """The language as HTML names it."""
        return str(self.entries["html_lang"])

    def text(self, key: str, /, **values: object) -> str:
        """Return the text of a dotted key, filled with values."""
        return self._find(key).format(**values)

    def has(self, key: str) -> bool:
        """Tell whether the file has a text of that dotted key."""
        try:
            self._find(key)
        except KeyError:
            return False
        return True

    def counted(self, key: str, count: int, /) -> str:
        """Return the text of a key in the grammatical number of a count."""
        forms = self._find_any(key)
        form = self.locale.plural_form(count)
        return str(forms.get(form, forms["other"])).format(n=self.whole(count))

    def name(self, section: str, code: str | None) -> str:
        """Return the word for a code: a tier, a P&L line, a cause."""
        if code is None:
            return self.text("nothing")
        if isinstance(self.entries[section], Mapping) and code in self.entries[section]:
            return str(self.entries[section][code])
        return clean(code.replace("_", " ")) or self.text("nothing")

    def whole(self, number: int) -> str:
        """Print a count or rank."""
        return format_decimal(number, format="#,##0", locale=self.locale)

    def amount(self, amount: Decimal | None, signed: bool = False) -> str:
        """Print money without its currency, in whole units; cents only where all would be lost."""
        if amount is None:
            return self.text("nothing")
        digits = "#,##0" if not amount or abs(amount) >= 1 else "#,##0.00"
        pattern = f"+{digits};-{digits}" if signed and amount else digits
        return format_decimal(amount, format=pattern, locale=self.locale)

    def money(self, amount: Decimal | None, signed: bool = False) -> str:
        """Print money with its currency."""
        printed = self.amount(amount, signed)
        return (
            f"{printed} {clean(self.currency, 8)}"
            if self.currency and amount is not None
            else printed
        )

    def index(self, value: Decimal | None) -> str:
        """Print a loyalty index, one decimal."""
        if value is None:
            return self.text("nothing")
        return format_decimal(value, format="0.0", locale=self.locale)

    def date(self, day: date) -> str:
        """Print a date in the language's usual form."""
        return format_date(day, format="medium", locale=self.locale)

    def _find(self, key: str) -> str:
        found = self._find_any(key)
        if not isinstance(found, str):
            raise KeyError(key)
        return found

    def _find_any(self, key: str) -> Any:
        found: Any = self.entries
        for part in key.split("."):
            if not isinstance(found, Mapping):
                raise KeyError(key)
            found = found[part]
        return found


def words(locale: str | None, currency: str | None = None) -> Words:
    """Return the wording for a recipient's locale.

    A locale without a file of its own gets the file of its language, else English. Numbers and
    dates follow the recipient's country where the language is the file's (`en_GB`), never another
    language's: English words with German numbers would be misread.
    """
    wanted = _parse(locale)
    name = DEFAULT_LOCALE
    if wanted is not None:
        names = available()
        same_language = [n for n in names if Locale.parse(n).language == wanted.language]
        name = str(wanted) if str(wanted) in names else next(iter(same_language), DEFAULT_LOCALE)
    own = Locale.parse(name)
    printing = wanted if wanted is not None and wanted.language == own.language else own
    return Words(entries=_load(name), locale=printing, currency=currency)


@cache
def available() -> tuple[str, ...]:
    """Return the locales that have a file."""
    return tuple(sorted(path.stem for path in LOCALES.glob("*.yml")))


@cache
def _load(name: str) -> Mapping[str, Any]:
    entries: Mapping[str, Any] = yaml.safe_load((LOCALES / f"{name}.yml").read_text("utf-8"))
    return entries


def _parse(locale: str | None) -> Locale | None:
    try:
        return Locale.parse((locale or "").strip().replace("-", "_"))
    except (ValueError, TypeError, UnknownLocaleError):
        return None
