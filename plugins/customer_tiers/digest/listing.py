"""Customers as a mail lists them: in the overview, in full, and by owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from customer_tiers.digest import headline
from customer_tiers.digest.clean import clean
from customer_tiers.digest.facts import Fact, facts
from customer_tiers.digest.model import Digest
from customer_tiers.digest.reason import sentence
from customer_tiers.digest.story import Story
from customer_tiers.digest.table import Cell, Table, bar
from customer_tiers.digest.wording import Words

ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class Card:
    """One customer in full."""

    number: str
    customer: str
    note: str
    headline: str
    arrow: str
    tone: str
    stake: str
    why: str | None
    facts: tuple[Fact, ...]


def overview(
    stories: Iterable[Story], title: str, digest: Digest, words: Words, more: str | None = None
) -> Table:
    """List customers with their tiers and the money at stake; `more` says what is left out."""
    listed = list(stories)
    most = max((story.at_stake for story in listed), default=Decimal(0))
    rows = []
    for number, story in enumerate(listed, start=1):
        tone = _tone(story)
        note = _note(story, digest, words)
        rows.append(
            (
                Cell(f"{number}. {name_of(story)}", note=note, is_strong=True),
                Cell(_headline(story, words), note=_marks(story, words), mark=_arrow(story)),
                Cell(
                    words.money(story.at_stake),
                    is_number=True,
                    bar=bar(story.at_stake, most),
                    tone=tone,
                ),
            )
        )
    head = tuple(words.text(f"column.{name}") for name in ("customer", "tier", "stake"))
    return Table(title, head, tuple(rows), widths=(44, 30, 26), notes=(more,) if more else ())


def card(number: int, story: Story, digest: Digest, words: Words) -> Card:
    """Say everything about one customer."""
    return Card(
        number=str(number),
        customer=name_of(story),
        note=_note(story, digest, words),
        headline=_headline(story, words),
        arrow=_arrow(story),
        tone=_tone(story),
        stake=words.money(story.at_stake),
        why=sentence(story, words) if story.change else None,
        facts=facts(story, words),
    )


def name_of(story: Story) -> str:
    """Return the customer's name, else the number."""
    return clean(story.first.customer_name or "") or clean(story.first.customer_id, 40)


def _note(story: Story, digest: Digest, words: Words) -> str:
    """The customer's number, and in others' mails the owner."""
    notes = []
    customer_id = clean(story.first.customer_id, 40)
    if customer_id != name_of(story):
        notes.append(customer_id)
    if digest.role != "owner":
        owner = clean(story.first.owner_name or story.first.owner_id or "")
        owner = owner or words.text("no_owner")
        notes.append(owner)
    return " · ".join(notes)


def _headline(story: Story, words: Words) -> str:
    change = story.change
    if change:
        names = {"from_tier": words.tier(change.from_tier), "to_tier": words.tier(change.to_tier)}
        return words.text("move", **names)
    tier = story.facts.tier
    return words.text("stays", tier=words.tier(tier)) if tier else _marks(story, words)


def _marks(story: Story, words: Words) -> str:
    marks = []
    if story.risk:
        marks.append(words.text("flag"))
    if story.about_to_fall:
        marks.append(words.text("falls_soon"))
    if story.warnings:
        marks.append(words.counted("alerts", len(story.warnings)))
    if story.hand_over:
        marks.append(words.text("new_to_you"))
    return words.text("list_between").join(marks)


def _tone(story: Story) -> str:
    if story.change:
        way = headline.direction(story.change)
        return way if way in ARROWS else "other"
    is_warned = story.warnings or story.about_to_fall
    return "flagged" if story.risk else "warned" if is_warned else "other"


def _arrow(story: Story) -> str:
    if story.change:
        return ARROWS.get(headline.direction(story.change), "●")
    return "⚠" if story.warnings or story.risk or story.about_to_fall else "●"


def by_owner(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[Table]:
    """Yield the sums per owner, for mails to those who lead owners."""
    groups: dict[str, list[Story]] = {}
    for story in told:
        owner = clean(story.first.owner_name or story.first.owner_id or "")
        groups.setdefault(owner or words.text("no_owner"), []).append(story)
    if digest.role not in headline.TEAM_ROLES or len(groups) < 2:
        return
    sums = {owner: sum((s.at_stake for s in group), Decimal(0)) for owner, group in groups.items()}
    rows = []
    for owner in sorted(groups, key=lambda name: (-sums[name], name)):
        counted = Counter(headline.direction(s.change) for s in groups[owner] if s.change)
        warned = sum(1 for story in groups[owner] if story.warnings)
        numbers = [counted["up"], counted["down"], warned]
        rows.append(
            (
                Cell(owner),
                *(Cell(words.whole(n) if n else "", is_number=True) for n in numbers),
                Cell(
                    words.money(sums[owner]),
                    is_number=True,
                    bar=bar(sums[owner], max(sums.values())),
                    tone="other",
                ),
            )
        )
    names = ("owner", "up", "down", "warned", "stake")
    head = tuple(words.text(f"column.{name}") for name in names)
    yield Table(words.text("by_owner"), head, tuple(rows), widths=(38, 12, 12, 12, 26))
