"""Published receipts of tiers, made without publishing: for replays."""

from __future__ import annotations

import psycopg

MONEY = (
    *("contribution_12m", "net_revenue_12m", "returns_12m", "cogs_12m", "freight_12m"),
    *("cost_to_serve_12m", "financing_12m", "bad_debt_12m"),
)

COLUMNS = {
    "business_date": "date",
    "customer_id": "text",
    "policy_id": "text",
    "tier": "text",
    "tier_rank": "integer",
    "tier_since": "date",
    "computed_tier": "text",
    "computed_tier_rank": "integer",
    "rule": "text",
    "changed_on": "date",
    "pending_direction": "text",
    "pending_nights": "integer",
    "override_reason": "text",
    "tier_score": "integer",
    "score_rank": "integer",
    "contribution_score": "numeric(7, 4)",
    "first_sale_date": "date",
    "orders": "integer",
    "is_merged": "boolean",
    "risk_flag": "text",
    "warning_codes": "text",
    "loyalty_index": "numeric(7, 4)",
    **dict.fromkeys(MONEY, "numeric(24, 6)"),
}
"""The columns of `bi.tier_decision` that a replay reads."""

MEASURED = ("business_date", "customer_id", "first_sale_date", "orders", "is_merged", "risk_flag")


def create_receipts(connection: psycopg.Connection) -> None:
    """Make an empty `bi.tier_decision` of the columns that a replay reads."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute("drop table if exists bi.tier_decision")
    connection.execute(f"create table bi.tier_decision ({columns})")  # type: ignore[call-overload]


def keep_metrics(connection: psycopg.Connection) -> None:
    """Keep what the candidate measured tonight, without a decision."""
    names = ", ".join((*MEASURED, "loyalty_index", *MONEY))
    connection.execute(
        f"insert into bi.tier_decision ({names}) select {names} "  # type: ignore[call-overload]
        "from candidate.int_metrics_gathered"
    )
