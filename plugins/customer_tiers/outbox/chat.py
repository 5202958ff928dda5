"""Messages to chat services through Apprise, an optional extra: `pip install customer-tiers[chat]`.

The connection AIRFLOW_CONN_<name> holds Apprise's own URL, such as `slack://...` or `msteams://...`.
A chat service knows no repeats, so a message that may have arrived is not sent again.
"""

from __future__ import annotations

import os
from types import ModuleType

from customer_tiers import connections
from customer_tiers.digest.render import render
from customer_tiers.errors import UserError
from customer_tiers.outbox import ops
from customer_tiers.outbox.rows import OPS, OutboxRow
from customer_tiers.smtp import SENT, Outcome

LONGEST = 3000
"""Characters; chat services cut, split or refuse longer messages. The mail has all of it."""


class Chat:
    """Sends messages to one chat service."""

    def __init__(self, name: str) -> None:
        apprise = _apprise()
        variable = connections.PREFIX + name.upper()
        url = os.environ.get(variable, "").strip()
        if not url:
            raise UserError(f"{variable} is not set: the chat service as a URL of Apprise")
        self._service = apprise.Apprise()
        if not self._service.add(url):
            raise UserError(f"{variable} is no URL that Apprise knows; see its documentation")

    def deliver(self, row: OutboxRow) -> Outcome:
        """Send one message; Apprise only says whether it was accepted."""
        title, text = ops.text(row) if row.kind == OPS else _words(row)
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}\n..."
        if self._service.notify(title=title, body=text):
            return SENT
        return Outcome("unknown", "the chat service did not accept it; see the log", is_lost=True)

    def close(self) -> None:
        """Nothing stays open."""


def _words(row: OutboxRow) -> tuple[str, str]:
    content = render(row.digest)
    return content.subject, content.text


def _apprise() -> ModuleType:
    try:
        import apprise
    except ImportError:
        raise UserError(
            "a chat service needs Apprise: `pip install customer-tiers[chat]`"
        ) from None
    return apprise
