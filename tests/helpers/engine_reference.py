"""The tier engine in plain Python, one customer at a time, to compare the models with.

Written from the policy's own words, not from the SQL: percent ranks by counting, cuts by counting
who stands above, and one step of holding from the columns of a receipt.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import Any

Receipt = dict[str, Any]

MONEY = {"contribution": "contribution_12m", "net_revenue": "net_revenue_12m", "orders": "orders"}


@dataclass
class Policy:
    """One policy as the seeds say it; cuts are (tier_rank, axis, enter, cut, exit)."""

    policy_id: str
    weights: dict[str, Decimal]
    cuts: list[tuple[int, str, Decimal, Decimal, Decimal]]
    lowest: int
    negative_rank: int
    risk_rank: int
    few_rank: int
    confirm_up_nights: int
    confirm_down_nights: int
    dwell_days: int
    steps_down: int
    minimum_orders: int
    minimum_customers_ranked: int
    minimum_tenure_months: int
    graces: dict[str, int]
    states: dict[str, Receipt] = field(default_factory=dict)
    newest: dict[str, Receipt] = field(default_factory=dict)


def rounded(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), rounding=ROUND_HALF_UP)


def months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError


def metric(customer: Receipt, component: str) -> Decimal | None:
    if component == "loyalty":
        return customer["loyalty_index"]
    if component == "cm1":
        return customer["net_revenue_12m"] - (customer["cogs_12m"] or 0)
    return customer[MONEY[component]]


def score_all(policy: Policy, customers: list[Receipt]) -> None:
    """Hundredths of the weighted score; components without data are left out."""
    ladders = {
        component: sorted(m for c in customers if (m := metric(c, component)) is not None)
        for component in policy.weights
    }
    for customer in customers:
        total = weight_present = Decimal(0)
        for component, weight in policy.weights.items():
            mine = metric(customer, component)
            if mine is None:
                continue
            total += weight * rounded(_points(component, mine, ladders[component]), "0.0001")
            weight_present += weight
        mean = total / weight_present if weight_present else Decimal(0)
        customer["tier_score"] = int(rounded(100 * mean, "1"))


def _points(component: str, mine: Decimal, ladder: list[Decimal]) -> Decimal:
    if component == "loyalty":
        return Decimal(mine)
    others = len(ladder) - 1
    return Decimal(100) * bisect_left(ladder, mine) / others if others else Decimal(100)


@dataclass
class Standing:
    """Who stands above a score: heads, and what those who earn us money earn."""

    scores: list[int]
    earned: list[Decimal]

    @classmethod
    def of(cls, night: list[Receipt]) -> Standing:
        """The standing of a night, best score first."""
        best_first = sorted(night, key=lambda c: -c["tier_score"])
        earned = [max(c["contribution_12m"], Decimal(0)) for c in best_first]
        return cls(
            [-c["tier_score"] for c in best_first], [*accumulate(earned, initial=Decimal(0))]
        )

    def above(self, score: int) -> int:
        """Customers with a better score."""
        return bisect_left(self.scores, -score)


def reach(policy: Policy, standing: Standing, customer: Receipt, bound: int) -> int:
    """The best rank all of whose cuts the customer meets; bound 0 enters, 1 cuts, 2 stays."""
    above = standing.above(customer["tier_score"])
    pool = standing.earned[-1]
    met: dict[int, bool] = {}
    for rank, axis, *bounds in policy.cuts:
        wanted = bounds[bound]
        if axis == "customer_share":
            is_met = above < wanted * len(standing.scores)
        elif axis == "profit_share":
            is_met = pool > 0 and rounded(standing.earned[above] / pool, "0.0000000001") < wanted
        else:
            is_met = customer[f"{axis}_12m"] >= wanted
        met[rank] = met.get(rank, True) and is_met
    return min([rank for rank, is_met in met.items() if is_met], default=policy.lowest)


def hold(receipt: Receipt) -> tuple[int | None, str]:
    """The tier's rank and the rule, from the columns of a receipt alone."""
    if receipt["score_rank"] is None:
        return None, "new"
    if receipt["rule"] == "small_population":  # said by customers_ranked and the policy's minimum
        return receipt["few_rank"], "small_population"
    cap = receipt["cap_rank"] or 0
    enter, cut, stay = (max(receipt[f"{b}_rank"], cap) for b in ("enter", "cut", "exit"))
    is_capped = receipt["cut_rank"] < cap
    if receipt["starts_over"]:
        return cut, "capped" if is_capped else "cut"
    held = receipt["before_tier_rank"]
    if cap > held:
        return cap, "capped"
    wanted = enter if enter < held else max(stay, held)
    if wanted == held:
        if held != cut:
            return held, "held_band"
        return held, "capped" if is_capped and held == cap else "cut"
    return _wait(receipt, held, wanted) or (
        wanted,
        "capped" if is_capped and wanted == cap else "cut",
    )


def _wait(receipt: Receipt, held: int, wanted: int) -> tuple[int, str] | None:
    """A change that must wait, or go by steps."""
    direction = "up" if wanted < held else "down"
    nights = 1
    if receipt["before_pending_direction"] == direction:
        nights += receipt["before_pending_nights"]
    changed = receipt["before_changed_on"]
    if changed and changed + timedelta(days=receipt["dwell_days"]) > receipt["business_date"]:
        return held, "held_dwell"
    if nights < receipt[f"confirm_{direction}_nights"]:
        return held, "held_confirmation"
    if direction == "down" and nights < receipt["confirm_down_nights"] + receipt["grace_nights"]:
        return held, "held_grace"
    if direction == "down" and wanted - held > receipt["steps_down"]:
        return held + receipt["steps_down"], "stepped_down"
    return None


