"""What a mail knows before it has words: facts that the warehouse decided, as plain immutable values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter

DAILY, WEEKLY, MONTHLY, POLICY_NOTICE = "daily", "weekly", "monthly", "policy_notice"
KINDS = (DAILY, WEEKLY, MONTHLY, POLICY_NOTICE)
"""Kinds of mail; a new one also needs words, and templates where it is laid out differently."""

ROLES = ("owner", "fallback", "manager", "sales_director", "credit_controller", "system")
"""What a recipient can be to a customer."""

TIER_CHANGE, EARLY_WARNING, RISK, HAND_OVER = "tier_change", "early_warning", "risk", "hand_over"
TOPICS = (TIER_CHANGE, EARLY_WARNING, RISK, HAND_OVER)
APPENDIX = "appendix"

PAYLOAD_VERSION = 2
"""Version of the payload's form; rows of an older form may still wait in the outbox."""

LOYALTY_STEP = Decimal("0.1")
"""Smallest difference of a loyalty index that is worth a word."""


@dataclass(frozen=True)
class Item:
    """One thing told about one customer; the fields are columns of `digest_item`."""

    customer_id: str
    topic: str = TIER_CHANGE
    cause: str | None = None
    section: str | None = None
    role: str | None = None
    since: date | None = None
    amount_at_stake: Decimal | None = None
    customer_amount: Decimal | None = None
    customer_rank: int | None = None
    is_shown: bool = True
    customer_name: str | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    # A tier change.
    from_tier: str | None = None
    to_tier: str | None = None
    direction: str | None = None
    reason_code: str | None = None
    main_driver: str | None = None
    main_driver_change: Decimal | None = None
    second_driver: str | None = None
    second_driver_change: Decimal | None = None
    contribution_12m_before: Decimal | None = None
    contribution_12m: Decimal | None = None
    contribution_12m_change: Decimal | None = None
    loyalty_index_before: Decimal | None = None
    loyalty_index: Decimal | None = None
    score_rank_before: int | None = None
    score_rank: int | None = None
    customers_ranked: int | None = None
    own_move: int | None = None
    others_move: int | None = None
    policy_id: str | None = None
    tier_score: int | None = None
    # An early warning; its signal is the cause.
    strength: int | None = None
    baseline_value: Decimal | None = None
    current_value: Decimal | None = None
    value_unit: str | None = None
    subject: str | None = None
    subject_date: date | None = None
    warning_cause: str | None = None
    # A risk; its flag is the cause.
    recommended_step: str | None = None
    # A customer that came from another owner.
    previous_owner_id: str | None = None
    previous_owner_name: str | None = None

    @property
    def own_figures_moved(self) -> bool:
        """Whether the customer's own contribution or loyalty differ from the last night's."""
        return bool(self.contribution_12m_change) or self.loyalty_moved

    @property
    def loyalty_moved(self) -> bool:
        """Whether both nights know a loyalty index and they differ by what a mail prints."""
        before, now = self.loyalty_index_before, self.loyalty_index
        if before is None or now is None:
            return False
        return before.quantize(LOYALTY_STEP) != now.quantize(LOYALTY_STEP)


@dataclass(frozen=True)
class CustomerFacts:
    """What a mail prints about a customer beside its items.

    Columns of `digest_customer`, and the amounts of `tier_decision`: how much contribution the
    customer lacks for the next better tier, and may lose (negative: lacks) to keep its own.
    """

    customer_id: str
    tier: str | None = None
    tier_since: date | None = None
    tier_before: str | None = None
    tier_before_since: date | None = None
    contribution_12m: Decimal | None = None
    amount_to_rise: Decimal | None = None
    amount_to_keep: Decimal | None = None
    next_better_tier: str | None = None
    next_contact_date: date | None = None
    next_contact_kind: str | None = None
    last_contact_date: date | None = None
    new_contact_name: str | None = None


@dataclass(frozen=True)
class Recipient:
    """Counts of one mail, the customers that it does not show included; see `digest_recipient`."""

    period_from: date | None = None
    period_until: date | None = None
    customers: int | None = None
    customers_rest: int | None = None
    customers_up: int | None = None
    customers_down: int | None = None
    amount: Decimal | None = None
    amount_rest: Decimal | None = None
    substitutes_for: str | None = None


