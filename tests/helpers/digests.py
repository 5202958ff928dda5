"""Rows of the digest marts, and the mails made of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from customer_tiers.digest.compose import compose
from customer_tiers.digest.model import Digest
from customer_tiers.digest.render import Rendered, render

NIGHT = date(2026, 9, 30)

Row = dict[str, Any]


def recipient(recipient_id: str = "O1", **values: Any) -> Row:
    """One row of `digest_recipient`."""
    row = {
        "kind": "daily",
        "recipient_id": recipient_id,
        "role": "owner",
        "recipient_name": f"Owner {recipient_id}",
        "channel": "mail",
        "address": f"{recipient_id.lower()}@example.com",
        "locale": "en",
        "period_from": NIGHT,
        "period_until": NIGHT,
    }
    return row | values


def item(customer_id: str = "C1", owner_id: str = "O1", **values: Any) -> Row:
    """One row of `digest_item`: a customer that fell."""
    row = {
        "kind": "daily",
        "recipient_id": owner_id,
        "role": "owner",
        "section": "main",
        "topic": "tier_change",
        "cause": "own_change",
        "customer_id": customer_id,
        "customer_name": f"Customer {customer_id}",
        "owner_id": owner_id,
        "owner_name": f"Owner {owner_id}",
        "since": NIGHT,
        "is_shown": True,
        "from_tier": "major",
        "to_tier": "regular",
        "direction": "down",
        "reason_code": "contribution_down",
        "main_driver": "returns",
        "main_driver_change": Decimal("-9000.00"),
        "contribution_12m_before": Decimal("52300.50"),
        "contribution_12m": Decimal("40000.40"),
        "contribution_12m_change": Decimal("-12300.10"),
        "score_rank_before": 120,
        "score_rank": 310,
        "customers_ranked": 1150,
        "own_move": -150,
        "others_move": -40,
        "policy_id": "standard",
    }
    if "contribution_12m_change" not in values:
        row["amount_at_stake"] = Decimal("12300.10")
    return row | values


CHANGE_ONLY = (
    *("from_tier", "to_tier", "direction", "reason_code", "main_driver", "main_driver_change"),
    *("contribution_12m_before", "contribution_12m", "contribution_12m_change"),
    *("score_rank_before", "score_rank", "customers_ranked", "own_move", "others_move"),
)


def warning(customer_id: str = "C1", owner_id: str = "O1", **values: Any) -> Row:
    """One row of `digest_item`: a customer that ordered nothing for long."""
    row = item(customer_id, owner_id) | dict.fromkeys(CHANGE_ONLY)
    row |= {
        "topic": "early_warning",
        "cause": "cadence_lapse",
        "strength": 80,
        "baseline_value": Decimal("12.0000"),
        "current_value": Decimal("43.0000"),
        "value_unit": "days_between_orders",
        "amount_at_stake": Decimal("48000.00"),
    }
    return row | values


NIGHTLY = ("base_currency", "source", "run_id", "quality", "review", "page_url", "tier_names")


def one(*items: Row, facts: Iterable[Row] = (), **values: Any) -> Digest:
    """The only mail that some items make; `values` are of the night or of the recipient."""
    night = {"base_currency": "EUR", "source": "sample"}
    night |= {name: values.pop(name) for name in NIGHTLY if name in values}
    row = recipient(**{"recipient_id": items[0]["recipient_id"] if items else "O1", **values})
    told = [one_item | {"kind": row["kind"]} for one_item in items]
    (digest,) = compose([row], told, facts, business_date=NIGHT, **night)  # type: ignore[arg-type]
    return digest


def mail(*items: Row, **values: Any) -> Rendered:
    """The rendered mail of some items."""
    return render(one(*items, **values))


class Reader(HTMLParser):
    """What a mail program would see: visible words, tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._hidden = 0
        self.feed(html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._hidden += tag in ("style", "title")
        self.words += " " if tag in ("td", "th", "tr", "p", "br", "h1", "h2") else ""

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        self.words += "" if self._hidden else data


def plain(rendered: Rendered) -> tuple[str, str]:
    """The words of both parts, each on one line."""
    return " ".join(rendered.text.split()), Reader(rendered.html).words
