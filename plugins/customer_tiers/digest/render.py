"""Turn a digest into a mail's subject, text part and HTML part.

The view is built once, with every word and number already printed and cleaned, and both parts are
laid out from it: what one part says, the other says too. A new kind of mail is an entry in
`TEMPLATES`, its templates, and its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from customer_tiers.digest.clean import clean
from customer_tiers.digest.compose import (
    MANAGER_DIGEST,
    OWNER_DIGEST,
    Change,
    Digest,
    by_owner,
    count_directions,
    ranked,
)
from customer_tiers.digest.reason import next_step, sentence
from customer_tiers.digest.wording import Words, words

TEMPLATES = {OWNER_DIGEST: "tier_changes", MANAGER_DIGEST: "tier_changes"}
"""Kind of digest -> its pair of templates, `<name>.html.j2` and `<name>.txt.j2`."""

ROWS_PER_MAIL = 40
"""Customers told in full; the rest are counted and summed. Mail programs cut a mail off at about
100 kB, which forty customers of forty owners with long names just stay under."""

DIRECTIONS = ("up", "down", "entered", "returned")
"""Order in which directions are counted; any other direction comes last, as `other`."""

ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class Rendered:
    """A mail's content."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Row:
    """One customer as it is printed."""

    customer: str
    customer_id: str
    from_tier: str
    to_tier: str
    direction: str
    arrow: str
    contribution: str
    contribution_money: str
    change: str
    change_money: str
    is_loss: bool
    reason: str
    next_step: str | None


@dataclass(frozen=True)
class Group:
    """Rows under one heading: an owner's in a manager's mail, all in an owner's."""

    title: str | None
    rows: tuple[Row, ...]
    more: str | None


@dataclass(frozen=True)
class View:
    """Everything the templates print."""

    words: Words
    title: str
    greeting: str
    opening: tuple[str, ...]
    contribution_heading: str
    groups: tuple[Group, ...]
    footer: tuple[str, ...]


def render(digest: Digest) -> Rendered:
    """Return the mail of a digest in the recipient's language.

    Raises:
        ValueError: No mail exists for the digest's kind.
    """
    if digest.kind not in TEMPLATES:
        raise ValueError(f"no mail exists for kind {digest.kind!r}")
    language = words(digest.locale, digest.base_currency)
    view = _view(digest, language)
    name = TEMPLATES[digest.kind]
    return Rendered(
        subject=_subject(digest, language),
        text=_environment().get_template(f"{name}.txt.j2").render(view=view),
        html=_environment().get_template(f"{name}.html.j2").render(view=view),
    )


def _view(digest: Digest, language: Words) -> View:
    heading = language.text("column.contribution")
    if digest.base_currency:
        heading += f" ({clean(digest.base_currency, 8)})"
    opening = [_summary(digest.changes, language)]
    if len(digest.changes) > 1:
        opening.append(language.text("order_note"))
    if digest.replaces_earlier:
        opening.insert(0, language.text("replaces_earlier"))
    return View(
        words=language,
        title=_title(digest.changes, language),
        greeting=language.text(
            "greeting", name=clean(digest.recipient_name or digest.recipient_id)
        ),
        opening=tuple(opening),
        contribution_heading=heading,
        groups=tuple(_groups(digest, language)),
        footer=tuple(_footer(digest, language)),
    )


def _subject(digest: Digest, language: Words) -> str:
    return language.text(
        "team_subject" if digest.kind == MANAGER_DIGEST else "subject",
        changed=language.counted("changed", len(digest.changes)),
        directions=_directions(digest.changes, language),
        date=language.date(digest.business_date),
    )


def _title(changes: Iterable[Change], language: Words) -> str:
    listed = list(changes)
    changed = language.counted("changed", len(listed))
    return language.text("owner_line", owner=changed, directions=_directions(listed, language))


def _summary(changes: Iterable[Change], language: Words) -> str:
    listed = list(changes)
    total = sum((c.contribution_12m or Decimal(0) for c in listed), Decimal(0))
    moves = [c.contribution_12m_change for c in listed if c.contribution_12m_change is not None]
    if not moves:
        return language.text("summary_without_change", total=language.money(total))
    change = language.money(sum(moves, Decimal(0)), signed=True)
    return language.text("summary", total=language.money(total), change=change)


def _directions(changes: Iterable[Change], language: Words) -> str:
    counts = count_directions(changes)
    parts = [(name, counts.pop(name, 0)) for name in DIRECTIONS]
    parts.append(("other", counts.total()))
    return language.text("directions_between").join(
        language.counted(f"directions.{name}", count) for name, count in parts if count
    )


def _groups(digest: Digest, language: Words) -> Iterable[Group]:
    told = {change.customer_id for change in ranked(digest.changes)[:ROWS_PER_MAIL]}
    if digest.kind != MANAGER_DIGEST:
        yield _group(None, digest.changes, told, language)
        return
    untold: list[Change] = []
    for owner, changes in by_owner(digest.changes):
        if not told & {change.customer_id for change in changes}:
            untold += changes
            continue
        title = language.text(
            "owner_line",
            owner=clean(owner) if owner else language.text("no_owner"),
            directions=_directions(changes, language),
        )
        yield _group(title, changes, told, language)
    if untold:
        yield _group(None, untold, told, language)


def _group(title: str | None, changes: Iterable[Change], told: set[str], language: Words) -> Group:
    listed = list(changes)
    rest = [change for change in listed if change.customer_id not in told]
    return Group(
        title=title,
        rows=tuple(_row(change, language) for change in listed if change.customer_id in told),
        more=_more(rest, language) if rest else None,
    )


def _more(rest: list[Change], language: Words) -> str:
    change = sum((c.contribution_12m_change or Decimal(0) for c in rest), Decimal(0))
    return language.text(
        "more_line",
        more=language.counted("more", len(rest)),
        directions=_directions(rest, language),
        change=language.money(change, signed=True),
    )


def _row(change: Change, language: Words) -> Row:
    customer_id = clean(change.customer_id, 40)
    return Row(
        customer=clean(change.customer_name or "") or customer_id,
        customer_id=customer_id,
        from_tier=_capital(language.name("tiers", change.from_tier)),
        to_tier=_capital(language.name("tiers", change.to_tier)),
        direction=change.direction if change.direction in ARROWS else "other",
        arrow=ARROWS.get(change.direction or "", "●"),
        contribution=language.amount(change.contribution_12m),
        contribution_money=language.money(change.contribution_12m),
        change=language.amount(change.contribution_12m_change, signed=True),
        change_money=language.money(change.contribution_12m_change, signed=True),
        is_loss=(change.contribution_12m_change or 0) < 0,
        reason=sentence(change, language),
        next_step=_step(change, language),
    )


def _step(change: Change, language: Words) -> str | None:
    step = next_step(change, language)
    return language.text("next_step_label", step=step) if step else None


def _footer(digest: Digest, language: Words) -> Iterable[str]:
    yield language.text("footer.business_date", date=language.date(digest.business_date))
    policies = sorted({clean(c.policy_id, 40) for c in digest.changes if c.policy_id})
    if policies:
        yield language.text("footer.policy", policies=", ".join(policies))
    if digest.base_currency:
        yield language.text("footer.currency", currency=clean(digest.base_currency, 8))
    else:
        yield language.text("footer.no_currency")
    if digest.source:
        yield language.text("footer.origin", source=clean(digest.source, 40))
    else:
        yield language.text("footer.origin_without_source")
    yield language.text(f"footer.recipient.{digest.kind}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
