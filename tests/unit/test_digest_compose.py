"""Who is told what: grouping, order, keys, and that nobody reads about a stranger's customer."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_tiers.digest import compose
from customer_tiers.digest.render import render

NIGHT = date(2026, 9, 30)


def item(customer_id: str = "C1", owner_id: str = "O1", **values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(compose.ITEM_FIELDS)
    row.update(
        kind=compose.OWNER_DIGEST,
        recipient_id=owner_id,
        recipient_name=f"Owner {owner_id}",
        recipient_email=f"{owner_id.lower()}@example.com",
        locale="en",
        customer_id=customer_id,
        customer_name=f"Customer {customer_id}",
        owner_id=owner_id,
        owner_name=f"Owner {owner_id}",
        from_tier="major",
        to_tier="regular",
        direction="down",
        cause="own_change",
        reason_code="contribution_down",
        contribution_12m=Decimal("1000.00"),
        contribution_12m_change=Decimal("-100.00"),
    )
    return row | values


def one(*rows: dict[str, Any], **about: Any) -> compose.Digest:
    (digest,) = compose.compose(rows, NIGHT, **about)
    return digest


def test_nothing_to_say_is_no_digest() -> None:
    assert compose.compose([], NIGHT) == []


def test_each_recipient_and_kind_gets_one_digest() -> None:
    rows = [
        item("C1", "O1"),
        item("C2", "O1"),
        item("C3", "O2"),
        item("C3", "O2", kind=compose.MANAGER_DIGEST, recipient_id="O1"),
    ]
    digests = compose.compose(rows, NIGHT)
    assert [(d.kind, d.recipient_id, len(d.changes)) for d in digests] == [
        ("manager_digest", "O1", 1),
        ("owner_digest", "O1", 2),
        ("owner_digest", "O2", 1),
    ]


def test_most_money_at_stake_comes_first_whichever_way_it_moved() -> None:
    digest = one(
        item("small", contribution_12m_change=Decimal("-10")),
        item("none", contribution_12m_change=None, contribution_12m=None),
        item("gain", contribution_12m_change=Decimal("500")),
        item("loss", contribution_12m_change=Decimal("-900")),
        item("tie-b", contribution_12m_change=Decimal("10"), contribution_12m=Decimal("7000")),
        item("tie-a", contribution_12m_change=Decimal("10"), contribution_12m=Decimal("7000")),
    )
    order = [change.customer_id for change in digest.changes]
    assert order == ["loss", "gain", "tie-a", "tie-b", "small", "none"]


def test_managers_see_the_owner_with_most_money_at_stake_first() -> None:
    rows = [
        item("C1", "O1", contribution_12m_change=Decimal("-60")),
        item("C2", "O2", contribution_12m_change=Decimal("-50")),
        item("C3", "O2", contribution_12m_change=Decimal("40")),
    ]
    digest = one(*(row | {"kind": compose.MANAGER_DIGEST, "recipient_id": "M1"} for row in rows))
    groups = [(name, [c.customer_id for c in cs]) for name, cs in compose.by_owner(digest.changes)]
    assert groups == [("Owner O2", ["C2", "C3"]), ("Owner O1", ["C1"])]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([item("C1"), item("C1")], "customer 'C1' twice"),
        ([item("C1", "O2", recipient_id="O1")], "would be mailed to 'O1'"),
        ([item("C1", kind="gossip")], "kind 'gossip'"),
    ],
)
def test_rows_that_break_the_marts_promise_are_refused(rows: list[Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        compose.compose(rows, NIGHT)


def test_key_does_not_depend_on_run_order_ranks_or_names() -> None:
    first = one(item("C1"), item("C2"), run_id="scheduled__1")
    second = one(
        item("C2", score_rank=7, customers_ranked=9, customer_name="Renamed"),
        item("C1", recipient_email="new@example.com", contribution_12m=Decimal("1000.30")),
        run_id="manual__2",
    )
    assert first.key == second.key


def test_key_does_not_depend_on_cents_that_swap_two_customers() -> None:
    cents = [Decimal("-100.10"), Decimal("-100.20")]
    first = one(*(item(c, contribution_12m_change=a) for c, a in zip("AB", cents, strict=True)))
    second = one(*(item(c, contribution_12m_change=a) for c, a in zip("BA", cents, strict=True)))
    assert [c.customer_id for c in first.changes] != [c.customer_id for c in second.changes]
    assert first.key == second.key


@pytest.mark.parametrize(
    "change",
    [
        {"to_tier": "low"},
        {"from_tier": "key"},
        {"direction": "up"},
        {"reason_code": "risk_flag"},
        {"contribution_12m": Decimal("1001")},
        {"contribution_12m_change": Decimal("-101")},
        {"kind": compose.MANAGER_DIGEST},
    ],
)
def test_key_depends_on_what_the_mail_says(change: dict[str, Any]) -> None:
    assert one(item()).key != one(item(**change)).key


def test_key_depends_on_recipient_and_night() -> None:
    (other_night,) = compose.compose([item()], date(2026, 10, 1))
    assert len({one(item()).key, one(item(owner_id="O2")).key, other_night.key}) == 2 + 1


def test_payload_survives_json() -> None:
    digest = one(
        item(
            score_rank=3,
            loyalty_index=Decimal("61.2500"),
            tier_score=7000,
            customer_name="上海\u202e",
        ),
        base_currency="EUR",
        source="sample",
        run_id="r1",
    ).as_correction()
    payload = json.loads(json.dumps(digest.payload()))
    again = compose.from_payload(
        digest.kind,
        digest.recipient_id,
        digest.recipient_name,
        digest.recipient_email,
        digest.locale,
        digest.business_date,
        payload,
    )
    assert again == digest
    assert again.key == digest.key


@settings(max_examples=60, deadline=None)
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
        own = item(customer, owner, contribution_12m_change=Decimal(amount), locale=locale)
        rows += [
            own,
            own | {"kind": compose.MANAGER_DIGEST, "recipient_id": f"M{int(owner[3]) % 2}"},
        ]
    order.shuffle(rows)
    for digest in compose.compose(rows, NIGHT):
        mail = render(digest)
        for customer, owner in owner_of.items():
            reads = owner == digest.recipient_id
            if digest.kind == compose.MANAGER_DIGEST:
                reads = f"M{int(owner[3]) % 2}" == digest.recipient_id
            assert (customer in mail.text) == reads
            assert (customer in mail.html) == reads
