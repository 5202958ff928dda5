"""Why a customer changed tier, in one plain sentence, and what to do next.

The warehouse decides the cause, the reason code and the drivers; here they only get words. What the
words say about up, down and unchanged follows the figures, never the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from customer_tiers.digest.story import Item, Story
from customer_tiers.digest.wording import Words

CONTRIBUTION_REASONS = frozenset({"contribution_up", "contribution_down"})
LOYALTY_REASONS = frozenset({"loyalty_up", "loyalty_down"})
PLAIN_CAUSES = frozenset({"own_change", "displacement", "initial", "graduation", "unchanged"})
"""Causes that the reason says already; any other one is named before it."""

SMALL_DRIVER = 10
"""A second driver that is less than this part of the first says nothing."""


def sentence(story: Story, words: Words) -> str:
    """Return why the tier changed: "Fell from major to regular: contribution of ... down ...."."""
    change = story.first
    facts = [*_cause(change, words), *_reason(story, words)]
    facts = list(dict.fromkeys(facts))  # some reasons say the same as their cause
    lead = _lead(change, words)
    if not facts:
        return lead + words.text("sentence.end")
    body = words.text("sentence.between").join(facts)
    return lead + words.text("sentence.after_lead") + body + words.text("sentence.end")


def next_step(story: Story, words: Words) -> str | None:
    """Return the one thing to do next, or None if nothing sensible can be said.

    A risk comes before a fall that waits, that before a fall, a fall before a warning, a warning
    before good news.
    """
    for key in _steps(story):
        if words.has(f"next_step.{key}"):
            return words.text(f"next_step.{key}")
    return None


def _steps(story: Story) -> Iterator[str]:
    change = story.change
    if story.risk:
        yield f"risk.{story.risk.recommended_step}"
    if story.about_to_fall:
        yield "about_to_fall"
    if change and change.direction == "down":
        yield from _change_steps(story, change)
    for warning in story.warnings:
        if warning.warning_cause:
            yield f"cause.{warning.warning_cause}"
        yield f"signal.{warning.cause}"
    if change:
        yield from _change_steps(story, change)
    if story.hand_over:
        yield "hand_over"


def _change_steps(story: Story, change: Item) -> Iterator[str]:
    if change.reason_code != "contribution_down":
        yield f"{change.direction}.{change.reason_code}"
    elif story.drivers and story.drivers[0][1] < 0:
        yield f"driver.{story.drivers[0][0]}"


def _lead(change: Item, words: Words) -> str:
    if change.from_tier is None:
        return words.text("lead.first", to_tier=words.tier(change.to_tier))
    key = f"lead.{change.direction}"
    return words.text(
        key if words.has(key) else "lead.other",
        from_tier=words.tier(change.from_tier),
        to_tier=words.tier(change.to_tier),
    )


def _cause(change: Item, words: Words) -> list[str]:
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


def _reason(story: Story, words: Words) -> list[str]:
    change = story.first
    code = change.reason_code
    contribution = _contribution(story, words)
    loyalty = _loyalty(change, words)
    if code in CONTRIBUTION_REASONS:
        return contribution
    if code in LOYALTY_REASONS:
        if change.contribution_12m_change:
            return loyalty + contribution
        return [_since(fact, change, words) for fact in loyalty]
    if code == "others_moved":
        if not change.own_figures_moved:
            return [_since(words.text("reasons.others_moved"), change, words)]
        return [words.text("others_moved_more"), *contribution, *loyalty]
    named = [words.text(f"reasons.{code}")] if code and words.has(f"reasons.{code}") else []
    if code and not named:
        named = [words.text("reason_code", code=words.name("reasons", code))]
    return [*named, *contribution]


def _contribution(story: Story, words: Words) -> list[str]:
    change = story.first
    if change.contribution_12m is None:
        return []
    moved = change.contribution_12m_change
    if moved is None:
        return [words.text("contribution.now", now=words.money(change.contribution_12m))]
    if not moved:
        unchanged = words.text("contribution.unchanged", now=words.money(change.contribution_12m))
        return [_since(unchanged, change, words)]
    way = "up" if moved > 0 else "down"
    fact = words.text(f"contribution.{way}", amount=words.money(abs(moved)))
    return [_since(fact, change, words) + _drivers(story, words, moved)]


def _since(fact: str, change: Item, words: Words) -> str:
    """Say since when: a change that waited is explained by what lies nights before it."""
    if change.compared_with is None:
        return fact
    return words.text("compared_since", fact=fact, date=words.date(change.compared_with))


def _drivers(story: Story, words: Words, moved: Decimal) -> str:
    """Name the one or two largest drivers that went the way of the contribution."""
    drivers = story.drivers
    same_way = [
        (code, effect)
        for code, effect in drivers
        if (effect > 0) == (moved > 0) and abs(effect) * SMALL_DRIVER >= abs(drivers[0][1])
    ]
    told = same_way or list(drivers[:1])
    if not told:
        return ""
    told_effect = sum((effect for _, effect in told), Decimal(0))
    is_most = bool(same_way) and abs(told_effect) * 2 >= abs(moved)
    lines = [
        words.text(
            "driver.line",
            line=words.name("lines", code),
            amount=words.money(effect, signed=True),
        )
        for code, effect in told
    ]
    return words.text(
        "driver.most" if is_most else "driver.largest",
        lines=words.text("driver.between").join(lines),
    )


def _loyalty(change: Item, words: Words) -> list[str]:
    if not change.loyalty_moved:
        return []
    before, now = words.index(change.loyalty_index_before), words.index(change.loyalty_index)
    return [words.text("loyalty", before=before, now=now)]
