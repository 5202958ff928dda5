"""The peer that is a plain dbt project: our own models of contribution and tiers, rebuilt.

Every table is made anew from all of raw, in a schema of its own, without tests and checks, and dbt
is started and parses the project as `dbt build` does each time. What the project compiles to is
what DuckDB runs in `scale.duck`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SCHEMA = "peer"
SELECT = ["+int_tiers_decided", "+int_contributions_aggregated_to_windows"]

RESULTS = {
    "contribution": "select customer_id, contribution_12m from "
    "{}.int_contributions_aggregated_to_windows",
    "tier": "select customer_id || ' ' || policy_id, tier from {}.int_tiers_decided",
}
"""What the peers are compared by: contribution and tier of a schema's customers."""


def build(day: str) -> None:
    """Build the project for a business date."""
    from customer_tiers import connections, transform

    transform.run(
        connections.warehouse("sample"),
        select=SELECT,
        variables={
            "business_date": day,
            "run_id": "peer",
            "base_currency": "EUR",
            "rounding": "line",
            "source": "sample",
        },
        run_id="peer",
        schema=SCHEMA,
        full_refresh=True,
        is_checked=False,
    )


def models() -> list[tuple[str, str, Path]]:
    """Name, materialization and compiled file of each model, in an order in which they can run."""
    from customer_tiers import settings, transform

    nodes: dict[str, Any] = transform.parse().result.nodes
    wanted, order = set(), []

    def visit(name: str) -> None:
        if name in wanted or name not in nodes or nodes[name].resource_type != "model":
            return
        wanted.add(name)
        for parent in nodes[name].depends_on.nodes:
            visit(parent)
        order.append(nodes[name])

    for selector in SELECT:
        visit(f"model.customer_tiers.{selector.removeprefix('+')}")
    compiled = settings.HOME / "dbt" / f"warehouse_sample.{SCHEMA}" / "compiled" / "customer_tiers"
    return [
        (node.name, node.config.materialized, compiled / node.original_file_path) for node in order
    ]


if __name__ == "__main__":
    build(sys.argv[1])
