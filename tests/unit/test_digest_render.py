"""The mail itself: subject, both parts, hostile names, and nothing fetched from anywhere."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from customer_tiers.digest import compose
from customer_tiers.digest.render import ROWS_PER_MAIL, Rendered, render

NIGHT = date(2026, 9, 30)
HOSTILE = '<script>alert("x")</script>\r\nBcc: thief@example.com\u202e <img src=x onerror=y>'


def item(customer_id: str, owner_id: str = "O1", **values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(compose.ITEM_FIELDS)
    row.update(
        kind=compose.OWNER_DIGEST,
        recipient_id="O1",
        recipient_name="Anna Weber",
        recipient_email="anna@example.com",
        customer_id=customer_id,
        customer_name=f"Customer {customer_id}",
        owner_id=owner_id,
        owner_name=f"Owner {owner_id}",
        from_tier="major",
        to_tier="regular",
        direction="down",
        reason_code="contribution_down",
        contribution_12m=Decimal("40000.40"),
        contribution_12m_change=Decimal("-12300.10"),
        policy_id="standard",
    )
    return row | values


def mail(*rows: dict[str, Any], currency: str | None = "EUR") -> Rendered:
    (digest,) = compose.compose(rows, NIGHT, currency, "sample", "r1")
    return render(digest)


class Reader(HTMLParser):
    """What a mail program would see: visible words, tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._hidden = 0
        self.feed(html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._hidden += tag in ("style", "title")
        self.words += " " if tag in ("td", "th", "tr", "p", "br", "h1", "h2") else ""

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        self.words += "" if self._hidden else data


def test_subject_counts_by_direction() -> None:
    rows = [item("C1", direction="up"), item("C2"), item("C3")]
    assert mail(*rows).subject == "3 customers changed tier: 1 up, 2 down (Sep 30, 2026)"
    assert mail(item("C1")).subject == "1 customer changed tier: 1 down (Sep 30, 2026)"


def test_subject_counts_every_direction_even_unknown_ones() -> None:
    directions = ["entered", "returned", "sideways", None, "up"]
    rows = [item(f"C{n}", direction=way) for n, way in enumerate(directions)]
    expected = "5 customers changed tier: 1 up, 1 newly ranked, 1 back to new, 2 moved"
    assert mail(*rows).subject.startswith(expected)


def test_managers_mail_is_grouped_by_owner() -> None:
    rows = [item("C1", "O1"), item("C2", "O2"), item("C3", "O2", direction="up")]
    team = [row | {"kind": compose.MANAGER_DIGEST, "recipient_id": "M1"} for row in rows]
    result = mail(*team)
    assert result.subject.startswith("Your team: 3 customers changed tier: 1 up, 2 down")
    for part in (result.text, Reader(result.html).words):
        places = [part.index(t) for t in ("Owner O2: 1 up, 1 down", "Customer C2", "Customer C3")]
        places += [part.index(t) for t in ("Owner O1: 1 down", "Customer C1")]
        assert places == sorted(places)


def test_both_parts_say_everything() -> None:
    rows = [item("C1", score_rank_before=120, score_rank=310, customers_ranked=1150)]
    result = mail(*rows)
    for part in (" ".join(result.text.split()), Reader(result.html).words):
        for said in (
            "Hello Anna Weber,",
            "1 customer changed tier: 1 down",
            "Customer C1",
            "Major → Regular",
            "40,000",
            "-12,300",
            "Fell from major to regular: contribution of the last 12 months down 12,300 EUR; "
            "rank 120 → 310 of 1,150.",
            "Business date: Sep 30, 2026",
            "Tier policy: standard",
            "Amounts in EUR",
            "ERP and CRM of sample",
            "because these customers are yours",
        ):
            assert said in part


def test_hostile_names_are_only_text() -> None:
    row = item("<b>C1", customer_name=HOSTILE, policy_id=HOSTILE, direction=HOSTILE)
    row |= {"from_tier": HOSTILE, "cause": HOSTILE, "reason_code": HOSTILE, "main_driver": HOSTILE}
    row |= {"main_driver_change": Decimal(-9), "recipient_name": HOSTILE, "owner_name": HOSTILE}
    manager = row | {"kind": compose.MANAGER_DIGEST, "locale": "zh_CN"}
    for result in (mail(row), mail(manager)):
        seen = Reader(result.html)
        assert not {"script", "img", "b"} & set(seen.tags)
        assert "onerror" not in {name for name, _ in seen.attributes}
        for part in (result.subject, result.text, result.html):
            assert "\u202e" not in part
            assert not re.search(r"^\s*Bcc:", part, re.MULTILINE)
        assert "\n" not in result.subject


def test_nothing_is_fetched_and_nothing_is_linked() -> None:
    html = mail(item("C1", customer_name="https://evil.example/a.png")).html
    seen = Reader(html)
    assert not {"a", "img", "link", "script", "iframe", "object", "base"} & set(seen.tags)
    assert not {"href", "src", "background", "srcset"} & {name for name, _ in seen.attributes}
    for remote in ("://", "url(", "@import", "@font-face"):
        assert remote not in html


def test_a_mail_sets_no_ground_and_no_text_colour_so_that_dark_mode_works() -> None:
    html = mail(item("C1")).html
    assert "color-scheme" in html
    assert not re.search(r"background(-color)?:|bgcolor", html)
    colours = set(re.findall(r"[;\"]color:(#\w+)", html))
    for colour in colours:  # readable on white and on black: contrast at least 3 on both
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04 else c / 12.92 for c in channels]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (light + 0.05) >= 3
        assert (light + 0.05) / 0.05 >= 3
    assert colours


