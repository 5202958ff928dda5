"""A receipt as a person wants to read it: which tier, why, how near the next one, what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from customer_tiers import explanation_money, settings
from customer_tiers.errors import UserError
from customer_tiers.maintenance import thinned_nights

Receipt = dict[str, Any]

RECEIPT = """
    select receipt.*, customer.customer_name, customer.owner_name
    from bi.tier_decision as receipt
    left join bi.customer_tier as customer using (customer_id)
    where customer_id = %(customer)s
        and receipt.business_date
            = coalesce(%(day)s, (select max(business_date) from bi.tier_decision))
"""

BEFORE = """
    select * from bi.tier_decision
    where customer_id = %(customer)s and business_date = coalesce(%(compared_with)s, (
        select max(business_date) from bi.tier_decision where business_date < %(day)s
    ))
"""
"""The receipt that one compares with; one of an old version compares with the night before."""

NIGHT_BEFORE = """
    select max(business_date) as night from bi.publication
    where status = 'published' and business_date < %s
"""

HISTORY = """
    select
        minimum_orders,
        (%(first_sale)s::date + make_interval(months => minimum_tenure_months))::date as ranked_from
    from policy.tier_policies
    where policy_id = %(policy)s and valid_from <= %(day)s order by valid_from desc limit 1
