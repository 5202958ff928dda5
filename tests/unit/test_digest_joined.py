"""One person gets one mail in a night: its parts, their periods, and nothing said twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customer_tiers.digest import joined
from customer_tiers.digest.model import Digest, Review, from_row
from customer_tiers.digest.period import is_whole
from customer_tiers.digest.render import render
from helpers.digests import NIGHT, Reader, item, one, plain, warning

REVIEW = Review(compared_with=None, layers=(), customers=3)

PERIODS = {
    "policy_notice": NIGHT,
    "daily": NIGHT,
    "weekly": date(2026, 9, 24),
    "monthly": date(2026, 9, 1),
}


def due(kind: str, *rows: Any, **values: Any) -> Digest:
    review = REVIEW if kind == "monthly" else None
    return one(*rows, kind=kind, review=review, **({"period_from": PERIODS[kind]} | values))


def joined_mail(locale: str = "en") -> Digest:
    return joined.join(
        [
            due("monthly", item("C1"), item("C3", to_tier="low"), locale=locale),
            due("weekly", item("C1"), warning("C2"), locale=locale),
            due("daily", item("C1"), locale=locale),
        ]
    )


@pytest.mark.parametrize(
    ("locale", "subject", "titles"),
    [
        (
            "en",
            "Your customers: 1 down; also the week to Sep 30, 2026, the review of September 2026"
            " (Sep 30, 2026)",
            (
                "Week to Sep 30, 2026: 1 down, 1 with warnings",
                "Management review September 2026: 2 down",
            ),
        ),
        (
            "zh_CN",
            "您的客户\uff1a1 家下降\uff1b另附截至 2026年9月30日 的一周、2026年9月回顾"
            "\uff082026年9月30日\uff09",
            (
                "截至 2026年9月30日 的一周\uff1a1 家下降、1 家有预警",
                "2026年9月管理回顾\uff1a2 家下降",
            ),
        ),
    ],
)
def test_what_is_due_in_one_night_is_one_mail_with_a_part_each(
    locale: str, subject: str, titles: tuple[str, ...]
) -> None:
    digest = joined_mail(locale)
    assert digest.kind == "daily"
    rendered = render(digest)
    assert "in this mail" not in rendered.text, "each part counts its own customers"
    assert "本邮件涉及" not in rendered.text
    assert rendered.subject == subject
    for said in plain(rendered):
        places = [said.index(title) for title in titles]
        assert places == sorted(places)
    assert len(rendered.attachments) == 1


def test_a_part_tells_in_full_only_what_no_part_above_did() -> None:
    text = render(joined_mail()).text
    assert text.count("Fell from Major to Regular") == 1
    assert text.count("No order for 43 days") == 1
    again = joined.join([due("daily", item("C1")), due("weekly", item("C1"))])
    said = render(again).text
    assert "All these customers and their news stand above." in said
    assert said.count("C1") < render(due("daily", item("C1"))).text.count("C1") + 3
    table = render(again).attachments[0][1].decode("utf-8-sig")
    assert table.count("\r\n") == 2, "the head and one row"


def test_news_that_came_to_more_within_the_week_is_told_again() -> None:
    week = item("C1", from_tier="key")
    text = render(joined.join([due("daily", item("C1")), due("weekly", week)])).text
    assert "Fell from Major to Regular" in text
    assert "Fell from Key to Regular" in text


def test_a_mail_of_parts_comes_out_of_the_outbox_as_it_went_in() -> None:
    digest = joined_mail()
    names = ("recipient_id", "role", "recipient_name", "channel", "address", "locale")
    row = [getattr(digest, name) for name in names]
    again = from_row(digest.kind, *row, digest.business_date, digest.payload())
    assert again == digest
    assert [part.key for part in again.parts] == [part.key for part in digest.parts]
    assert again.key == digest.key != again.parts[0].key


def test_one_kind_alone_keeps_its_form_and_key() -> None:
    alone = due("daily", item("C1"))
    assert joined.join([alone]) == alone
    assert alone.parts == (alone,)
    assert "parts_told" not in alone.payload()
    assert all("kind" not in told for told in alone.payload()["items"])


def test_only_the_first_part_says_what_it_corrects() -> None:
    corrected = joined_mail().as_correction("abc", date(2026, 9, 29))
    text = render(corrected).text
    assert text.count("This mail replaces the one of Sep 29, 2026.") == 1
    assert render(corrected).subject.startswith("Correction of the mail of Sep 29, 2026: Your")


def test_what_is_handed_over_leaves_every_part() -> None:
    digest = joined_mail()
    left = joined.only(digest, [one for one in digest.items if one.customer_id != "C1"])
    assert left is not None
    assert [(part.kind, len(part.items)) for part in left.parts] == [("weekly", 1), ("monthly", 1)]
    gone = joined.only(digest, [one for one in digest.items if one.customer_id == "C1"], "fallback")
    assert gone is not None
    assert [part.role for part in gone.parts] == ["fallback"] * 3
    assert joined.only(digest, []) is None


@pytest.mark.parametrize(
    ("kind", "first", "last", "expected"),
    [
        ("weekly", date(2026, 9, 24), date(2026, 9, 30), True),
        ("weekly", date(2026, 8, 26), date(2026, 9, 30), False),
        ("weekly", date(2026, 9, 29), date(2026, 9, 30), False),
        ("monthly", date(2026, 9, 1), date(2026, 9, 30), True),
        ("monthly", date(2026, 8, 1), date(2026, 9, 30), False),
        ("monthly", date(2026, 9, 12), date(2026, 9, 30), False),
        ("daily", date(2026, 9, 30), date(2026, 9, 30), True),
        ("daily", date(2026, 9, 28), date(2026, 9, 30), False),
    ],
)
def test_a_week_is_seven_days_and_a_month_is_one(
    kind: str, first: date, last: date, expected: bool
) -> None:
    assert is_whole(one(item("C1"), kind=kind, period_from=first, period_until=last)) is expected


def test_the_largest_mail_of_parts_is_not_cut_off_by_mail_programs() -> None:
    figures = {
        "customer_name": "某某有限责任公司" * 9,
        "owner_name": "某" * 70,
        "second_driver": "freight",
        "second_driver_change": Decimal("-9999999"),
        "contribution_12m": Decimal("99999999"),
        "contribution_12m_change": Decimal("-9999999"),
        "recipient_id": "M1",
        "role": "manager",
    }
    parts = []
    for place, kind in enumerate(("policy_notice", "daily", "weekly", "monthly")):
        rows = [item(f"C{place}{n}", f"O{n}", **figures) for n in range(100)]
        rows += [row | warning(row["customer_id"], row["owner_id"], **figures) for row in rows]
        rows += [row | {"section": "appendix", "cause": "restatement"} for row in rows[:20]]
        parts.append(due(kind, *rows, role="manager", locale="zh_CN"))
    html = render(joined.join(parts)).html
    assert len(html.encode()) < 102_000
    assert "某某有限责任公司" in Reader(html).words


def test_roles_and_substitutes_of_all_parts_are_said_once() -> None:
    values = {"role": "owner", "substitutes_for": "Bob"}
    parts_due = [due(kind, item("C1"), **values) for kind in ("daily", "weekly", "monthly")]
    digest = joined.join(parts_due)
    weekly = replace(digest.parts_told[1], role="manager")
    parts = (digest.parts_told[0], weekly, digest.parts_told[2])
    text = render(replace(digest, parts_told=parts)).text
    assert text.count("You also get the customers of Bob") == 1
    assert text.count("because these customers are yours") == 1
    assert text.count("because the owners of these customers report to you") == 1
