"""The facts about one customer as labelled lines: money, place, warnings, contacts, next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from customer_tiers.digest.clean import clean
from customer_tiers.digest.reason import next_step
from customer_tiers.digest.story import CustomerFacts, Item, Story
from customer_tiers.digest.wording import Words

LATE_PAYMENT = "late_payment"


@dataclass(frozen=True)
class Fact:
    """One line: what it is about, and what is known; `is_call` is what the recipient should do."""

    label: str
    value: str
    is_call: bool = False


def facts(story: Story, words: Words) -> tuple[Fact, ...]:
    """Return what a mail says about a customer below its headline; unknown things are left out."""
    lines = [
        *_contribution(story, words),
        *_tier(story, words),
        *_place(story.change, words),
        *_amounts(story, words),
        *_risk(story.risk, words),
        *_fall(story.about_to_fall, words),
        *_warnings(story, words),
        *_hand_over(story.hand_over, words),
        *_contact(story, words),
    ]
    step = next_step(story, words)
    if step:
        lines.append(Fact(words.text("fact.next_step"), _capital(step), is_call=True))
    return tuple(lines)


def evidence(warning: Item, words: Words, new_contact: str | None = None) -> str:
    """Return what a warning rests on: "no order for 43 days (usual: 12 days), since May 3"."""
    signal = warning.cause or ""
    subject = warning.subject or ""
    if signal == "owner_change":
        subject = new_contact or subject
    key = f"signal.{signal}" if words.has(f"signal.{signal}") else "signal.other"
    said = words.text(
        key,
        now=_measured(warning.current_value, warning, words),
        subject=clean(subject) or words.text("nothing"),
        code=words.name("table.signals", signal),
    )
    if signal != "owner_change" and warning.baseline_value is not None:
        usual = _usual(warning.baseline_value, warning, words)
        said = words.text("usual", evidence=said, usual=usual)
    if warning.since:
        said = words.text("warned_since", evidence=said, date=words.date(warning.since))
    return said


def risk_evidence(risk: Item, words: Words) -> str:
    """Return what a risk flag rests on."""
    key = f"flags.{risk.cause}" if words.has(f"flags.{risk.cause}") else "flags.other"
    return words.text(
        key, amount=words.money(risk.amount_at_stake), code=words.name("table.flags", risk.cause)
    )


def coming_fall(item: Item, words: Words) -> str:
    """Return how a fall waits: when it comes, since when, and what would keep the tier."""
    nights = item.nights_until_change or 1
    said = words.counted("fall.comes", nights, to_tier=words.tier(item.to_tier))
    if item.since:
        said = words.text("warned_since", evidence=said, date=words.date(item.since))
    lacks = item.amount_at_stake
    kept = words.text("fall.kept", amount=words.money(lacks)) if lacks else words.text("fall.lost")
    return said + words.text("sentence.between") + kept


def _contribution(story: Story, words: Words) -> Iterator[Fact]:
    now = story.contribution_12m
    if now is None:
        return
    value = words.money(now)
    change = story.change
    if change and change.contribution_12m_before is not None:
        before = change.contribution_12m_before
        value = words.text(
            "moved_from",
            before=words.money(before),
            now=value,
            change=words.money(now - before, signed=True),
        )
        if change.compared_with:
            since = words.date(change.compared_with)
            value = words.text("warned_since", evidence=value, date=since)
    elif change and change.contribution_12m_change is not None:
        moved = words.money(change.contribution_12m_change, signed=True)
        value = words.text("moved", now=value, change=moved)
    yield Fact(words.text("fact.contribution"), value)


def _tier(story: Story, words: Words) -> Iterator[Fact]:
    change, known = story.change, story.facts
    label = words.text("fact.tier")
    if change is None:
        if known.tier and known.tier_since:
            since = words.date(known.tier_since)
            yield Fact(label, words.text("since", tier=words.tier(known.tier), date=since))
        return
    since_date: date | None = known.tier_since or change.since
    if since_date is None:
        return
    names = {"to_tier": words.tier(change.to_tier), "date": words.date(since_date)}
    if known.tier_before_since is None or known.tier_before != change.from_tier:
        yield Fact(label, words.text("since_tonight_unknown", **names))
        return
    names |= {
        "from_tier": words.tier(change.from_tier),
        "before": words.date(known.tier_before_since),
    }
    yield Fact(label, words.text("since_tonight", **names))


def _place(change: Item | None, words: Words) -> Iterator[Fact]:
    if change is None or change.score_rank is None or change.customers_ranked is None:
        return
    now, before = change.score_rank, change.score_rank_before
    key = "now" if before is None else "unchanged" if before == now else "moved"
    printed = words.text(
        f"place.{key}",
        before=words.whole(before or 0),
        now=words.whole(now),
        of=words.whole(change.customers_ranked),
    )
    if change.own_move is not None and change.others_move is not None:
        printed = words.text(
            "moves",
            place=printed,
            own=words.whole(change.own_move, signed=True),
            others=words.whole(change.others_move, signed=True),
        )
    yield Fact(words.text("fact.place"), printed)


def _amounts(story: Story, words: Words) -> Iterator[Fact]:
    known, change = story.facts, story.change
    tier = change.to_tier if change else known.tier
    if known.amount_to_keep is not None and tier and not story.about_to_fall:
        key = "to_keep" if known.amount_to_keep >= 0 else "to_keep_lacks"
        amount = words.money(abs(known.amount_to_keep))
        said = words.text(key, amount=amount) + _waiting(known, "down", words)
        yield Fact(words.text("fact.keep", tier=words.tier(tier)), _capital(said))
    missing = _to_rise(known, words)
    if missing and known.next_better_tier:
        fell_from = change is not None and change.from_tier == known.next_better_tier
        key = "fact.regain" if fell_from else "fact.rise"
        label = words.text(key, tier=words.tier(known.next_better_tier))
        yield Fact(label, _capital(missing))


def _to_rise(known: CustomerFacts, words: Words) -> str | None:
    """Say what is missing for the next better tier, or None if the receipt does not."""
    if known.amount_to_rise is None:
        key = f"no_amount.{known.amount_to_rise_note}"
        return words.text(key) if words.has(key) else None
    if known.amount_to_rise:
        return words.text("to_rise", amount=words.money(known.amount_to_rise))
    return words.text("to_rise_waits") + _waiting(known, "up", words)


def _waiting(known: CustomerFacts, direction: str, words: Words) -> str:
    """How long a change of that direction still waits, to follow what is said of it."""
    if known.pending_direction != direction or not known.nights_until_change:
        return ""
    waiting = words.counted(f"waiting.{direction}", known.nights_until_change)
    return words.text("sentence.between") + waiting


def _risk(risk: Item | None, words: Words) -> Iterator[Fact]:
    if risk is None:
        return
    said = risk_evidence(risk, words)
    if risk.since:
        said = words.text("warned_since", evidence=said, date=words.date(risk.since))
    step = risk.recommended_step
    if step:
        recommended = words.text("step", step=words.name("steps", step))
        said += words.text("sentence.between") + recommended
    yield Fact(words.text("fact.risk"), _capital(said))


def _fall(item: Item | None, words: Words) -> Iterator[Fact]:
    if item is not None:
        yield Fact(words.text("fact.about_to_fall"), _capital(coming_fall(item, words)))


def _warnings(story: Story, words: Words) -> Iterator[Fact]:
    for warning in story.warnings:
        said = evidence(warning, words, story.facts.new_contact_name)
        amount: Decimal | None = warning.amount_at_stake
        if amount:
            said = words.text("at_risk", evidence=said, amount=words.money(amount))
        yield Fact(words.text("fact.warning"), _capital(said))
    causes = dict.fromkeys(w.warning_cause for w in story.warnings if w.warning_cause)
    for cause in causes:
        yield Fact(words.text("fact.likely_cause"), _capital(words.name("warning_causes", cause)))


def _hand_over(item: Item | None, words: Words) -> Iterator[Fact]:
    if item is None:
        return
    owner = clean(item.previous_owner_name or item.previous_owner_id or "")
    said = words.text("came_from", owner=owner) if owner else words.text("came_from_nobody")
    yield Fact(words.text("fact.hand_over"), _capital(said))


def _contact(story: Story, words: Words) -> Iterator[Fact]:
    known = story.facts
    last = words.date(known.last_contact_date) if known.last_contact_date else None
    if known.next_contact_date:
        kind = known.next_contact_kind or ""
        named = words.name("activities", kind) if kind else words.text("activity")
        values = {"kind": named, "date": words.date(known.next_contact_date)}
        key = "contact.next_and_last" if last else "contact.next"
        yield Fact(words.text("fact.contact"), _capital(words.text(key, last=last, **values)))
    elif last:
        yield Fact(words.text("fact.contact"), _capital(words.text("contact.last", last=last)))


def _usual(value: Decimal, warning: Item, words: Words) -> str:
    """Print what is usual; of days from the due date to the payment, which way they went."""
    if warning.cause != LATE_PAYMENT:
        return _measured(value, warning, words)
    if not value:
        return words.text("paid.on_time")
    return words.text("paid.early" if value < 0 else "paid.late", days=words.days(abs(value)))


def _measured(value: Decimal | None, warning: Item, words: Words) -> str:
    """Print a measured value in its unit; see `value_unit` of `early_warning`."""
    unit = warning.value_unit or ""
    if value is None:
        return words.text("nothing")
    if unit.startswith("days_"):
        return words.days(value)
    if unit.startswith("base_currency"):
        return words.money(value)
    if unit.endswith(("_share_of_list", "_share_of_sales")):
        return words.text("above_all") if value > 1 else words.percent(value)
    return words.whole(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