def judge(policy: Policy, day: date, customers: list[Receipt]) -> dict[str, Receipt]:
    """One night: every customer's receipt; remembers what the next night must know."""
    latest = months_before(day, policy.minimum_tenure_months)
    ranked = [
        customer
        for customer in customers
        if customer["first_sale_date"] <= latest and customer["orders"] >= policy.minimum_orders
    ]
    score_all(policy, ranked)
    standing = Standing.of(ranked)
    who = {customer["customer_id"] for customer in ranked}
    receipts = {}
    for customer in customers:
        name = customer["customer_id"]
        receipts[name] = _judge_one(policy, day, standing, customer, is_ranked=name in who)
    policy.states = receipts
    policy.newest |= receipts
    return receipts


def _judge_one(
    policy: Policy, day: date, standing: Standing, customer: Receipt, *, is_ranked: bool
) -> Receipt:
    before = policy.states.get(customer["customer_id"], {})
    is_back = customer["is_merged"] and not before
    if is_back:  # part of another customer in between
        before = policy.newest.get(customer["customer_id"], {})
    is_small = is_ranked and len(standing.scores) < policy.minimum_customers_ranked
    warnings = (customer["warning_codes"] or "").split(",")
    caps = []
    if customer["contribution_12m"] < 0:
        caps.append(policy.negative_rank)
    if customer["risk_flag"]:
        caps.append(policy.risk_rank)
    receipt = {
        "business_date": day,
        "score_rank": None,
        "rule": "small_population" if is_small else None,
        "few_rank": policy.few_rank,
        "cap_rank": max(caps, default=None),
        "starts_over": before.get("tier_rank") is None
        or before["rule"] == "small_population"
        or (customer["is_merged"] and not is_back),
        "before_tier_rank": before.get("tier_rank"),
        "before_changed_on": before.get("changed_on"),
        "before_pending_direction": before.get("pending_direction"),
        "before_pending_nights": before.get("pending_nights"),
        "before_rule": before.get("rule"),
        "before_spell_since": before.get("spell_since"),
        "confirm_up_nights": policy.confirm_up_nights,
        "confirm_down_nights": policy.confirm_down_nights,
        "grace_nights": max((policy.graces.get(code, 0) for code in warnings), default=0),
        "dwell_days": policy.dwell_days,
        "steps_down": policy.steps_down,
    }
    if is_ranked:
        receipt["tier_score"] = customer["tier_score"]
        receipt["score_rank"] = 1 + standing.above(customer["tier_score"])
        for bound, name in enumerate(("enter", "cut", "exit")):
            receipt[f"{name}_rank"] = reach(policy, standing, customer, bound)
    rank, rule = hold(receipt)
    return receipt | {"tier_rank": rank, "rule": rule} | _state(receipt, rank, rule)


def _state(receipt: Receipt, rank: int | None, rule: str) -> Receipt:
    held = receipt["before_tier_rank"]
    state: Receipt = {
        **{"changed_on": None, "pending_direction": None, "pending_nights": 0},
        "spell_since": None,
    }
    if rule in ("new", "small_population") or receipt["starts_over"]:
        return state
    state["changed_on"] = receipt["business_date"] if rank != held else receipt["before_changed_on"]
    cap = receipt["cap_rank"] or 0
    is_rise = max(receipt["enter_rank"], cap) < held
    direction = "up" if is_rise else "down"
    if is_rise or max(receipt["exit_rank"], cap) > held:
        goes_on = receipt["before_pending_direction"] == direction or (
            receipt["before_rule"] == "stepped_down" and not is_rise
        )
        state["spell_since"] = receipt["before_spell_since" if goes_on else "business_date"]
    if rule in ("held_confirmation", "held_dwell", "held_grace"):
        is_same = receipt["before_pending_direction"] == direction
        state["pending_direction"] = direction
        state["pending_nights"] = 1 + (receipt["before_pending_nights"] if is_same else 0)
    return state


def stands(policy: Policy, night: list[Receipt], name: str, change: Decimal, bound: int) -> int:
    """The best rank of one customer after it earned us so much more; all are scored anew."""
    moved = [earning(c, change) if c["customer_id"] == name else dict(c) for c in night]
    score_all(policy, moved)
    customer = next(c for c in moved if c["customer_id"] == name)
    return capped(policy, customer, reach(policy, Standing.of(moved), customer, bound))


def stands_alone(
    policy: Policy,
    night: list[Receipt],
    name: str,
    change: Decimal,
    bound: int,
    *,
    handicap: int = 0,
) -> int:
    """The same, with all others' scores as they were, or better by a handicap."""
    before = [dict(c) for c in night]
    moved = [earning(c, change) if c["customer_id"] == name else dict(c) for c in night]
    score_all(policy, before)
    score_all(policy, moved)
    for rival in before:
        rival["tier_score"] += handicap
    customer = next(c for c in moved if c["customer_id"] == name)
    return capped(policy, customer, reach(policy, Standing.of(before), customer, bound))


def earning(customer: Receipt, change: Decimal) -> Receipt:
    """A customer who brought so much more net revenue at no further cost."""
    return customer | {
        column: customer[column] + change for column in ("contribution_12m", "net_revenue_12m")
    }


def capped(policy: Policy, customer: Receipt, rank: int) -> int:
    """The best rank that a loss or a risk flag leaves."""
    if customer["contribution_12m"] < 0:
        rank = max(rank, policy.negative_rank)
    return max(rank, policy.risk_rank) if customer["risk_flag"] else rank
