"""Customers and accounts in the form in which they are compared, small enough to hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern

from customer_tiers.identity import names


@dataclass(slots=True)
class Record:
    """A customer or account in comparable form; what it does not say is None."""

    record_id: str
    name: names.Name
    tax_id: str | None
    domain: str | None
    phone: str | None
    street: str | None
    house: str | None
    postal_code: str | None
    city: str | None
    country: str | None


def record(row: Mapping[str, str | None]) -> Record:
    """Bring a row with the contract's columns into comparable form.

    What many records say is held once: streets, places, countries.
    """
    street, house = names.address_key(row["address"]) or ("", "")
    return Record(
        record_id=str(row["record_id"]),
        name=names.take_apart(row["name"] or ""),
        tax_id=names.tax_key(row["tax_id"]),
        domain=names.domain_key(row["domain"]),
        phone=names.phone_key(row["phone"]),
        street=intern(street) or None,
        house=intern(house) or None,
        postal_code=intern((row["postal_code"] or "").replace(" ", "").upper()) or None,
        city=intern(names.fold(row["city"] or "")) or None,
        country=intern((row["country"] or "").strip().upper()) or None,
    )
