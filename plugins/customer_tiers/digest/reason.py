"""Why a customer changed tier, in one plain sentence, and what to do next.

The warehouse decides the cause, the reason code and the main driver; here they only get words.
What the words say about up, down and unchanged follows the figures, never the code.
"""

from __future__ import annotations

from decimal import Decimal

from customer_tiers.digest.compose import Change
from customer_tiers.digest.wording import Words

CONTRIBUTION_REASONS = frozenset({"contribution_up", "contribution_down"})
LOYALTY_REASONS = frozenset({"loyalty_up", "loyalty_down"})
PLAIN_CAUSES = frozenset({"own_change", "displacement", "initial", "graduation", "unchanged"})
"""Causes that the reason says already; any other one is named before it."""


def sentence(change: Change, words: Words) -> str:
    """Return the whole reason: "Fell from major to regular: ...; rank 120 → 310 of 1,150."."""
    facts = [*_cause(change, words), *_reason(change, words), *_rank(change, words)]
    facts = list(dict.fromkeys(facts))  # some reasons say the same as their cause
    lead = _lead(change, words)
    if not facts:
        return lead + words.text("sentence.end")
    body = words.text("sentence.between").join(facts)
    return lead + words.text("sentence.after_lead") + body + words.text("sentence.end")


def next_step(change: Change, words: Words) -> str | None:
    """Return what the owner could do next, or None if nothing sensible can be said."""
    key = f"next_step.{change.direction}.{change.reason_code}"
    if change.reason_code == "contribution_down" and change.main_driver_effect < 0:
        key = f"next_step.driver.{change.main_driver}"
    return words.text(key) if words.has(key) else None


def _lead(change: Change, words: Words) -> str:
    if change.from_tier is None:
        return words.text("lead.first", to_tier=words.name("tiers", change.to_tier))
    key = f"lead.{change.direction}"
    return words.text(
        key if words.has(key) else "lead.other",
        from_tier=words.name("tiers", change.from_tier),
        to_tier=words.name("tiers", change.to_tier),
    )


def _cause(change: Change, words: Words) -> list[str]:
    if change.cause is None or change.cause in PLAIN_CAUSES:
        return []
    known = words.has(f"causes.{change.cause}")
    if known:
        return [words.name("causes", change.cause)]
    # A cause without words says nothing that a known reason would not say better.
    code = change.reason_code
    if code not in CONTRIBUTION_REASONS | LOYALTY_REASONS and not words.has(f"reasons.{code}"):
        return [words.text("cause_code", code=words.name("causes", change.cause))]
    return []


def _reason(change: Change, words: Words) -> list[str]:
    code = change.reason_code
    contribution = _contribution(change, words)
    loyalty = _loyalty(change, words)
    if code in CONTRIBUTION_REASONS:
        return contribution
    if code in LOYALTY_REASONS:
        return loyalty + (contribution if change.contribution_12m_change else [])
    if code == "others_moved":
        if not change.own_figures_moved:
            return [words.text("reasons.others_moved")]
        return [words.text("others_moved_more"), *contribution, *loyalty]
    named = [words.text(f"reasons.{code}")] if code and words.has(f"reasons.{code}") else []
    if code and not named:
        named = [words.text("reason_code", code=words.name("reasons", code))]
    return [*named, *contribution, *loyalty]


def _contribution(change: Change, words: Words) -> list[str]:
    if change.contribution_12m is None:
        return []
    moved = change.contribution_12m_change
    if moved is None:
        return [words.text("contribution.now", now=words.money(change.contribution_12m))]
    if not moved:
        return [words.text("contribution.unchanged", now=words.money(change.contribution_12m))]
    way = "up" if moved > 0 else "down"
    fact = words.text(f"contribution.{way}", amount=words.money(abs(moved)))
    return [fact + _driver(change, words, moved)]


def _driver(change: Change, words: Words, moved: Decimal) -> str:
    driven = change.main_driver_effect
    if change.main_driver is None or not driven:
        return ""
    is_most = (driven > 0) == (moved > 0) and abs(driven) * 2 >= abs(moved)
    return words.text(
        "driver.most" if is_most else "driver.largest",
        line=words.name("lines", change.main_driver),
        amount=words.money(driven, signed=True),
    )


def _loyalty(change: Change, words: Words) -> list[str]:
    if not change.loyalty_moved:
        return []
    before, now = words.index(change.loyalty_index_before), words.index(change.loyalty_index)
    return [words.text("loyalty", before=before, now=now)]


def _rank(change: Change, words: Words) -> list[str]:
    if change.score_rank is None or change.customers_ranked is None:
        return []
    now, of = words.whole(change.score_rank), words.whole(change.customers_ranked)
    before = change.score_rank_before
    if before is None:
        return [words.text("rank.now", now=now, of=of)]
    if before == change.score_rank:
        return [words.text("rank.unchanged", now=now, of=of)]
    return [words.text("rank.moved", before=words.whole(before), now=now, of=of)]
