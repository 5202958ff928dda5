"""What the time that a mail covers is called: a week and a month only if it is one."""

from __future__ import annotations

from datetime import date, timedelta

from customer_tiers.digest.model import DAILY, MONTHLY, WEEKLY, Digest
from customer_tiers.digest.wording import Words

WEEK = timedelta(days=7)


def is_whole(digest: Digest) -> bool:
    """Whether a mail covers what its kind says: a week, a calendar month.

    A mail whose sending days were missed, or that is the first, covers more or less.
    """
    first, last = digest.recipient.period_from, digest.recipient.period_until
    if first is None or last is None:
        return True
    after = last + timedelta(days=1)
    if digest.kind == WEEKLY:
        return after - first == WEEK
    if digest.kind == MONTHLY:
        return first.day == 1 and after.day == 1 and (after - first).days <= 31
    return digest.kind != DAILY or first == last


def title_key(digest: Digest) -> str:
    """Return under which key the words of a weekly or monthly mail's title are."""
    return digest.kind if is_whole(digest) else f"{digest.kind}_since"


def values(digest: Digest, words: Words) -> dict[str, str]:
    """Return what such words may name: `first`, `until` and `month`."""
    last: date = digest.recipient.period_until or digest.business_date
    first = digest.recipient.period_from or last
    return {
        "first": words.date(first),
        "until": words.date(last),
        "month": words.month(last),
    }
