"""Where the sample company's customers sit and how they are reached, as the ERP knows it."""

from __future__ import annotations

import numpy as np

from customer_tiers.sample.names import website
from customer_tiers.sample.rows import Array, Rows
from customer_tiers.sample.words import COUNTRIES

STREETS = {
    "DE": (
        "Hauptstraße",
        "Industriestraße",
        "Bahnhofstraße",
        "Am Hafen",
        "Lindenweg",
        "Werkstraße",
    ),
    "AT": ("Hauptstraße", "Mühlgasse", "Bahnhofstraße", "Am Anger"),
    "CH": ("Hauptstrasse", "Industriestrasse", "Rue du Rhône", "Bahnhofstrasse"),
    "FR": ("Rue de la Gare", "Avenue Foch", "Rue du Port", "Boulevard Pasteur"),
    "IT": ("Via Roma", "Via Garibaldi", "Corso Italia", "Via dell'Industria"),
    "GB": ("High Street", "Station Road", "Mill Lane", "Harbour Road"),
    "US": ("Main Street", "Industrial Avenue", "Oak Street", "Harbor Boulevard"),
    "CN": ("人民路", "工业大道", "中山路", "科技园路"),
}
DIALS = {
    "DE": "49",
    "AT": "43",
    "CH": "41",
    "FR": "33",
    "IT": "39",
    "GB": "44",
    "US": "1",
    "CN": "86",
}
"""Country -> what is dialled before the number."""

SHARED_MAILBOXES = ("mail.example", "post.example")
"""Mail providers whose name says nothing about who writes."""


def draw(random: np.random.Generator, rows: Rows) -> Rows:
    """Draw street, postal code, city, telephone and mail of each customer.

    Args:
        random: Of a stream of its own.
        rows: Customers with `country`, `region`, `city` and `name`.

    Returns:
        Columns of texts, which replace `city`; a telephone or mail that nobody knows is None.
    """
    count = len(rows["country"])
    number, line = random.integers(1, 190, count), random.integers(100_000, 9_999_999, count)
    district, pick = random.integers(0, 100, count), random.random(count)
    places = zip(rows["country"], rows["region"], rows["city"], strict=True)
    cities = [_city(*place) for place in places]
    streets = [
        _street(country, share, int(n))
        for country, share, n in zip(rows["country"], pick, number, strict=True)
    ]
    codes = [_postcode(city, int(d)) for city, d in zip(cities, district, strict=True)]
    phones = [
        f"+{DIALS[country]} {sum(map(ord, city)) % 900 + 100} {digits}"
        for country, city, digits in zip(rows["country"], cities, line, strict=True)
    ]
    columns = {"street": streets, "postcode": codes, "city": cities, "phone": phones}
    drawn = {name: np.array(values, dtype=object) for name, values in columns.items()}
    drawn["phone"][random.random(count) < 0.15] = None
    return drawn | {"invoice_mail": _mails(random, rows["name"])}


def _city(country: str, region: str, drawn: str) -> str:
    """The city drawn, unless a story has put the customer somewhere else."""
    towns = [town for place, town in COUNTRIES[country].regions if place == region]
    towns = towns or [COUNTRIES[country].regions[0][1]]
    return drawn if drawn in towns else towns[0]


def _street(country: str, share: float, number: int) -> str:
    name = STREETS[country][int(share * len(STREETS[country]))]
    if country in ("FR", "GB", "US"):
        return f"{number} {name}"
    return f"{name}{number}号" if country == "CN" else f"{name} {number}"


def _postcode(city: str, district: int) -> str:
    return f"{sum(ord(letter) * 7 for letter in city) % 900 + 100}{district:02d}"


def _mails(random: np.random.Generator, names: Array) -> Array:
    """Where invoices go: a mailbox of the company's own site, a shared one, or nowhere."""
    pick = random.random(len(names))
    mails = np.full(len(names), None, dtype=object)
    for index, name in enumerate(names):
        if pick[index] < 0.65:
            mails[index] = f"invoices@{website(name, index).removeprefix('www.')}"
        elif pick[index] < 0.85:
            shared = SHARED_MAILBOXES[index % len(SHARED_MAILBOXES)]
            mails[index] = f"office{index}@{shared}"
    return mails
