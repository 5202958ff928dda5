"""What is told about a customer: items, one thing each, and all of a customer's together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

TIER_CHANGE, EARLY_WARNING, RISK, HAND_OVER = "tier_change", "early_warning", "risk", "hand_over"
ABOUT_TO_FALL = "about_to_fall"
TOPICS = (TIER_CHANGE, EARLY_WARNING, RISK, ABOUT_TO_FALL, HAND_OVER)
APPENDIX = "appendix"

LOYALTY_STEP = Decimal("0.1")
"""Smallest difference of a loyalty index that is worth a word."""


@dataclass(frozen=True)
class Item:
    """One thing told about one customer; the fields are columns of `digest_item`.

    `kind` names the part of a mail of several parts that tells it.
    """

    customer_id: str
    topic: str = TIER_CHANGE
    cause: str | None = None
    section: str | None = None
    kind: str | None = None
    role: str | None = None
    since: date | None = None
    compared_with: date | None = None
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
    # A fall that waits: from and to tier are tonight's and the one to come.
    nights_until_change: int | None = None
    # A customer that came from another owner.
    previous_owner_id: str | None = None
    previous_owner_name: str | None = None

    @property
    def stake(self) -> Decimal:
        """Money at stake, 0 if it is not known."""
        known = self.amount_at_stake
        if known is None and self.topic == TIER_CHANGE:
            known = self.contribution_12m_change
        return abs(known or Decimal(0))

    @property
    def own_figures_moved(self) -> bool:
        """Whether its own contribution or loyalty moved since the night compared with."""
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

    Columns of `digest_customer`, and of `tier_decision` how much contribution the customer lacks
    for the next better tier, or why no amount would do, how much it may lose (negative: lacks) to
    keep its own, and in how many nights a waiting rise or fall comes.
    """

    customer_id: str
    tier: str | None = None
    tier_since: date | None = None
    tier_before: str | None = None
    tier_before_since: date | None = None
    contribution_12m: Decimal | None = None
    amount_to_rise: Decimal | None = None
    amount_to_rise_note: str | None = None
    amount_to_keep: Decimal | None = None
    pending_direction: str | None = None
    nights_until_change: int | None = None
    next_better_tier: str | None = None
    next_contact_date: date | None = None
    next_contact_kind: str | None = None
    last_contact_date: date | None = None
    new_contact_name: str | None = None


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
    def about_to_fall(self) -> Item | None:
        """Its fall that waits, if that is told."""
        return next((item for item in self.items if item.topic == ABOUT_TO_FALL), None)

    @property
    def hand_over(self) -> Item | None:
        """That it came from another owner, if that is told."""
        return next((item for item in self.items if item.topic == HAND_OVER), None)

    @property
    def at_stake(self) -> Decimal:
        """Money at stake: the largest of its items."""
        if self.first.customer_amount is not None:
            return self.first.customer_amount
        return max(item.stake for item in self.items)

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


def stories(items: Iterable[Item], customers: Iterable[CustomerFacts]) -> tuple[Story, ...]:
    """Put the items of each customer together, most money at stake first."""
    facts = {row.customer_id: row for row in customers}
    ordered = sorted(items, key=lambda i: (i.customer_id, _place(i), -(i.strength or 0)))
    return ranked(
        Story(tuple(group), facts.get(customer_id) or CustomerFacts(customer_id))
        for customer_id, group in groupby(ordered, key=lambda item: item.customer_id)
    )


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
    order = (TIER_CHANGE, RISK, ABOUT_TO_FALL, EARLY_WARNING, HAND_OVER)
    return order.index(item.topic) if item.topic in order else len(order)