def test_customers_beyond_the_cap_are_counted_and_summed() -> None:
    rows = [
        item(f"C{n:03d}", contribution_12m_change=Decimal(-1000 + n))
        for n in range(ROWS_PER_MAIL + 3)
    ]
    result = mail(*rows)
    assert result.subject.startswith(f"{ROWS_PER_MAIL + 3} customers")
    for part in (result.text, Reader(result.html).words):
        assert "Customer C039" in part
        assert "Customer C040" not in part
        assert "and 3 more customers: 3 down; change of contribution together -2,877 EUR" in part


def test_the_largest_mail_is_not_cut_off_by_mail_programs() -> None:
    figures = {
        "customer_name": "某某有限责任公司" * 9,
        "main_driver": "returns",
        "main_driver_change": Decimal("-9999999"),
        "contribution_12m": Decimal("99999999"),
        "contribution_12m_change": Decimal("-9999999"),
        "score_rank_before": 99999,
        "score_rank": 88888,
        "customers_ranked": 99999,
        "kind": compose.MANAGER_DIGEST,
        "recipient_id": "M1",
    }
    for locale in ("en", "zh_CN"):
        rows = [item(f"C{n}", f"O{n}", locale=locale, **figures) for n in range(500)]
        result = mail(*rows)
        assert len(result.html.encode()) < 102_000
        assert "460" in Reader(result.html).words


def test_a_name_that_is_empty_falls_back_to_the_number() -> None:
    for name in (None, "", "\u202e\r\n"):
        assert "1. C1\n" in mail(item("C1", customer_name=name)).text


def test_without_a_currency_amounts_stand_alone() -> None:
    result = mail(item("C1"), currency=None)
    assert "Contribution, 12 months: 40,000 (-12,300)" in result.text
    assert "None" not in result.text + result.html


def test_a_replacement_says_so() -> None:
    (digest,) = compose.compose([item("C1")], NIGHT)
    said = "This mail replaces the earlier one for the same business date."
    assert said not in render(digest).text
    assert said in render(digest.as_correction()).text


def test_a_kind_without_a_mail_is_refused() -> None:
    digest = compose.Digest("gossip", "O1", None, "a@example.com", None, NIGHT, ())
    with pytest.raises(ValueError, match="gossip"):
        render(digest)
