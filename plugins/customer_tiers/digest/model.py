"""A mail before it has words: its recipient, and the facts that the warehouse decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from customer_tiers.digest.story import APPENDIX, CustomerFacts, Item, Story, stories

DAILY, WEEKLY, MONTHLY, POLICY_NOTICE = "daily", "weekly", "monthly", "policy_notice"
KINDS = (DAILY, WEEKLY, MONTHLY, POLICY_NOTICE)
"""Kinds of mail; a new one also needs words, and templates where it is laid out differently."""

ORDER = (POLICY_NOTICE, DAILY, WEEKLY, MONTHLY)
"""The parts of one mail from top to bottom: new rules explain what follows, then tonight's news."""

ROLES = ("owner", "fallback", "manager", "sales_director", "credit_controller", "system")
"""What a recipient can be to a customer."""

PAYLOAD_VERSION = 2
"""Version of the payload's form; rows of an older form may still wait in the outbox."""


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
class Check:
    """An expectation that was not met: its name, and how many rows, if it judges rows."""

    name: str
    rows: int | None = None


@dataclass(frozen=True)
class Quality:
    """How far the figures can be relied on.

    Attributes:
        compared_with: The published night that a daily mail's changes are measured against.
        policy_before: Policy of that night.
        policy_rows: What the last edit of the policy's rows changed, a line per row.
        nights_refused: Nights since then that were not published.
        is_stale: A later night was not published, so these are not the newest data.
        checks: What was not met and did not stop the night; only some mean anything to a manager.
        rows_quarantined: Source rows that wait for a correction.
        missing_entities: What the source did not deliver.
    """

    compared_with: date | None = None
    policy_before: str | None = None
    policy_rows: tuple[str, ...] = ()
    nights_refused: int = 0
    is_stale: bool = False
    checks: tuple[Check, ...] = ()
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
class Part:
    """What a part of a mail is: its kind, what the recipient is to its customers, its counts."""

    kind: str
    role: str | None
    recipient: Recipient = Recipient()


CONTENT_FIELDS = ("customer_id", "topic", "cause", "section", "from_tier", "to_tier", "direction")
CONTENT_AMOUNTS = ("contribution_12m", "contribution_12m_change")
"""What makes a mail another mail, the amounts in whole units. Ranks and names are left out: one
late invoice shifts the ranks of all customers, and nobody needs a second mail for that."""


@dataclass(frozen=True)
class Digest:
    """One mail: a recipient and what they are told.

    A mail of several parts (see `joined`) has them in `parts_told`, and is of the first one's kind.
    """

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
    tier_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    corrects: str | None = None
    corrects_sent_on: date | None = None
    parts_told: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Digest, ...]:
        """The mails of one kind that it is made of; only the first says what it corrects."""
        if not self.parts_told:
            return (self,)
        return tuple(self._part(part, is_first=not n) for n, part in enumerate(self.parts_told))

    def _part(self, part: Part, *, is_first: bool) -> Digest:
        items = tuple(replace(i, kind=None) for i in self.items if i.kind == part.kind)
        told = {item.customer_id for item in items}
        return replace(
            self,
            kind=part.kind,
            role=part.role,
            recipient=part.recipient,
            items=items,
            customers=tuple(row for row in self.customers if row.customer_id in told),
            review=self.review if part.kind == MONTHLY else None,
            corrects=self.corrects if is_first else None,
            corrects_sent_on=self.corrects_sent_on if is_first else None,
            parts_told=(),
        )

    @property
    def told(self) -> tuple[Story, ...]:
        """Customers of the main part, most money at stake first."""
        items = (item for item in self.items if item.section != APPENDIX)
        return stories(items, self.customers)

    @property
    def aside(self) -> tuple[Item, ...]:
        """Items of the appendix, most money at stake first."""
        items = [item for item in self.items if item.section == APPENDIX]
        return tuple(sorted(items, key=lambda item: (-item.stake, item.customer_id)))

    def facts_of(self, customer_id: str) -> CustomerFacts:
        """What is known about a customer beside its items."""
        known = (row for row in self.customers if row.customer_id == customer_id)
        return next(known, CustomerFacts(customer_id))

    @property
    def key(self) -> str:
        """The same for the same content to the same person about the same night, in any run."""
        if self.parts_told:
            keys = " ".join(part.key for part in self.parts)
            return hashlib.sha256(keys.encode()).hexdigest()[:32]
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


def _whole(amount: Decimal | None) -> str:
    # Adding zero turns -0 into 0.
    return "" if amount is None else str(amount.quantize(Decimal(1)) + 0)


@cache
def _adapter() -> TypeAdapter[Digest]:
    return TypeAdapter(Digest)
