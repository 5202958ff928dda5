"""Everything a mail prints, with every word and number already in the recipient's language.

The view is built once and both parts are laid out from it: what one part says, the other says too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from customer_tiers.digest import review
from customer_tiers.digest.clean import clean
from customer_tiers.digest.facts import Fact, facts
from customer_tiers.digest.model import (
    DAILY,
    MONTHLY,
    POLICY_NOTICE,
    WEEKLY,
    CustomerFacts,
    Digest,
    Item,
    Story,
)
from customer_tiers.digest.reason import sentence
from customer_tiers.digest.table import Cell, Table, bar
from customer_tiers.digest.wording import Words

CARDS_PER_MAIL = 10
"""Customers told in full; those after them stand in the overview only."""

ROWS_PER_MAIL = 40
"""Customers in the overview; the rest are counted and summed. Mail programs cut a mail off at about
100 kB, which these with the longest names just stay under."""

ASIDE_PER_MAIL = 15
"""Lines of the appendix."""

MOVES = ("up", "down", "entered", "returned", "moved")
"""Directions in the order in which they are counted; any other one is `moved`."""

ARROWS = {"up": "▲", "down": "▼"}
TEAM_ROLES = frozenset({"manager", "sales_director"})


@dataclass(frozen=True)
class Tile:
    """One number of the first screen."""

    label: str
    count: str
    money: str
    tone: str


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


@dataclass(frozen=True)
class View:
    """What the templates print, from top to bottom."""

    words: Words
    subject: str
    title: str
    greeting: str
    opening: tuple[str, ...]
    banners: tuple[str, ...]
    tiles: tuple[Tile, ...]
    tables: tuple[Table, ...]
    cards: tuple[Card, ...]
    after: tuple[Table, ...]
    aside: tuple[str, ...]
    reliability: tuple[str, ...]
    footer: tuple[str, ...]
    page_url: str | None


def view(digest: Digest, words: Words, attachment: str | None) -> View:
    """Say a digest in words; `attachment` is the name of the attached table."""
    told = digest.told
    shown = [story for story in told if story.first.is_shown][:ROWS_PER_MAIL]
    title = _title(digest, told, words)
    is_full = digest.kind in (DAILY, WEEKLY)
    return View(
        words=words,
        subject=words.text("subject", title=title, date=words.date(digest.business_date)),
        title=title,
        greeting=words.text("greeting", name=clean(digest.recipient_name or digest.recipient_id)),
        opening=tuple(_opening(digest, told, words)),
        banners=tuple(_banners(digest, words)),
        tiles=tuple(_tiles(digest, told, words)),
        tables=tuple(_tables(digest, told, shown, words, has_list=attachment is not None)),
        cards=tuple(
            _card(number, story, digest, words)
            for number, story in enumerate(shown[:CARDS_PER_MAIL] if is_full else [], start=1)
        ),
        after=tuple(_by_owner(digest, told, words)),
        aside=tuple(_aside(digest, words)),
        reliability=tuple(review.reliability(digest, words)),
        footer=tuple(_footer(digest, words, attachment)),
        page_url=digest.page_url,
    )


def counts(digest: Digest, told: Iterable[Story]) -> Counter[str]:
    """Count the customers of the main part by what is told about them."""
    counted: Counter[str] = Counter()
    for story in told:
        if story.change:
            counted[_direction(story.change)] += 1
        counted["flagged"] += story.risk is not None
        counted["warned"] += bool(story.warnings)
        counted["handed_over"] += story.hand_over is not None
    beyond = {"up": digest.recipient.customers_up, "down": digest.recipient.customers_down}
    return counted | Counter({name: count or 0 for name, count in beyond.items()})


def _direction(change: Item) -> str:
    return change.direction if change.direction in MOVES else "moved"


def _title(digest: Digest, told: tuple[Story, ...], words: Words) -> str:
    counted = counts(digest, told)
    names = [*MOVES, "flagged", "warned", "handed_over"]
    said = words.text("list_between").join(
        words.counted(f"counts.{name}", counted[name]) for name in names if counted[name]
    )
    key = f"title.{digest.kind}"
    if digest.kind == DAILY:
        is_credit = digest.role == "credit_controller"
        team = "team" if digest.role in TEAM_ROLES else "owner"
        key = f"title.daily.{'credit' if is_credit else team}"
    title = words.text(
        key,
        counts=said or words.text("title.withdrawn" if digest.corrects else "title.nothing"),
        until=words.date(digest.recipient.period_until or digest.business_date),
        month=words.month(digest.recipient.period_until or digest.business_date),
    )
    title = title[:1].upper() + title[1:]
    if digest.corrects is None:
        return title
    if digest.corrects_sent_on is None:
        return words.text("correction_undated", title=title)
    return words.text("correction", title=title, date=words.date(digest.corrects_sent_on))


def _opening(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[str]:
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
    period = digest.recipient
    if period.period_from and period.period_until and period.period_from < period.period_until:
        first, last = words.date(period.period_from), words.date(period.period_until)
        yield words.text("period_note", first=first, last=last)
    if told:
        number, amount = _whole_mail(digest, told)
        customers = words.counted("customers", number)
        yield words.text("stake", customers=customers, amount=words.money(amount))
    if len(told) > 1:
        yield words.text("order_note")


def _policy(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[str]:
    after = next((s.first.policy_id for s in told if s.first.policy_id), None)
    before = digest.quality.policy_before
    names = {"after": clean(after or "") or words.text("nothing"), "before": clean(before or "")}
    key = "policy_note" if before and before != after else "policy_note_undated"
    yield words.text(key, **names)
    counted = counts(digest, told)
    yield words.text(
        "policy_effect",
        moved=words.counted("customers", _whole_mail(digest, told)[0]),
        up=words.counted("counts.up", counted["up"]),
        down=words.counted("counts.down", counted["down"]),
    )


def _whole_mail(digest: Digest, told: tuple[Story, ...]) -> tuple[int, Decimal]:
    known = digest.recipient
    number = len(told) if known.customers is None else known.customers
    amount = sum((s.at_stake for s in told), Decimal(0)) if known.amount is None else known.amount
    return number, amount


def _banners(digest: Digest, words: Words) -> Iterator[str]:
    known = digest.quality
    if known.is_stale:
        yield words.text("banner.stale", date=words.date(digest.business_date))
    if digest.kind == DAILY and known.compared_with:
        compared = words.date(known.compared_with)
        if known.nights_refused:
            said = words.counted("banner.refused", known.nights_refused)
            yield said.format(date=compared)
        elif known.compared_with < digest.business_date - timedelta(days=1):
            yield words.text("banner.gap", date=compared)
    if known.rows_quarantined:
        yield words.counted("banner.quarantined", known.rows_quarantined)
    if known.checks_not_met:
        yield words.counted("banner.checks", known.checks_not_met)
    if known.missing_entities:
        names = words.text("list_between").join(clean(name) for name in known.missing_entities)
        yield words.text("banner.missing", entities=names)


def _tiles(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[Tile]:
    amounts: dict[str, Decimal] = dict.fromkeys(("up", "down", "flagged", "warned"), Decimal(0))
    for story in told:
        if story.change and story.change.direction in ("up", "down"):
            amounts[story.change.direction] += story.change.contribution_12m_change or 0
        if story.risk:
            amounts["flagged"] += abs(story.risk.amount_at_stake or 0)
        risks = [abs(warning.amount_at_stake or 0) for warning in story.warnings]
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


def _tables(
    digest: Digest, told: tuple[Story, ...], shown: list[Story], words: Words, *, has_list: bool
) -> Iterator[Table]:
    yield from review.tables(digest, words)
    if digest.kind == MONTHLY:
        for way, title in (("up", "rose"), ("down", "fell")):
            moved = [s for s in told if s.change and s.change.direction == way]
            if moved:
                yield _overview(moved[:CARDS_PER_MAIL], words.text(title), digest, words, None)
        watched = [story for story in told if not story.change]
        if watched:
            yield _overview(watched[:CARDS_PER_MAIL], words.text("watch"), digest, words, None)
        return
    if len(told) < 2:
        return
    number, amount = _whole_mail(digest, told)
    number -= len(shown)
    amount -= sum((story.at_stake for story in shown), Decimal(0))
    more = None
    if number > 0:
        more = words.text(
            "more_line" if has_list else "more_line_unlisted",
            more=words.counted("more", number),
            amount=words.money(amount),
        )
    yield _overview(shown, words.text("overview"), digest, words, more)


def _overview(
    stories: Iterable[Story], title: str, digest: Digest, words: Words, more: str | None
) -> Table:
    listed = list(stories)
    most = max((story.at_stake for story in listed), default=Decimal(0))
    rows = []
    for number, story in enumerate(listed, start=1):
        tone = _tone(story)
        note = _note(story, digest, words)
        rows.append(
            (
                Cell(f"{number}. {_name(story)}", note=note, is_strong=True),
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


def _card(number: int, story: Story, digest: Digest, words: Words) -> Card:
    return Card(
        number=str(number),
        customer=_name(story),
        note=_note(story, digest, words),
        headline=_headline(story, words),
        arrow=_arrow(story),
        tone=_tone(story),
        stake=words.money(story.at_stake),
        why=sentence(story, words) if story.change else None,
        facts=facts(story, words),
    )


def _name(story: Story) -> str:
    return clean(story.first.customer_name or "") or clean(story.first.customer_id, 40)


def _note(story: Story, digest: Digest, words: Words) -> str:
    """The customer's number, and in others' mails the owner."""
    notes = []
    customer_id = clean(story.first.customer_id, 40)
    if customer_id != _name(story):
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
    if story.warnings:
        marks.append(words.counted("alerts", len(story.warnings)))
    if story.hand_over:
        marks.append(words.text("new_to_you"))
    return words.text("list_between").join(marks)


def _tone(story: Story) -> str:
    if story.change:
        way = _direction(story.change)
        return way if way in ARROWS else "other"
    return "flagged" if story.risk else "warned" if story.warnings else "other"


def _arrow(story: Story) -> str:
    if story.change:
        return ARROWS.get(_direction(story.change), "●")
    return "⚠" if story.warnings or story.risk else "●"


def _by_owner(digest: Digest, told: tuple[Story, ...], words: Words) -> Iterator[Table]:
    groups: dict[str, list[Story]] = {}
    for story in told:
        owner = clean(story.first.owner_name or story.first.owner_id or "")
        groups.setdefault(owner or words.text("no_owner"), []).append(story)
    if digest.role not in TEAM_ROLES or len(groups) < 2:
        return
    sums = {owner: sum((s.at_stake for s in group), Decimal(0)) for owner, group in groups.items()}
    rows = []
    for owner in sorted(groups, key=lambda name: (-sums[name], name)):
        counted = Counter(_direction(s.change) for s in groups[owner] if s.change)
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


def _aside(digest: Digest, words: Words) -> Iterator[str]:
    items = digest.aside
    for item in items[:ASIDE_PER_MAIL]:
        story = Story((item,), CustomerFacts(item.customer_id))
        name = f"{_name(story)} ({clean(item.customer_id, 40)})"
        yield words.text("sentence.after_lead").join([name, sentence(story, words)])
    rest = items[ASIDE_PER_MAIL:]
    if rest:
        yield words.text(
            "more_line_unlisted",
            more=words.counted("more", len(rest)),
            amount=words.money(sum((abs(i.amount_at_stake or 0) for i in rest), Decimal(0))),
        )


def _footer(digest: Digest, words: Words, attachment: str | None) -> Iterator[str]:
    if attachment:
        yield words.text("attachment_note", file=attachment)
    yield words.text("footer.business_date", date=words.date(digest.business_date))
    policies = sorted({clean(i.policy_id, 40) for i in digest.items if i.policy_id})
    if policies:
        yield words.text("footer.policy", policies=", ".join(policies))
    if digest.base_currency:
        yield words.text("footer.currency", currency=clean(digest.base_currency, 8))
    else:
        yield words.text("footer.no_currency")
    yield words.text("footer.at_stake")
    if digest.source:
        yield words.text("footer.origin", source=clean(digest.source, 40))
    else:
        yield words.text("footer.origin_without_source")
    key = f"footer.role.{digest.role}"
    yield words.text(key if words.has(key) else "footer.role.other")
