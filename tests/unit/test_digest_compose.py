"""Who is told what: grouping, order, keys, and that nobody reads about a stranger's customer."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_tiers.digest.compose import compose
from customer_tiers.digest.model import ROW_FIELDS, Layer, Migration, Quality, Review, from_row
from customer_tiers.digest.render import render
from helpers.digests import NIGHT, item, one, recipient, warning


def composed(recipients: list[Any], items: list[Any]) -> list[Any]:
    return compose(recipients, items, business_date=NIGHT)


def test_nobody_owed_a_mail_is_no_digest() -> None:
    assert composed([], []) == []


def test_each_recipient_and_kind_gets_their_items() -> None:
    rows = [
        item("C1", "O1"),
        warning("C1", "O1"),
        item("C2", "O1"),
        item("C3", "O2"),
        item("C3", "O2", role="manager", kind="weekly", recipient_id="O1"),
    ]
    recipients = [recipient("O2"), recipient("O1", kind="weekly", role="manager"), recipient("O1")]
    told = [(d.kind, d.recipient_id, len(d.told), len(d.items)) for d in composed(recipients, rows)]
    assert told == [("daily", "O1", 2, 3), ("daily", "O2", 1, 1), ("weekly", "O1", 1, 1)]


def test_most_money_at_stake_comes_first_whichever_way_it_moved() -> None:
    def moved(name: str, change: int | None, now: int | None = 9) -> Any:
        change_ = None if change is None else Decimal(change)
        return item(name, contribution_12m_change=change_, contribution_12m=now and Decimal(now))

    digest = one(
        moved("small", -10),
        moved("none", None, None),
        moved("gain", 500),
        moved("loss", -900),
        moved("tie-b", 10, 7000),
        moved("tie-a", 10, 7000),
        warning("warned", amount_at_stake=Decimal(700)),
    )
    order = [story.first.customer_id for story in digest.told]
    assert order == ["loss", "warned", "gain", "tie-a", "tie-b", "small", "none"]


def test_a_customers_story_leads_with_its_tier_change_then_risk_then_the_strongest_warning() -> (
    None
):
    digest = one(
        warning("C1", strength=40),
        warning("C1", cause="late_payment", strength=90),
        warning("C1", topic="risk", cause="bad", recommended_step="prepay"),
        item("C1"),
    )
    (story,) = digest.told
    assert [i.cause for i in story.items] == ["own_change", "bad", "late_payment", "cadence_lapse"]
    assert story.change is story.first
    assert story.at_stake == Decimal("48000.00")


@pytest.mark.parametrize(
    ("recipients", "items", "fault"),
    [
        ([recipient()], [item("C1"), item("C1")], "customer 'C1' twice"),
        ([recipient()], [item("C1", "O2", recipient_id="O1")], "would be mailed to 'O1'"),
        ([recipient(kind="gossip")], [], "kind 'gossip'"),
        ([recipient()], [item("C1", "O2")], "'O2' is not in digest_recipient"),
    ],
)
def test_rows_that_break_the_marts_promise_are_refused(
    recipients: list[Any], items: list[Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        composed(recipients, items)


def test_a_substitute_gets_the_customers_of_who_is_not_there() -> None:
    absent = item("C1", "O2", recipient_id="O1")
    digest = one(absent, substitutes_for="Owner O2")
    assert "Owner O2" in render(digest).text


def test_key_does_not_depend_on_run_order_ranks_or_names() -> None:
    first = one(item("C1"), item("C2"), run_id="scheduled__1")
    second = one(
        item("C2", score_rank=7, customers_ranked=9, customer_name="Renamed"),
        item("C1", contribution_12m=Decimal("40000.30")),
        run_id="manual__2",
        address="new@example.com",
    )
    assert first.key == second.key


def test_key_does_not_depend_on_cents_that_swap_two_customers() -> None:
    cents = [Decimal("-100.10"), Decimal("-100.20")]
    first = one(*(item(c, contribution_12m_change=a) for c, a in zip("AB", cents, strict=True)))
    second = one(*(item(c, contribution_12m_change=a) for c, a in zip("BA", cents, strict=True)))
    assert [s.first.customer_id for s in first.told] != [s.first.customer_id for s in second.told]
    assert first.key == second.key


@pytest.mark.parametrize(
    "change",
    [
        {"to_tier": "low"},
        {"from_tier": "key"},
        {"direction": "up"},
        {"reason_code": "risk_flag"},
        {"section": "appendix"},
        {"topic": "early_warning"},
        {"contribution_12m": Decimal("40001")},
        {"contribution_12m_change": Decimal("-12301")},
    ],
)
def test_key_depends_on_what_the_mail_says(change: dict[str, Any]) -> None:
    assert one(item()).key != one(item(**change)).key


def test_key_depends_on_recipient_kind_and_night() -> None:
    (other_night,) = compose([recipient()], [item()], business_date=date(2026, 10, 1))
    keys = {one(item()).key, one(item(), kind="weekly").key, other_night.key}
    assert len(keys | {one(item(owner_id="O2")).key}) == 4


def test_payload_survives_json() -> None:
    digest = one(
        item(loyalty_index=Decimal("61.2500"), customer_name="上海\u202e"),
        warning("C2"),
        kind="monthly",
        facts=[{"customer_id": "C1", "tier_since": NIGHT, "amount_to_keep": Decimal("5.10")}],
        quality=Quality(compared_with=NIGHT, missing_entities=("crm.cases",)),
        review=Review(
            NIGHT, (Layer("key", 3, Decimal(9)),), (Migration(None, "key", 1, Decimal(2)),)
        ),
        tier_names=[{"tier": "key", "name_en": "Key", "name_zh": "重要客户"}],
        page_url="https://bi.example.com/tiers",
    ).as_correction("abc", NIGHT)
    payload = json.loads(json.dumps(digest.payload()))
    assert payload["items"][0]["customer_id"] == "C1"
    again = from_row(**{name: getattr(digest, name) for name in ROW_FIELDS}, payload=payload)
    assert again == digest
    assert again.key == digest.key


@settings(max_examples=30, deadline=None)
@given(
    books=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    amounts=st.lists(st.integers(-(10**6), 10**6), min_size=12, max_size=12),
    order=st.randoms(use_true_random=False),
    locale=st.sampled_from(["en", "zh_CN", "de", None]),
)
def test_a_mail_to_one_owner_never_holds_anothers_customer(
    books: list[int], amounts: list[int], order: Any, locale: str | None
) -> None:
    owner_of = {f"CUST{number:03d}X": f"OWN{book}X" for number, book in enumerate(books)}
    rows = []
    for (customer, owner), amount in zip(owner_of.items(), amounts, strict=False):
        own = item(customer, owner, contribution_12m_change=Decimal(amount))
        lead = {"role": "manager", "recipient_id": f"M{int(owner[3]) % 2}"}
        rows += [own, own | lead, warning(customer, owner), warning(customer, owner) | lead]
    order.shuffle(rows)
    reached = {(row["recipient_id"], row["role"]) for row in rows}
    recipients = [recipient(name, role=role, locale=locale) for name, role in reached]
    for digest in composed(recipients, rows):
        mail = render(digest)
        (table,) = (data.decode("utf-8-sig") for _, data, _ in mail.attachments)
        for customer, owner in owner_of.items():
            reads = owner == digest.recipient_id or f"M{int(owner[3]) % 2}" == digest.recipient_id
            for part in (mail.text, mail.html, table):
                assert (customer in part) == reads
