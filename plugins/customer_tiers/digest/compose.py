"""Put together who is told what: one digest per row of `digest_recipient`; see `joined` for mails.

Pure functions over rows that the warehouse has already decided. No SQL, no clock, no words: a
digest becomes the payload of an outbox row, `render` makes the mail of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any, TypeVar

from customer_tiers.digest.model import (
    KINDS,
    MONTHLY,
    CustomerFacts,
    Digest,
    Item,
    Quality,
    Recipient,
    Review,
)

Row = Mapping[str, Any]
T = TypeVar("T")

COLUMNS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind) if (kind, field.name) != (Item, "kind"))
    for kind in (Item, CustomerFacts, Recipient)
}
"""Kind of row -> the columns it takes; tens of thousands are made of each."""


def compose(
    recipients: Iterable[Row],
    items: Iterable[Row],
    customers: Iterable[Row] = (),
    *,
    business_date: date,
    quality: Quality | None = None,
    review: Review | None = None,
    base_currency: str | None = None,
    source: str | None = None,
    run_id: str | None = None,
    page_url: str | None = None,
    tier_names: Iterable[Row] = (),
) -> list[Digest]:
    """Give each recipient of a night their items.

    Args:
        recipients: Rows of `digest_recipient`, at most one per kind and recipient.
        items: Rows of `digest_item`, in any order, at most one per kind, recipient, customer,
            topic and cause.
        customers: Rows of `digest_customer`, at most one per customer; may lack customers.
        business_date: The night the rows belong to.
        quality: How far the figures can be relied on.
        review: The month of the whole company, for mails of kind `monthly`.
        base_currency: Currency of all amounts; None leaves amounts without one.
        source: Name of the company's source, for the footer.
        run_id: The run that decided the rows, to trace a mail back.
        page_url: Where the recipients can look further.
        tier_names: Rows of `tier_ladder`, with a column `name_<language>` per language.

    Returns:
        Digests by kind and recipient. They do not depend on the order of the rows, so that a re-run
        gives the same mails. A column that a table does not have is taken for empty.

    Raises:
        ValueError: A kind is unknown, an item occurs twice in one mail or has no recipient, or an
            owner would be told about another owner's customer.
    """
    grouped: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for row in items:
        grouped[row["kind"], row["recipient_id"]].append(_make(Item, row))
    facts = {row["customer_id"]: _make(CustomerFacts, row) for row in customers}
    names = _names(list(tier_names))
    digests = []
    for row in sorted(recipients, key=lambda row: (row["kind"], row["recipient_id"])):
        told = sorted(grouped.pop((row["kind"], row["recipient_id"]), []), key=_order)
        _check(row, told)
        digests.append(
            Digest(
                kind=row["kind"],
                recipient_id=row["recipient_id"],
                role=row.get("role"),
                recipient_name=row["recipient_name"],
                channel=row.get("channel") or "mail",
                address=row["address"],
                locale=row["locale"],
                business_date=business_date,
                items=tuple(told),
                customers=_facts_of(told, facts),
                recipient=_make(Recipient, row),
                quality=quality or Quality(),
                review=review if row["kind"] == MONTHLY else None,
                base_currency=base_currency,
                source=source,
                run_id=run_id,
                page_url=page_url,
                tier_names=names,
            )
        )
    if grouped:
        kind, recipient_id = min(grouped)
        raise ValueError(f"digest_item: {kind} of {recipient_id!r} is not in digest_recipient")
    return digests


def _check(recipient: Row, items: list[Item]) -> None:
    kind, recipient_id = recipient["kind"], recipient["recipient_id"]
    if kind not in KINDS:
        raise ValueError(f"digest_recipient: no mail exists for kind {kind!r}")
    seen: set[tuple[str, str, str | None]] = set()
    for item in items:
        key = (item.customer_id, item.topic, item.cause)
        if key in seen:
            raise ValueError(
                f"digest_item: customer {item.customer_id!r} twice for {kind} of {recipient_id!r}"
            )
        seen.add(key)
        is_stranger = item.role == "owner" and item.owner_id != recipient_id
        if is_stranger and not recipient.get("substitutes_for"):
            raise ValueError(
                f"digest_item: customer {item.customer_id!r} of owner {item.owner_id!r} "
                f"would be mailed to {recipient_id!r}"
            )


def _names(ladder: list[Row]) -> dict[str, dict[str, str]]:
    """Return language -> tier -> name, of the columns `name_<language>`."""
    languages = sorted({column for row in ladder for column in row if column.startswith("name_")})
    return {
        column.removeprefix("name_"): {
            row["tier"]: row[column] for row in ladder if row.get(column)
        }
        for column in languages
    }


def _facts_of(items: list[Item], facts: Mapping[str, CustomerFacts]) -> tuple[CustomerFacts, ...]:
    told = sorted({item.customer_id for item in items if item.is_shown})
    return tuple(facts[customer_id] for customer_id in told if customer_id in facts)


def _order(item: Item) -> tuple[str, str, str]:
    return item.customer_id, item.topic, item.cause or ""


def _make(kind: type[T], row: Row) -> T:
    return kind(**{name: row[name] for name in COLUMNS[kind] if row.get(name) is not None})
