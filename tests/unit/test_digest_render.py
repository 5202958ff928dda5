"""The mail itself: subject, both parts, every kind, and nothing fetched from anywhere."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customer_tiers.digest.model import Check, Layer, Migration, Quality, Review
from customer_tiers.digest.render import render
from customer_tiers.digest.view import CARDS_PER_MAIL, ROWS_PER_MAIL, view
from customer_tiers.digest.wording import words
from helpers.digests import NIGHT, Reader, item, mail, one, plain, warning

REVIEW = Review(
    compared_with=date(2026, 8, 31),
    layers=(
        Layer("key", 55, Decimal(4297846), Decimal("0.432"), 54, Decimal(4200000)),
        Layer("low", 566, Decimal(-86006), None, 560, Decimal(-90000)),
        Layer("new", 43, Decimal(67403), Decimal("0.007"), 50, Decimal(0)),
    ),
    migrations=(
        Migration("key", "key", 50, Decimal(4000000)),
        Migration("low", "key", 5, Decimal(297846)),
        Migration(None, "new", 43, Decimal(67403)),
    ),
    customers=664,
    customers_flapped=7,
    flap_days=90,
    customers_restated=1,
    nights_published=29,
    nights_refused=1,
)

CHECKS = (Check("line_has_a_cost", 2), Check("text_is_short", 9))
"""One that bends the figures of a mail, and one that only operators are told of."""

WEEK = {"kind": "weekly", "period_from": date(2026, 9, 24)}
MONTH = {"kind": "monthly", "period_from": date(2026, 9, 1)}

REVIEW_ORDER = ("pyramid", "from where", "rose customer", "fell customer", "to watch")


def test_subject_counts() -> None:
    rows = [item("C1", direction="up"), item("C2"), item("C3"), warning("C3"), warning("C4")]
    subject = "Your customers: 1 up, 2 down, 2 with warnings (Sep 30, 2026)"
    assert mail(*rows).subject == subject
    chinese = "您的客户\uff1a1 家上升、2 家下降、2 家有预警\uff082026年9月30日\uff09"
    assert mail(*rows, locale="zh_CN").subject == chinese


def test_subject_counts_every_direction_even_unknown_ones() -> None:
    directions = ["entered", "returned", "sideways", None, "up"]
    rows = [item(f"C{n}", direction=way) for n, way in enumerate(directions)]
    expected = "Your customers: 1 up, 1 newly ranked, 1 back to new, 2 moved"
    assert mail(*rows).subject.startswith(expected)


@pytest.mark.parametrize(
    ("values", "subject"),
    [
        ({"role": "manager"}, "Your team: 1 down"),
        ({"role": "credit_controller"}, "Credit risk: 1 down"),
        (WEEK, "Week to Sep 30, 2026: 1 down"),
        (WEEK | {"period_from": date(2026, 8, 26)}, "Since Aug 26, 2026: 1 down"),
        (WEEK | {"period_from": date(2026, 9, 28)}, "Since Sep 28, 2026: 1 down"),
        (MONTH, "Management review September 2026: 1 down"),
        (
            MONTH | {"period_from": date(2026, 8, 26)},
            "Management review since Aug 26, 2026: 1 down",
        ),
        ({"kind": "policy_notice"}, "New tier rules: 1 down"),
    ],
)
def test_subject_of_each_kind_and_role(values: dict[str, Any], subject: str) -> None:
    assert mail(item("C1", owner_id="O1"), **values).subject == f"{subject} (Sep 30, 2026)"


def test_first_screen_says_what_changed_and_the_money_at_stake() -> None:
    rows = [item("C1"), warning("C2"), item("C3", direction="up", amount_at_stake=Decimal(5))]
    for said in plain(mail(*rows)):
        assert "3 customers in this mail, together €60,305 of contribution a year at stake" in said
        first = [said.index(name) for name in ("Customer C2", "Customer C1", "Customer C3")]
        assert first == sorted(first)
        assert first[-1] < said.index("In detail" if "In detail" in said else "IN DETAIL")


def facts_of(digest: Any) -> list[str]:
    """Everything that the view says, cell by cell."""
    seen = view(
        digest,
        words(digest.locale, digest.base_currency, digest.tier_names),
        f"customers_{NIGHT}.csv",
    )
    (part,) = seen.sections
    said = [seen.title, seen.greeting, *part.opening, *seen.banners, *part.aside]
    said += [*part.reliability, *seen.footer]
    for tile in part.tiles:
        said += [tile.label, tile.count, tile.money]
    for table in (*part.tables, *part.after):
        said += [*table.head, *table.notes]
        said += [text for row in table.rows for cell in row for text in (cell.text, cell.note)]
    for card in part.cards:
        said += [card.customer, card.note, card.headline, card.stake, card.why or ""]
        said += [text for fact in card.facts for text in (fact.label, fact.value)]
    return [text for text in said if text]


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly", "policy_notice"])
@pytest.mark.parametrize("role", ["owner", "manager", "credit_controller"])
def test_both_parts_say_the_same(locale: str, kind: str, role: str) -> None:
    rows = [item("C1"), warning("C1"), item("C2", direction="up"), warning("C3")]
    rows += [warning("C4", topic="risk", cause="bad", recommended_step="prepay")]
    rows += [warning("C5", topic="hand_over", previous_owner_name="Old Hand")]
    rows += [item("C6", section="appendix", cause="restatement", reason_code="past_corrected")]
    digest = one(
        *rows,
        locale=locale,
        kind=kind,
        role=role,
        period_from=date(2026, 9, 1),
        quality=Quality(date(2026, 9, 28), "old", (), 1, True, CHECKS, 3, ("crm.cases",)),
        review=REVIEW,
    )
    text, html = plain(render(digest))
    for said in facts_of(digest):
        assert " ".join(said.split()).casefold() in text.casefold(), said
        assert " ".join(said.split()) in html, said


def test_what_the_customer_did_not_do_stands_in_the_appendix() -> None:
    restated = item("C2", section="appendix", cause="restatement", reason_code="past_corrected")
    result = mail(item("C1"), restated)
    assert result.subject.startswith("Your customers: 1 down")
    for said in plain(result):
        assert said.casefold().index("also changed") < said.index("Customer C2")


@pytest.mark.parametrize(
    ("locale", "why"),
    [
        ("en", "No shares of profit: all customers together bring no contribution"),
        ("zh_CN", "无利润占比\uff1a全部客户合计没有正贡献"),
    ],
)
def test_shares_that_are_blank_say_why(locale: str, why: str) -> None:
    loss = replace(REVIEW, layers=(Layer("low", 566, Decimal(-86006)),))
    for said in plain(mail(item("C1"), **MONTH, review=loss, locale=locale)):
        assert why in said
    for said in plain(mail(item("C1"), **MONTH, review=REVIEW, locale=locale)):
        assert why not in said


def test_managers_see_the_sums_of_each_owner() -> None:
    rows = [item("C1", "O1"), item("C2", "O2"), warning("C3", "O2", section="main")]
    team = [row | {"role": "manager", "recipient_id": "M1"} for row in rows]
    for said in plain(mail(*team, role="manager")):
        assert re.search(r"Owner O2 1 1 €60,300 .*Owner O1 1 €12,300", said)


def test_banners_say_how_far_the_figures_can_be_relied_on() -> None:
    quality = Quality(
        date(2026, 9, 28), "standard", (), 1, True, CHECKS, 3, ("crm.cases", "crm.surveys")
    )
    for said in plain(mail(item("C1"), quality=quality)):
        for part in (
            "A later night could not be published. These are the figures of Sep 30, 2026",
            "1 night before this one was not published, so changes are measured against Sep 28",
            "3 source records are set aside",
            "2 invoice lines have no cost, neither their own nor their product's",
            "Not delivered tonight: crm.cases, crm.surveys.",
        ):
            assert part in said
    gap = Quality(compared_with=date(2026, 9, 1))
    assert "against the last published night, Sep 1, 2026" in mail(item("C1"), quality=gap).text
    good = Quality(compared_with=date(2026, 9, 29))
    assert "Please note" not in mail(item("C1"), quality=good).text


def test_monthly_review_shows_the_pyramid_the_migration_and_who_moved() -> None:
    rows = [item("C1"), item("C2", direction="up", from_tier="low"), warning("C3")]
    for said in plain(mail(*rows, kind="monthly", role="sales_director", review=REVIEW)):
        for part in (
            "55 (+1)",
            "€4,297,846",
            "+€97,846",
            "43.2%",
            "4M",
            "297.8K",
            "7 of 664 customers (1.1%) changed tier back and forth within 90 days.",
            "29 nights published in this time, 1 refused.",
            "The past of 1 customer is known better now than last night.",
        ):
            assert part in said, part
        low = said.casefold()
        order = [
            low.index(name)
            for name in ("pyramid", "from where", "rose customer", "fell customer", "watch")
        ]
        assert order == sorted(order)


def test_monthly_review_counts_whom_it_does_not_list() -> None:
    rows = [item(f"C{n}", amount_at_stake=Decimal(5)) for n in range(CARDS_PER_MAIL + 2)]
    for said in plain(mail(*rows, kind="monthly", review=REVIEW)):
        assert "and 2 more customers, together €10 at stake" in said


def test_a_policy_switch_is_told_as_one() -> None:
    moved = [item(f"C{n}", cause="policy", policy_id="six_levels") for n in range(3)]
    counts = {"customers": 340, "customers_up": 210, "customers_down": 130, "amount": Decimal(9)}
    quality = Quality(compared_with=date(2026, 9, 29), policy_before="standard")
    for said in plain(mail(*moved, kind="policy_notice", quality=quality, **counts)):
        assert "tier policy six_levels decides instead of standard" in said
        assert "340 customers into another tier: 210 up, 130 down." in said
        assert "and 337 more customers" in said


def test_a_correction_names_the_mail_that_it_corrects() -> None:
    first = one(item("C1"))
    mended = render(first.as_correction(first.key, date(2026, 9, 30)))
    assert mended.subject.startswith("Correction of the mail of Sep 30, 2026: Your customers")
    assert "This mail replaces the one of Sep 30, 2026." in mended.text
    undated = render(first.as_correction(first.key))
    assert "replaces the earlier one" in undated.text
    nothing = render(replace(first, items=()).as_correction(first.key))
    assert "nothing of what it said holds any more" in nothing.text.casefold()
    assert not nothing.attachments


def test_nothing_is_fetched_and_only_the_page_is_linked() -> None:
    row = item("C1", customer_name="https://evil.example/a.png")
    for page in (None, 'https://bi.example.com/tiers?a=1&b="2"'):
        html = mail(row, page_url=page).html
        seen = Reader(html)
        assert not {"img", "link", "script", "iframe", "object", "base"} & set(seen.tags)
        assert not {"src", "background", "srcset"} & {name for name, _ in seen.attributes}
        assert [value for name, value in seen.attributes if name == "href"] == ([page] * bool(page))
        for remote in ("url(", "@import", "@font-face"):
            assert remote not in html
        assert html.count("://") == 2 * bool(page)


def test_a_mail_sets_no_ground_and_no_text_colour_so_that_dark_mode_works() -> None:
    html = mail(item("C1"), item("C2", direction="up"), warning("C3")).html
    assert "color-scheme" in html
    grounds = re.findall(r"<[^>]*background-color[^>]*>([^<]*)", html)
    assert grounds  # bars only: cells without words
    assert set(grounds) == {"&nbsp;"}
    colours = set(re.findall(r"[;\" ](?:background-)?color:(#\w+)", html))
    colours |= set(re.findall(r"solid (#\w{6})\b(?!\w)", html)) - {"#888888"}
    for colour in colours:  # readable on white and on black: contrast at least 3 on both
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04 else c / 12.92 for c in channels]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (light + 0.05) >= 3
        assert (light + 0.05) / 0.05 >= 3
    assert len(colours) >= 3


def test_customers_beyond_the_cap_are_counted_and_summed() -> None:
    rows = [item(f"C{n:03d}", amount_at_stake=Decimal(1000 - n)) for n in range(ROWS_PER_MAIL + 3)]
    rows = [row | {"is_shown": n < 20} for n, row in enumerate(rows)]
    result = mail(*rows)
    assert result.subject.startswith(f"Your customers: {ROWS_PER_MAIL + 3} down")
    for said in plain(result):
        assert "Customer C019" in said
        assert "Customer C020" not in said
        assert f"and {ROWS_PER_MAIL - 17} more customers, together €22,287 at stake" in said
        assert len(re.findall("Customer C0", said)) == 20 + CARDS_PER_MAIL
    table = result.attachments[0][1].decode("utf-8-sig")
    assert table.count("\r\n") == ROWS_PER_MAIL + 4


def test_the_largest_mail_is_not_cut_off_by_mail_programs() -> None:
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
    for locale in ("en", "zh_CN"):
        rows = [item(f"C{n}", f"O{n}", **figures) for n in range(200)]
        rows += [row | warning(row["customer_id"], row["owner_id"], **figures) for row in rows]
        aside = [row | {"section": "appendix", "cause": "restatement"} for row in rows[:50]]
        result = mail(*rows, *aside, role="manager", locale=locale)
        assert len(result.html.encode()) < 102_000
        assert "160" in Reader(result.html).words


def test_a_name_that_is_empty_falls_back_to_the_number() -> None:
    for name in (None, "", "\u202e\r\n"):
        assert "1. C1\n" in mail(item("C1", customer_name=name)).text


def test_without_a_currency_amounts_stand_alone() -> None:
    result = mail(item("C1"), base_currency=None)
    assert "52,300 → 40,000 (-12,300)" in result.text
    assert "None" not in result.text + result.html


def test_the_policys_own_names_of_tiers_are_printed() -> None:
    names = [{"tier": "gold_plus", "name_en": "Gold!", "name_zh": "金牌"}]
    row = item("C1", to_tier="gold_plus")
    assert "Major → Gold!" in mail(row, tier_names=names).text
    assert "主要客户 → 金牌" in mail(row, tier_names=names, locale="zh_CN").text


def test_a_kind_without_a_mail_is_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        render(replace(one(item("C1")), kind="gossip"))


def test_200_mails_render_well_under_two_seconds() -> None:
    rows = [row for n in range(6) for row in (item(f"C{n}"), warning(f"C{n}"))]
    digest = one(*rows, locale="zh_CN")
    render(digest)
    started = time.process_time()
    for number in range(50):
        render(replace(digest, business_date=date.fromordinal(NIGHT.toordinal() + number)))
    assert (time.process_time() - started) * 4 < 2
