"""Print amounts with the decimals of their currency; tables hold them to a millionth."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision


def decimals(currency: str | None) -> int:
    """Decimals of a currency's smallest unit (ISO 4217, as CLDR has it); 2 if none is known."""
    return get_currency_precision(currency) if currency else 2


def printed(amount: Decimal, currency: str | None) -> str:
    """An amount for a person to read: 40,909.09."""
    return f"{amount:,.{decimals(currency)}f}"


def plain(amount: Decimal, currency: str | None) -> str:
    """An amount for a spreadsheet to read: 40909.09."""
    return f"{amount:.{decimals(currency)}f}"
