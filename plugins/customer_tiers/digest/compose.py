"""Who is told about which customers: one digest per recipient and kind of mail.

Pure functions over rows that the warehouse has already decided (`candidate.digest_item`). No SQL,
no clock, no words: a digest becomes the payload of an outbox row, `render` makes the mail of it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

OWNER_DIGEST = "owner_digest"
MANAGER_DIGEST = "manager_digest"
KINDS = (OWNER_DIGEST, MANAGER_DIGEST)
"""Kinds of digest that a mail exists for; a new one also needs a template in `render`."""

PAYLOAD_VERSION = 1
"""Version of the payload's form; rows of an older form may still wait in the outbox."""


LOYALTY_STEP = Decimal("0.1")
"""Smallest difference of a loyalty index that is worth a word."""


@dataclass(frozen=True)
class Change:
    """One customer that changed tier tonight; the fields are columns of `tier_change`."""

    customer_id: str
    customer_name: str | None
    owner_id: str | None
    owner_name: str | None
    from_tier: str | None
    to_tier: str | None
    direction: str | None
    cause: str | None
    reason_code: str | None
    main_driver: str | None
    main_driver_change: Decimal | None
    contribution_12m_before: Decimal | None
    contribution_12m: Decimal | None
    contribution_12m_change: Decimal | None
    loyalty_index_before: Decimal | None
    loyalty_index: Decimal | None
    score_rank_before: int | None
    score_rank: int | None
    customers_ranked: int | None
    policy_id: str | None
    tier_score: int | None

    @property
    def at_stake(self) -> Decimal:
        """Money at stake: how far the contribution moved, whichever way."""
        return abs(self.contribution_12m_change or Decimal(0))

    @property
    def main_driver_effect(self) -> Decimal:
        """What the main driver did to the contribution: a cost that rose took from it."""
        return self.main_driver_change or Decimal(0)

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


CHANGE_FIELDS = tuple(field.name for field in fields(Change))
RECIPIENT_FIELDS = ("kind", "recipient_id", "recipient_name", "recipient_email", "locale")
ITEM_FIELDS = (*RECIPIENT_FIELDS, *CHANGE_FIELDS)
"""Columns that are read from `candidate.digest_item`."""

DECIMAL_FIELDS = frozenset(f.name for f in fields(Change) if "Decimal" in str(f.type))

CONTENT_FIELDS = ("customer_id", "from_tier", "to_tier", "direction", "reason_code")
"""What makes a mail another mail, beside the contribution in whole units. Ranks and names are left
out: one late invoice shifts the ranks of all customers, and nobody needs a second mail for that."""


@dataclass(frozen=True)
class Digest:
    """One mail before it has words: a recipient and their changes, most money at stake first."""

    kind: str
    recipient_id: str
    recipient_name: str | None
    recipient_email: str
    locale: str | None
    business_date: date
    changes: tuple[Change, ...]
    base_currency: str | None = None
    source: str | None = None
    run_id: str | None = None
    replaces_earlier: bool = False

    @property
    def key(self) -> str:
        """The same for the same content to the same person about the same night, in any run."""
        content = [
            self.kind,
            self.recipient_id,
            self.business_date.isoformat(),
            sorted(
                [
                    *(getattr(change, name) or "" for name in CONTENT_FIELDS),
                    _whole(change.contribution_12m),
                    _whole(change.contribution_12m_change),
                ]
                for change in self.changes
            ),
        ]
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def as_correction(self) -> Digest:
        """Return the digest marked as replacing one that already went out."""
        return replace(self, replaces_earlier=True)

    def payload(self) -> dict[str, Any]:
        """Return everything the mail needs beside its recipient, as plain JSON values."""
        return {
            "version": PAYLOAD_VERSION,
            "base_currency": self.base_currency,
            "source": self.source,
            "run_id": self.run_id,
            "replaces_earlier": self.replaces_earlier,
            "changes": [_to_json(change) for change in self.changes],
        }


