"""Everything a mail prints, with every word and number already in the recipient's language.

The view is built once and both parts are laid out from it: what one part says, the other says too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
class View:
    """What the templates print, from top to bottom."""

    words: Words
    subject: str
    title: str
    greeting: str
    opening: tuple[str, ...]
    banners: tuple[str, ...]
    tiles: tuple[headline.Tile, ...]
    tables: tuple[Table, ...]
    cards: tuple[listing.Card, ...]
    after: tuple[Table, ...]
    aside: tuple[str, ...]
    reliability: tuple[str, ...]
    footer: tuple[str, ...]
    page_url: str | None


def view(digest: Digest, words: Words, attachment: str | None) -> View:
    """Say a digest in words; `attachment` is the name of the attached table."""
    told = digest.told
    shown = [story for story in told if story.first.is_shown][:ROWS_PER_MAIL]
    title = headline.title(digest, told, words)
    is_full = digest.kind in (DAILY, WEEKLY)
    return View(
        words=words,
        subject=words.text("subject", title=title, date=words.date(digest.business_date)),
        title=title,
        greeting=words.text("greeting", name=clean(digest.recipient_name or digest.recipient_id)),
        opening=tuple(headline.opening(digest, told, words)),
        banners=tuple(headline.banners(digest, words)),
        tiles=tuple(headline.tiles(digest, told, words)),
        tables=tuple(_tables(digest, told, shown, words, has_list=attachment is not None)),
        cards=tuple(
            listing.card(number, story, digest, words)
            for number, story in enumerate(shown[:CARDS_PER_MAIL] if is_full else [], start=1)
        ),
        after=tuple(listing.by_owner(digest, told, words)),
        aside=tuple(_aside(digest, words)),
        reliability=tuple(review.reliability(digest, words)),
        footer=tuple(_footer(digest, words, attachment)),
        page_url=digest.page_url,
    )


def _tables(
    digest: Digest, told: tuple[Story, ...], shown: list[Story], words: Words, *, has_list: bool
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
                first = stories[:CARDS_PER_MAIL]
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


def _aside(digest: Digest, words: Words) -> Iterator[str]:
    items = digest.aside
    for item in items[:ASIDE_PER_MAIL]:
        story = Story((item,), CustomerFacts(item.customer_id))
        name = f"{listing.name_of(story)} ({clean(item.customer_id, 40)})"
        yield words.text("sentence.after_lead").join([name, sentence(story, words)])
    rest = items[ASIDE_PER_MAIL:]
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
    key = f"footer.role.{digest.role}"
    yield words.text(key if words.has(key) else "footer.role.other")