"""

LADDER = "select tier_rank, tier from bi.tier where policy_id = %s"

RULES = {
    "cut": "its place is that of this tier",
    "stepped_down": "its place is lower still, but a fall goes down {steps_down} tier at a time",
    "held_band": "its place alone would give {cut_tier}, but not by the margin that a change needs",
    "held_confirmation": "{pending_direction} for {pending_nights} night(s) now; a change needs "
    "{confirm_up_nights} up, {confirm_down_nights} down",
    "held_dwell": "{pending_direction} for {pending_nights} night(s) now, but it changed on "
    "{before_changed_on} and stays for {dwell_days} days",
    "held_grace": "down for {pending_nights} night(s) now, but for {grace_cause} a fall waits "
    "{grace_nights} nights more",
    "held_weak_data": "its place says lower, but its figures lack too much: data confidence "
    "{data_confidence} is below {minimum_data_confidence}, and no tier falls on such figures",
    "new": "too little history to be ranked: first sale on {first_sale_date}, {orders} order(s)",
    "capped_negative": "a customer that loses us money can be {cap_tier} at best",
    "capped_risk": "a customer with the risk flag {risk_flag} can be {cap_tier} at best",
    "small_population": "too few customers are ranked for shares to mean anything",
}
"""Rule of a receipt -> why it gave the tier."""

NO_AMOUNT = {
    "risk_flag": "no amount wins {better}: the risk flag forbids it",
    "beyond_money": "no amount alone wins {better}: loyalty is what lacks",
}
"""Why there is no amount to rise -> what to say, where it says more than the tier does."""

SLACK_TOLD = 0.25
"""Drivers and rates are hardly off by more, so a tier that stands a larger error is left alone."""


def lines(connection: psycopg.Connection, customer: str, day: str | None) -> Iterator[str]:
    """Explain a customer's tier on a published night.

    Raises:
        UserError: No receipt of the customer on that night.
    """
    key = {"customer": customer, "day": day}
    with connection.cursor(row_factory=dict_row) as cursor:
        if not cursor.execute("select to_regclass('bi.tier_decision') as found").fetchone()[
            "found"
        ]:  # type: ignore[index]
            raise UserError("explain: no night is published yet; start one with `tiers run`")
        receipt = cursor.execute(RECEIPT, key).fetchone()
        if receipt is None:
            raise UserError(_no_receipt(connection, customer, day))
        compared = {"day": receipt["business_date"], "compared_with": receipt.get("compared_with")}
        before = cursor.execute(BEFORE, {**key, **compared}).fetchone()
        spell = spell_of(receipt, cursor.execute(NIGHT_BEFORE, [receipt.get("spell_since")]))
        ladder = cursor.execute(LADDER, [receipt["policy_id"]]).fetchall()
        asked = cursor.execute(
            HISTORY,
            {
                "first_sale": receipt["first_sale_date"],
                "policy": receipt["policy_id"],
                "day": receipt["business_date"],
            },
        ).fetchone()
    names = {row["tier_rank"]: row["tier"] for row in ladder}
    yield (
        f"{customer} {receipt['customer_name'] or ''}, owner {receipt['owner_name'] or 'none'}; "
        f"night of {receipt['business_date']}, policy {receipt['policy_id']}"
    )
    yield f"tier: {receipt['tier']} since {receipt['tier_since']}{_change(receipt)}"
    yield from _why(receipt, names)
    yield from spell
    yield from _place(receipt, names, before)
    yield from amounts(receipt, names)
    yield from progress(receipt, asked or {})
    yield from explanation_money.lines(receipt, before)


def _no_receipt(connection: psycopg.Connection, customer: str, day: str | None) -> str:
    if day and date.fromisoformat(day) in thinned_nights(connection):
        kept = connection.execute(
            "select business_date from bi.tier_decision where customer_id = %s "
            "order by abs(business_date - %s::date), business_date limit 2",
            [customer, day],
        ).fetchall()
        near = ", ".join(sorted(str(night) for (night,) in kept)) or "none"
        return (
            f"explain: the receipts of {day} are thinned, only month ends are kept for longer than "
            f"{settings.RECEIPT_NIGHTS} days; ask for a night that is kept (nearest: {near}), or "
            f"for the tier alone with bi.tier_as_of('{day}')"
        )
    return (
        f"explain: customer {customer} has no receipt on {day or 'the newest night'}; it "
        "may be unknown, internal, merged into another, or the night not published"
    )


def _change(receipt: Receipt) -> str:
    if receipt["previous_tier"] is None:
        return ", its first night"
    if not receipt["is_changed"]:
        return ", as the night before"
    return f", {receipt['previous_tier']} the night before; cause: {receipt['cause']}"


def spell_of(receipt: Receipt, night_before: Iterable[Receipt]) -> list[str]:
    """Say since when a change was due that waited, and what it is compared with; else nothing.

    Args:
        receipt: Columns of `tier_decision`.
        night_before: One row, `night`: the last published night before spell_since.
    """
    since, compared_with = receipt.get("spell_since"), receipt.get("compared_with")
    if since is None or since == receipt["business_date"]:
        return []
    if not receipt["is_changed"]:
        return [f"its figures have asked for the change since {since}"]
    last = next(iter(night_before), {}).get("night")
    if compared_with is None or compared_with >= since:
        return []
    kept = ", the last one before it that is kept" if last and last > compared_with else ""
    return [
        f"its figures asked for this since {since}, so what follows compares with the night of "
        f"{compared_with}{kept}"
    ]


def _why(receipt: Receipt, names: dict[int, str]) -> Iterator[str]:
    words = {
        **receipt,
        "cut_tier": names.get(receipt["cut_rank"]),
        "cap_tier": names.get(receipt["cap_rank"]),
    }
    if receipt["override_reason"]:
        yield (
            f"set by hand until {receipt['override_until']}: {receipt['override_reason']} "
            f"(approved by {receipt['override_approver']}); computed: {receipt['computed_tier']}"
        )
    yield f"why {receipt['computed_tier']}: {RULES[receipt['rule']].format(**words)}"


def _place(receipt: Receipt, names: dict[int, str], before: Receipt | None = None) -> Iterator[str]:
    if receipt["score_rank"] is None:
        return
    ties = f", shared by {receipt['ties']}" if receipt["ties"] > 1 else ""
    yield (
        f"score: {receipt['tier_score']:,} of 10,000 = {receipt['score_parts']}; "
        f"place {receipt['score_rank']:,} of {receipt['customers_ranked']:,}{ties}"
    )
    rank = receipt["computed_tier_rank"]
    bounds = []
    if receipt["exit_score"] is not None:
        bounds.append(f"{receipt['computed_tier']} is kept from {receipt['exit_score']:,} on")
    if receipt["enter_score_better"] is not None:
        bounds.append(f"{names[rank - 1]} is entered from {receipt['enter_score_better']:,} on")
    if bounds:
        yield "bounds of the night: " + ", ".join(bounds)
    if receipt["own_move"] is not None:
        since = before["business_date"] if before else "the night before"
        yield (
            f"places since {since}: {receipt['own_move']:+,} by itself, "
            f"{receipt['others_move']:+,} by what others did"
        )


def amounts(receipt: Receipt, names: dict[int, str]) -> Iterator[str]:
    """Say what it takes to rise, to keep and what is at risk, and how sure the tier is.

    Args:
        receipt: Columns of `tier_decision`; receipts of old nights have none of these amounts.
        names: Rank -> tier of the policy's ladder.
    """
    said = []
    rise, keep = receipt["amount_to_rise"], receipt["amount_to_keep"]
    better = names.get((receipt["computed_tier_rank"] or 0) - 1)
    if rise is not None:
        said.append(f"{rise:,.2f} more wins {better}" if rise else f"{better} is earned, and waits")
    elif receipt["amount_to_rise_note"] in NO_AMOUNT:
        said.append(NO_AMOUNT[receipt["amount_to_rise_note"]].format(better=better))
    if keep is not None:
        tier = receipt["computed_tier"]
        said.append(
            f"{-keep:,.2f} more is needed to keep {tier}"
            if keep < 0
            else f"it may lose {keep:,.2f} and keep {tier}"
        )
    if receipt["amount_at_risk"]:
        said.append(f"at risk {receipt['amount_at_risk']:,.2f} ({receipt['warning_codes']})")
    if said:
        yield "in contribution, all others as they are: " + "; ".join(said)
    slack = receipt.get("allocation_slack")  # receipts of old versions have none
    if slack and slack < SLACK_TOLD:
        yield f"an error of {slack:.0%} in the cost to serve, which is allocated, would change it"
    if receipt["tier_confidence"] is not None:
        yield (
            f"confidence: {receipt['tier_confidence']:.0%} of the half-samples of its own months "
            f"give this tier{', so it is borderline' if receipt['is_borderline'] else ''}"
        )


def progress(receipt: Receipt, asked: dict[str, Any]) -> Iterator[str]:
    """Say when the next change comes: what a new customer needs, how long a change waits.

    Args:
        receipt: Columns of `tier_decision`.
        asked: minimum_orders of the policy, and the day ranked_from; may be empty.
    """
    if receipt["rule"] == "new" and asked.get("ranked_from"):
        orders = asked["minimum_orders"] - (receipt["orders"] or 0)
        needed = [f"{orders} more order(s)"] if orders > 0 else []
        if asked["ranked_from"] > receipt["business_date"]:
            needed.append(f"to be with us until {asked['ranked_from']}")
        yield f"next: to be ranked, it needs {' and '.join(needed)}"
    nights = receipt.get("nights_until_change")  # receipts of old versions have none
    if nights:
        way = {"up": "rises", "down": "falls"}[receipt["pending_direction"]]
        yield f"next: {way} in {nights} night(s), unless its figures change"
