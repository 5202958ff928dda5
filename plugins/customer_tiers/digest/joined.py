"""One mail per person and night: what is due in one night becomes parts of one mail.

A machine and a chat get one message per kind: the one reads them one by one, the other cuts long
ones off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from customer_tiers.digest.model import APPENDIX, ORDER, Digest, Part, Recipient
from customer_tiers.digest.story import Item

CHANNEL = "mail"
"""The channel whose messages of one person and night become one."""


def is_joined(channel: str) -> bool:
    """Whether the messages of a channel to one recipient in one night are one."""
    return channel == CHANNEL


def join(digests: Sequence[Digest]) -> Digest:
    """Make one mail of a person's mails of one night; one alone stays as it is.

    Args:
        digests: Of one recipient and night, each of another kind and none of several.
    """
    ordered = sorted(digests, key=lambda digest: ORDER.index(digest.kind))
    first = ordered[0]
    if len(ordered) == 1:
        return first
    facts = {row.customer_id: row for digest in ordered for row in digest.customers}
    return replace(
        first,
        items=tuple(replace(i, kind=digest.kind) for digest in ordered for i in digest.items),
        customers=tuple(facts[customer_id] for customer_id in sorted(facts)),
        review=next((digest.review for digest in ordered if digest.review), None),
        parts_told=tuple(Part(d.kind, d.role, d.recipient) for d in ordered),
    )


def only(digest: Digest, items: Iterable[Item], role: str | None = None) -> Digest | None:
    """Return a mail with some of its items, and `role` in place of its own; None if none is news.

    Its counts are those of these items.
    """
    kept = list(items)
    parts = []
    for part in digest.parts:
        told = [item for item in kept if item.kind in (None, part.kind)]
        if all(item.section == APPENDIX for item in told):
            continue
        customers = {item.customer_id for item in told}
        period = Recipient(part.recipient.period_from, part.recipient.period_until)
        parts.append(
            replace(
                part,
                items=tuple(replace(item, role=role or item.role) for item in told),
                customers=tuple(c for c in part.customers if c.customer_id in customers),
                recipient=period,
                role=role or part.role,
            )
        )
    return join(parts) if parts else None