@dataclass(frozen=True)
class Quality:
    """How far the figures can be relied on.

    Attributes:
        compared_with: The published night that a daily mail's changes are measured against.
        policy_before: Policy of that night.
        nights_refused: Nights since then that were not published.
        is_stale: A later night was not published, so these are not the newest data.
        checks_not_met: Expectations that were not met and did not stop the night.
        rows_quarantined: Source rows that wait for a correction.
        missing_entities: What the source did not deliver.
    """

    compared_with: date | None = None
    policy_before: str | None = None
    nights_refused: int = 0
    is_stale: bool = False
    checks_not_met: int = 0
    rows_quarantined: int = 0
    missing_entities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One tier of the pyramid, now and on the night compared with."""

    tier: str
    customers: int
    contribution_12m: Decimal
    contribution_share: Decimal | None = None
    customers_before: int | None = None
    contribution_12m_before: Decimal | None = None


@dataclass(frozen=True)
class Migration:
    """Customers that went from one tier to another within the period, and their contribution."""

    from_tier: str | None
    to_tier: str | None
    customers: int
    contribution_12m: Decimal


@dataclass(frozen=True)
class Review:
    """A month of the whole company, for its management.

    Attributes:
        compared_with: Last published night before the month; None if there is none.
        layers: The pyramid, best tier first.
        migrations: Moves since then, those who stayed included.
        customers: Customers of the night.
        customers_flapped: Those with two or more opposite changes within `flap_days` days.
        customers_restated: Those about whom the past is known better now.
        nights_published, nights_refused: Nights of the month.
    """

    compared_with: date | None
    layers: tuple[Layer, ...]
    migrations: tuple[Migration, ...] = ()
    customers: int = 0
    customers_flapped: int = 0
    flap_days: int = 0
    customers_restated: int = 0
    nights_published: int = 0
    nights_refused: int = 0


@dataclass(frozen=True)
class Story:
    """All that a mail tells about one customer."""

    items: tuple[Item, ...]
    facts: CustomerFacts

    @property
    def first(self) -> Item:
        """The item that leads the story: a tier change before a risk before a warning."""
        return self.items[0]

    @property
    def change(self) -> Item | None:
        """The tier change, if there is one."""
        return self.first if self.first.topic == TIER_CHANGE else None

    @property
    def warnings(self) -> tuple[Item, ...]:
        """Its early warnings, the strongest first."""
        return tuple(item for item in self.items if item.topic == EARLY_WARNING)

    @property
    def risk(self) -> Item | None:
        """Its risk flag, if one is told."""
        return next((item for item in self.items if item.topic == RISK), None)

    @property
    def hand_over(self) -> Item | None:
        """That it came from another owner, if that is told."""
        return next((item for item in self.items if item.topic == HAND_OVER), None)

    @property
    def at_stake(self) -> Decimal:
        """Money at stake: the largest of its items."""
        if self.first.customer_amount is not None:
            return self.first.customer_amount
        amounts = [item.amount_at_stake for item in self.items]
        moved = self.change.contribution_12m_change if self.change else None
        return max(abs(amount or Decimal(0)) for amount in [*amounts, moved])

    @property
    def contribution_12m(self) -> Decimal | None:
        """Its contribution tonight."""
        return self.change.contribution_12m if self.change else self.facts.contribution_12m

    @property
    def drivers(self) -> tuple[tuple[str, Decimal], ...]:
        """What moved the contribution most, and by how much: a cost that rose took from it."""
        named = (
            (self.first.main_driver, self.first.main_driver_change),
            (self.first.second_driver, self.first.second_driver_change),
        )
        return tuple((code, effect) for code, effect in named if code is not None and effect)


CONTENT_FIELDS = ("customer_id", "topic", "cause", "section", "from_tier", "to_tier", "direction")
CONTENT_AMOUNTS = ("contribution_12m", "contribution_12m_change")
"""What makes a mail another mail, the amounts in whole units. Ranks and names are left out: one late
invoice shifts the ranks of all customers, and nobody needs a second mail for that."""


@dataclass(frozen=True)
class Digest:
    """One mail: a recipient and what they are told."""

    kind: str
    recipient_id: str
    role: str | None
    recipient_name: str | None
    channel: str
    address: str
    locale: str | None
    business_date: date
    items: tuple[Item, ...] = ()
    customers: tuple[CustomerFacts, ...] = ()
    recipient: Recipient = Recipient()
    quality: Quality = Quality()
    review: Review | None = None
    base_currency: str | None = None
    source: str | None = None
    run_id: str | None = None
    page_url: str | None = None
    tier_names: Mapping[str, str] = field(default_factory=dict)
    corrects: str | None = None
    corrects_sent_on: date | None = None

    @property
    def told(self) -> tuple[Story, ...]:
        """Customers of the main part, most money at stake first."""
        return self._stories(item for item in self.items if item.section != APPENDIX)

    @property
    def aside(self) -> tuple[Item, ...]:
        """Items of the appendix, most money at stake first."""
        items = [item for item in self.items if item.section == APPENDIX]
        return tuple(sorted(items, key=lambda i: (-abs(i.amount_at_stake or 0), i.customer_id)))

    def facts_of(self, customer_id: str) -> CustomerFacts:
        """What is known about a customer beside its items."""
        known = (row for row in self.customers if row.customer_id == customer_id)
        return next(known, CustomerFacts(customer_id))

    @property
    def key(self) -> str:
        """The same for the same content to the same person about the same night, in any run."""
        content = [
            self.kind,
            self.recipient_id,
            self.channel,
            self.business_date.isoformat(),
            sorted(
                [
                    *(getattr(item, name) or "" for name in CONTENT_FIELDS),
                    item.reason_code or item.warning_cause or item.recommended_step or "",
                    *(_whole(getattr(item, name)) for name in CONTENT_AMOUNTS),
                ]
                for item in self.items
            ),
        ]
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def as_correction(self, corrects: str, sent_on: date | None = None) -> Digest:
        """Return the digest marked as correcting one that went out, named by its key."""
        return replace(self, corrects=corrects, corrects_sent_on=sent_on)

    def payload(self) -> dict[str, Any]:
        """Return everything the mail needs beside its recipient, as plain JSON values."""
        values = _adapter().dump_python(self, mode="json", exclude_defaults=True)
        kept = {name: value for name, value in values.items() if name not in ROW_FIELDS}
        return {"version": PAYLOAD_VERSION, **kept}

    def _stories(self, items: Iterable[Item]) -> tuple[Story, ...]:
        facts = {row.customer_id: row for row in self.customers}
        ordered = sorted(items, key=lambda i: (i.customer_id, _place(i), -(i.strength or 0)))
        stories = [
            Story(tuple(group), facts.get(customer_id) or CustomerFacts(customer_id))
            for customer_id, group in groupby(ordered, key=lambda item: item.customer_id)
        ]
        return ranked(stories)


ROW_FIELDS = (
    *("kind", "recipient_id", "role", "recipient_name", "channel", "address", "locale"),
    "business_date",
)
"""Fields of a digest that are columns of its outbox row."""


def from_row(
    kind: str,
    recipient_id: str,
    role: str | None,
    recipient_name: str | None,
    channel: str,
    address: str,
    locale: str | None,
    business_date: date,
    payload: Mapping[str, Any],
) -> Digest:
    """Rebuild a digest from an outbox row."""
    row = (kind, recipient_id, role, recipient_name, channel, address, locale, business_date)
    values = {**payload, **dict(zip(ROW_FIELDS, row, strict=True))}
    return _adapter().validate_python(values)


def ranked(stories: Iterable[Story]) -> tuple[Story, ...]:
    """Order customers by money at stake, then contribution, then number."""
    return tuple(
        sorted(
            stories,
            key=lambda story: (
                -story.at_stake,
                -abs(story.contribution_12m or Decimal(0)),
                story.first.customer_id,
            ),
        )
    )


def _place(item: Item) -> int:
    order = (TIER_CHANGE, RISK, EARLY_WARNING, HAND_OVER)
    return order.index(item.topic) if item.topic in order else len(order)


def _whole(amount: Decimal | None) -> str:
    # Adding zero turns -0 into 0.
    return "" if amount is None else str(amount.quantize(Decimal(1)) + 0)


@cache
def _adapter() -> TypeAdapter[Digest]:
    return TypeAdapter(Digest)
