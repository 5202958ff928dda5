"""The table attached to a mail: every customer of it, beyond those the mail shows, as CSV.

Safe to open in a spreadsheet: no cell that other people typed can become a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from customer_tiers.currency import plain
from customer_tiers.digest.clean import clean
from customer_tiers.digest.facts import coming_fall, evidence, risk_evidence
from customer_tiers.digest.model import Digest
from customer_tiers.digest.reason import next_step, sentence
from customer_tiers.digest.story import (
    ABOUT_TO_FALL,
    EARLY_WARNING,
    RISK,
    TIER_CHANGE,
    Item,
    Story,
)
from customer_tiers.digest.wording import Words

COLUMNS = (
    *("customer_id", "customer_name", "owner_name", "topic", "cause", "from_tier", "to_tier"),
    *("since", "amount_at_stake", "contribution_12m", "contribution_12m_change"),
    *("score_rank_before", "score_rank", "evidence", "next_step", "currency"),
)

NAME_LENGTH = 500

FORMULA = re.compile(r"(^|[;,\"])(\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])")
"""What a spreadsheet takes for the start of a formula, also behind a delimiter at which it may
split; the full-width forms count in East Asia."""


def file_name(digest: Digest, words: Words) -> str:
    """Return the name of the attached file."""
    return words.text("table.file", date=digest.business_date.isoformat())


def table(digest: Digest, words: Words) -> bytes:
    """Return the mail's customers as CSV, one row per item, most money at stake first.

    UTF-8 with a byte order mark, so that spreadsheets read Chinese; amounts with a decimal point
    and no separators, days as YYYY-MM-DD.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([words.text(f"table.columns.{name}") for name in COLUMNS])
    written = dict.fromkeys(
        tuple(row) for part in digest.parts for row in _rows(part, words)
    )  # What two parts of a mail say alike is one row.
    writer.writerows(written)
    return out.getvalue().encode("utf-8-sig")


def _rows(digest: Digest, words: Words) -> Iterator[Iterable[str]]:
    for story in digest.told:
        for item in story.items:
            yield _row(item, story, digest, words)
    for item in digest.aside:
        story = Story((item,), digest.facts_of(item.customer_id))
        yield _row(item, story, digest, words)


def safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before its sign."""
    return FORMULA.sub(r"\1\2'\3", text)


def _row(item: Item, story: Story, digest: Digest, words: Words) -> Iterable[str]:
    is_change = item.topic in (TIER_CHANGE, ABOUT_TO_FALL)
    said = {
        EARLY_WARNING: lambda: evidence(item, words, story.facts.new_contact_name),
        RISK: lambda: risk_evidence(item, words),
        ABOUT_TO_FALL: lambda: coming_fall(item, words),
        TIER_CHANGE: lambda: sentence(Story((item,), story.facts), words),
    }
    step = next_step(story, words) if item is story.first else None
    texts = {
        "customer_id": item.customer_id,
        "customer_name": item.customer_name or "",
        "owner_name": item.owner_name or "",
        "topic": words.name("table.topics", item.topic),
        "cause": _cause(item, words),
        "from_tier": words.tier(item.from_tier) if is_change else "",
        "to_tier": words.tier(item.to_tier or story.facts.tier)
        if story.facts.tier or is_change
        else "",
        "evidence": said[item.topic]() if item.topic in said else "",
        "next_step": step or "",
        "currency": digest.base_currency or "",
    }
    values = {
        "since": item.since.isoformat() if item.since else "",
        "amount_at_stake": _amount(item.amount_at_stake, digest.base_currency),
        "contribution_12m": _amount(
            item.contribution_12m if is_change else story.contribution_12m, digest.base_currency
        ),
        "contribution_12m_change": _amount(item.contribution_12m_change, digest.base_currency),
        "score_rank_before": _whole(item.score_rank_before),
        "score_rank": _whole(item.score_rank),
    }
    cells = {name: safe(clean(text, NAME_LENGTH)) for name, text in texts.items()} | values
    return [cells[name] for name in COLUMNS]


def _cause(item: Item, words: Words) -> str:
    sections = {EARLY_WARNING: "table.signals", RISK: "table.flags"}
    section = sections.get(item.topic, "table.causes")
    if item.cause and not words.has(f"{section}.{item.cause}") and item.topic == TIER_CHANGE:
        section = "causes"
    return words.name(section, item.cause) if item.cause else ""


def _amount(amount: Decimal | None, currency: str | None) -> str:
    return "" if amount is None else plain(amount, currency)


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)
