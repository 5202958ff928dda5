"""Everything a mail prints, with every word and number already in the recipient's language.

The view is built once and both parts are laid out from it: what one part says, the other says too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from customer_tiers.digest import headline, listing, review
from customer_tiers.digest.clean import clean
from customer_tiers.digest.model import DAILY, MONTHLY, WEEKLY, Digest
from customer_tiers.digest.reason import sentence
from customer_tiers.digest.story import CustomerFacts, Story
from customer_tiers.digest.table import Table
from customer_tiers.digest.wording import Words

CARDS_PER_MAIL = 10
"""Customers told in full; those after them stand in the overview only."""

ROWS_PER_MAIL = 40
"""Customers in the overview; the rest are counted and summed. Mail programs cut a mail off at about
100 kB, which these with the longest names just stay under."""

ASIDE_PER_MAIL = 15
"""Lines of the appendix."""


@dataclass(frozen=True)
class Section:
    """What the templates print of one part of a mail; the first has no title of its own."""

    title: str | None
    opening: tuple[str, ...]
    tiles: tuple[headline.Tile, ...]
    tables: tuple[Table, ...]
    cards: tuple[listing.Card, ...]
    after: tuple[Table, ...]
    aside: tuple[str, ...]
    reliability: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """What the templates print, from top to bottom."""

    words: Words
    subject: str
    title: str
    greeting: str
    banners: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    page_url: str | None


@dataclass
class _Room:
    """What is left of the room of a mail, and what its parts above have said."""

    parts_left: int
    rows: int = ROWS_PER_MAIL
    cards: int = CARDS_PER_MAIL
    news: set[tuple[str | None, ...]] = field(default_factory=set)
    in_full: set[tuple[str | None, ...]] = field(default_factory=set)
    aside: set[str] = field(default_factory=set)
    opening: set[str] = field(default_factory=set)

    def rows_of_part(self) -> int:
        """Rows that the next part may take: some are kept for each part after it."""
        kept = ROWS_PER_MAIL // (self.parts_left + 1) if self.parts_left > 1 else 0
        return max(self.rows - kept * (self.parts_left - 1), 0)


def view(digest: Digest, words: Words, attachment: str | None) -> View:
    """Say a digest in words; `attachment` is the name of the attached table."""
    title = headline.whole_title(digest, words)
    parts = digest.parts
    room = _Room(parts_left=len(parts))
    said = (banner for part in parts for banner in headline.banners(part, words))
    return View(
        words=words,
        subject=words.text("subject", title=title, date=words.date(digest.business_date)),
        title=title,
        greeting=words.text("greeting", name=clean(digest.recipient_name or digest.recipient_id)),
        banners=tuple(dict.fromkeys(said)),
        sections=tuple(
            _section(part, words, room, is_first=not n, has_list=attachment is not None)
            for n, part in enumerate(parts)
        ),
        footer=tuple(_footer(digest, words, attachment)),
        page_url=digest.page_url,
    )


def _section(
    digest: Digest, words: Words, room: _Room, *, is_first: bool, has_list: bool
) -> Section:
    """Say one part in words; what the parts above have said in full is not said again."""
    told = digest.told
    rows = room.rows_of_part()
    limit = min(CARDS_PER_MAIL, max(rows // 3, 3))
    shown = [story for story in told if story.first.is_shown][:rows]
    is_known = not is_first and {news for s in told for news in _news(s)} <= room.news
    is_part = room.parts_left > 1 or not is_first
    said = headline.opening(digest, told, words, is_part=is_part, is_first=is_first)
    opening = [line for line in said if line not in room.opening]
    room.opening |= set(opening)
    if is_known:
        opening.append(words.text("nothing_beyond"))
        shown = []
    in_full = _in_full(digest, shown, room)
    room.parts_left -= 1
    room.rows -= len(shown)
    room.news |= {news for story in told for news in _news(story)}
    aside = list(_aside(digest, words, room))
    return Section(
        title=None if is_first else headline.title(digest, told, words),
        opening=tuple(opening),
        tiles=() if is_known else tuple(headline.tiles(digest, told, words)),
        tables=tuple(
            _tables(
                *(digest, () if is_known else told, shown, words), limit=limit, has_list=has_list
            )
        ),
        cards=tuple(
            listing.card(number, story, digest, words)
            for number, story in enumerate(in_full, start=1)
        ),
        after=tuple(listing.by_owner(digest, told, words)) if is_first else (),
        aside=tuple(aside),
        reliability=tuple(review.reliability(digest, words)),
    )


def _in_full(digest: Digest, shown: list[Story], room: _Room) -> list[Story]:
    """The customers of a part that are told in full: those whom no part above told so."""
    if digest.kind not in (DAILY, WEEKLY):
        return []
    found = [story for story in shown if not set(_news(story)) <= room.in_full][: room.cards]
    room.cards -= len(found)
    room.in_full |= {news for story in found for news in _news(story)}
    return found


def _news(story: Story) -> Iterator[tuple[str | None, ...]]:
    """What is told of a customer, without its figures."""
    for item in story.items:
        yield item.customer_id, item.topic, item.cause, item.from_tier, item.to_tier, item.direction


def _tables(
    digest: Digest,
    told: tuple[Story, ...],
    shown: list[Story],
    words: Words,
    *,
    limit: int,
    has_list: bool,
) -> Iterator[Table]:
    if digest.kind == MONTHLY:
        yield from review.tables(digest, words)
        sections = {
            "rose": [s for s in told if s.change and s.change.direction == "up"],
            "fell": [s for s in told if s.change and s.change.direction == "down"],
            "watch": [s for s in told if not s.change],
        }
        for name, stories in sections.items():
            if stories:
                first = stories[:limit]
                rest = _more(
                    len(stories) - len(first), _sum(stories) - _sum(first), words, has_list=has_list
                )
                yield listing.overview(first, words.text(name), digest, words, rest)
    elif len(told) > 1:
        number, amount = headline.whole_mail(digest, told)
        rest = _more(number - len(shown), amount - _sum(shown), words, has_list=has_list)
        yield listing.overview(shown, words.text("overview"), digest, words, rest)


def _more(number: int, amount: Decimal, words: Words, *, has_list: bool) -> str | None:
    """Count and sum the customers that are not shown; None if all are."""
    if number <= 0:
        return None
    return words.text(
        "more_line" if has_list else "more_line_unlisted",
        more=words.counted("more", number),
        amount=words.money(amount),
    )


def _sum(stories: Iterable[Story]) -> Decimal:
    return sum((story.at_stake for story in stories), Decimal(0))


def _aside(digest: Digest, words: Words, room: _Room) -> Iterator[str]:
    rest = []
    for item in digest.aside:
        story = Story((item,), CustomerFacts(item.customer_id))
        name = f"{listing.name_of(story)} ({clean(item.customer_id, 40)})"
        said = words.text("sentence.after_lead").join([name, sentence(story, words)])
        if said in room.aside:
            continue
        if len(room.aside) < ASIDE_PER_MAIL:
            room.aside.add(said)
            yield said
        else:
            rest.append(item)
    more = _more(len(rest), sum((i.stake for i in rest), Decimal(0)), words, has_list=False)
    if more:
        yield more


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
    for role in dict.fromkeys(part.role for part in digest.parts):
        key = f"footer.role.{role}"
        yield words.text(key if words.has(key) else "footer.role.other")
