"""The first screen of a mail: its title, why it is sent, what to mind, and the money at stake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from customer_tiers.digest import period
from customer_tiers.digest.clean import clean
from customer_tiers.digest.model import DAILY, POLICY_NOTICE, Digest
from customer_tiers.digest.story import Item, Story
from customer_tiers.digest.wording import Words

MOVES = ("up", "down", "entered", "returned", "moved")
"""Directions in the order in which they are counted; any other one is `moved`."""

TEAM_ROLES = frozenset({"manager", "sales_director"})


@dataclass(frozen=True)
class Tile:
    """One number of the first screen."""

    label: str
    count: str
    money: str
    tone: str


def counts(digest: Digest, told: Iterable[Story]) -> Counter[str]:
    """Count the customers of the main part by what is told about them."""
    counted: Counter[str] = Counter()
    for story in told:
        if story.change:
            counted[direction(story.change)] += 1
        counted["flagged"] += story.risk is not None
        counted["falling"] += story.about_to_fall is not None
        counted["warned"] += bool(story.warnings)
        counted["handed_over"] += story.hand_over is not None
    beyond = {"up": digest.recipient.customers_up, "down": digest.recipient.customers_down}
    return counted | Counter({name: count or 0 for name, count in beyond.items()})


def direction(change: Item) -> str:
    """Return the direction under which a change is counted."""
    return change.direction if change.direction in MOVES else "moved"


def title(digest: Digest, told: tuple[Story, ...], words: Words) -> str:
    """Return what the mail is about, with its counts; the subject without the date."""
    counted = counts(digest, told)
    names = [*MOVES, "falling", "flagged", "warned", "handed_over"]
    said = words.text("list_between").join(
        words.counted(f"counts.{name}", counted[name]) for name in names if counted[name]
    )
    key = f"title.{period.title_key(digest)}"
    if digest.kind == DAILY:
        is_credit = digest.role == "credit_controller"
        team = "team" if digest.role in TEAM_ROLES else "owner"
        key = f"title.daily.{'credit' if is_credit else team}"
    title = words.text(
        key,
        counts=said or words.text("title.withdrawn" if digest.corrects else "title.nothing"),
        **period.values(digest, words),
    )
    title = title[:1].upper() + title[1:]
    if digest.corrects is None:
        return title
    if digest.corrects_sent_on is None:
        return words.text("correction_undated", title=title)
    return words.text("correction", title=title, date=words.date(digest.corrects_sent_on))


def whole_title(digest: Digest, words: Words) -> str:
    """Return the title of a mail: of its first part, and what else is in it."""
    first, *others = digest.parts
    said = title(first, first.told, words)
    if not others:
        return said
    named = [
        words.text(f"part.{period.title_key(part)}", **period.values(part, words))
        for part in others
    ]
    return words.text("title_with", title=said, others=words.text("list_between").join(named))


def opening(
    digest: Digest,
    told: tuple[Story, ...],
    words: Words,
    *,
    is_part: bool = False,
    is_first: bool = True,
) -> Iterator[str]:
    """Yield the sentences under the greeting, or under the title of a part of the mail."""
    if digest.corrects and digest.corrects_sent_on:
        yield words.text("correction_note", date=words.date(digest.corrects_sent_on))
    elif digest.corrects:
        yield words.text("correction_note_undated")
    if digest.corrects and not told:
        yield words.text("withdrawn_note")
    if digest.recipient.substitutes_for:
        yield words.text("substitute_note", names=clean(digest.recipient.substitutes_for, 200))
    if digest.kind == POLICY_NOTICE:
        yield from _policy(digest, told, words)
    covered = digest.recipient
    if covered.period_from and covered.period_until and covered.period_from < covered.period_until:
        first, last = words.date(covered.period_from), words.date(covered.period_until)
        yield words.text("period_note", first=first, last=last)
    if told:
        number, amount = whole_mail(digest, told)
        customers = words.counted("customers", number)
        yield words.text(
            "stake_part" if is_part else "stake", customers=customers, amount=words.money(amount)
        )
    if len(told) > 1 and is_first:
        yield words.text("order_note")


MOST_ROWS = 12
"""Changed rows of a policy that a notice names; it counts the others."""


def _policy(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[str]:
    after = next((s.first.policy_id for s in told if s.first.policy_id), None)
    before = digest.quality.policy_before
    names = {"after": clean(after or "") or words.text("nothing"), "before": clean(before or "")}
    rows = digest.quality.policy_rows
    if before and before != after:
        yield words.text("policy_note", **names)
    elif rows:
        yield words.text(
            "policy_note_rows", rows="; ".join(clean(row, 240) for row in rows[:MOST_ROWS]), **names
        )
        if rows[MOST_ROWS:]:
            yield words.text("policy_note_more", rows=words.whole(len(rows) - MOST_ROWS))
    else:
        yield words.text("policy_note_undated", **names)
    counted = counts(digest, told)
    yield words.text(
        "policy_effect",
        moved=words.counted("customers", whole_mail(digest, told)[0]),
        up=words.counted("counts.up", counted["up"]),
        down=words.counted("counts.down", counted["down"]),
    )


def whole_mail(digest: Digest, told: tuple[Story, ...]) -> tuple[int, Decimal]:
    """Return customers and money at stake, those that the mail does not show included."""
    known = digest.recipient
    number = len(told) if known.customers is None else known.customers
    amount = sum((s.at_stake for s in told), Decimal(0)) if known.amount is None else known.amount
    return number, amount


def banners(digest: Digest, words: Words) -> Iterator[str]:
    """Yield what the recipient should mind before relying on the figures."""
    known = digest.quality
    if known.is_stale:
        yield words.text("banner.stale", date=words.date(digest.business_date))
    if digest.kind == DAILY and known.compared_with:
        compared = words.date(known.compared_with)
        if known.nights_refused:
            yield words.counted("banner.refused", known.nights_refused, date=compared)
        elif known.compared_with < digest.business_date - timedelta(days=1):
            yield words.text("banner.gap", date=compared)
    if known.rows_quarantined:
        yield words.counted("banner.quarantined", known.rows_quarantined)
    for check in known.checks:
        key = f"banner.checks.{check.name}"
        if words.has_counted(key):
            yield words.counted(key, check.rows or 0)
    if known.missing_entities:
        names = words.text("list_between").join(clean(name) for name in known.missing_entities)
        yield words.text("banner.missing", entities=names)


def tiles(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[Tile]:
    """Yield the numbers of the first screen; what did not happen has none."""
    amounts: dict[str, Decimal] = dict.fromkeys(("up", "down", "flagged", "warned"), Decimal(0))
    for story in told:
        if story.change and story.change.direction in ("up", "down"):
            amounts[story.change.direction] += story.change.contribution_12m_change or 0
        if story.risk:
            amounts["flagged"] += story.risk.stake
        risks = [warning.stake for warning in story.warnings]
        amounts["warned"] += max(risks, default=Decimal(0))
    counted = counts(digest, told)
    for name, amount in amounts.items():
        if not counted[name]:
            continue
        yield Tile(
            label=words.text(f"tile.{name}"),
            count=words.whole(counted[name]),
            money=words.money(amount, signed=name in ("up", "down")),
            tone=name,
        )