def compose(
    items: Iterable[Mapping[str, Any]],
    business_date: date,
    base_currency: str | None = None,
    source: str | None = None,
    run_id: str | None = None,
) -> list[Digest]:
    """Group one night's digest items into digests.

    Args:
        items: Rows with `ITEM_FIELDS`, in any order, at most one per kind, recipient and customer.
        business_date: The night the rows belong to.
        base_currency: Currency of all amounts; None leaves amounts without one.
        source: Name of the company's source, for the footer.
        run_id: The run that decided the rows, to trace a mail back.

    Returns:
        Digests by kind and recipient; a recipient without items gets none. The order does not
        depend on the order of the items, so that a re-run gives the same mails.

    Raises:
        ValueError: A kind is unknown, a customer occurs twice in one mail, or an owner would be
            told about another owner's customer.
    """
    ordered = sorted(items, key=lambda item: (item["kind"], item["recipient_id"]))
    digests = []
    for (kind, recipient_id), group in groupby(
        ordered, key=lambda item: (item["kind"], item["recipient_id"])
    ):
        rows = list(group)
        changes = ranked(Change(**{name: row[name] for name in CHANGE_FIELDS}) for row in rows)
        _check(kind, recipient_id, changes)
        digests.append(
            Digest(
                kind=kind,
                recipient_id=recipient_id,
                recipient_name=rows[0]["recipient_name"],
                recipient_email=rows[0]["recipient_email"],
                locale=rows[0]["locale"],
                business_date=business_date,
                changes=changes,
                base_currency=base_currency,
                source=source,
                run_id=run_id,
            )
        )
    return digests


def from_payload(
    kind: str,
    recipient_id: str,
    recipient_name: str | None,
    recipient_email: str,
    locale: str | None,
    business_date: date,
    payload: Mapping[str, Any],
) -> Digest:
    """Rebuild a digest from an outbox row."""
    return Digest(
        kind=kind,
        recipient_id=recipient_id,
        recipient_name=recipient_name,
        recipient_email=recipient_email,
        locale=locale,
        business_date=business_date,
        changes=tuple(_from_json(change) for change in payload["changes"]),
        base_currency=payload.get("base_currency"),
        source=payload.get("source"),
        run_id=payload.get("run_id"),
        replaces_earlier=bool(payload.get("replaces_earlier")),
    )


def ranked(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Order changes by money at stake, then contribution, then customer."""
    return tuple(
        sorted(
            changes,
            key=lambda change: (
                -change.at_stake,
                -abs(change.contribution_12m or Decimal(0)),
                change.customer_id,
            ),
        )
    )


def by_owner(changes: Iterable[Change]) -> Iterator[tuple[str | None, tuple[Change, ...]]]:
    """Yield (owner's name, their changes), the owner with most money at stake first."""
    groups: dict[tuple[str | None, str | None], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.owner_id, change.owner_name), []).append(change)
    order = sorted(
        groups.items(), key=lambda group: (-sum(c.at_stake for c in group[1]), group[0][0] or "")
    )
    for (owner_id, owner_name), group in order:
        yield owner_name or owner_id, ranked(group)


def count_directions(changes: Iterable[Change]) -> Counter[str]:
    """Count changes by direction; a missing one counts as `other`."""
    return Counter(change.direction or "other" for change in changes)


def _check(kind: str, recipient_id: str, changes: tuple[Change, ...]) -> None:
    if kind not in KINDS:
        raise ValueError(f"digest_item: no mail exists for kind {kind!r}")
    seen: set[str] = set()
    for change in changes:
        if change.customer_id in seen:
            raise ValueError(
                f"digest_item: customer {change.customer_id!r} twice for {kind} of {recipient_id!r}"
            )
        seen.add(change.customer_id)
        if kind == OWNER_DIGEST and change.owner_id != recipient_id:
            raise ValueError(
                f"digest_item: customer {change.customer_id!r} of owner {change.owner_id!r} "
                f"would be mailed to {recipient_id!r}"
            )


def _whole(amount: Decimal | None) -> str:
    # Adding zero turns -0 into 0.
    return "" if amount is None else str(amount.quantize(Decimal(1)) + 0)


def _to_json(change: Change) -> dict[str, Any]:
    values = {name: getattr(change, name) for name in CHANGE_FIELDS}
    return {
        name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()
    }


def _from_json(values: Mapping[str, Any]) -> Change:
    known: dict[str, Any] = {name: values.get(name) for name in CHANGE_FIELDS}
    for name in DECIMAL_FIELDS:
        if known[name] is not None:
            known[name] = Decimal(known[name])
    return Change(**known)
