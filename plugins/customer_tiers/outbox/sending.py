"""Hand over what waits in the outbox, each message once.

The state `sending` is committed before a server hears of the message; what the server then says, or
that it said nothing, decides between sent, failed and unknown. Several senders may work at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import psycopg

from customer_tiers import mail
from customer_tiers.digest.clean import clean
from customer_tiers.errors import UserError
from customer_tiers.outbox import chat, claims, ops, webhook
from customer_tiers.outbox.rows import OutboxRow
from customer_tiers.smtp import Outcome

LOSSES_IN_A_ROW = 2
"""After so many messages in a row over which the connection was lost, the rest wait: a server that
hangs up on each mail would otherwise turn all of them into `unknown`."""

log = logging.getLogger(__name__)


class Transport(Protocol):
    """Hands messages over to one server."""

    def deliver(self, row: OutboxRow) -> Outcome:
        """Hand over one message and say what became of it."""

    def close(self) -> None:
        """Leave the server."""


TRANSPORTS: Mapping[str, Callable[[str], Transport]] = {
    "mail": lambda _: mail.Mail(),
    "webhook": webhook.Webhook,
    "chat": chat.Chat,
}
"""Channel -> how its messages to one address are handed over; all mails go to one server."""


@dataclass(frozen=True)
class Summary:
    """What one sending did, in messages.

    Attributes:
        sent: Accepted by a server.
        failed: Refused; `waiting` counts those that will be tried again as well.
        unknown: Perhaps delivered, including those that a dead sender left behind.
        waiting: Due at the next sending.
        problem: Why some were not even tried, or None.
        is_misconfigured: The problem is a connection that somebody must mend.
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problem: str | None = None
    is_misconfigured: bool = False

    def __str__(self) -> str:
        counts = (
            f"messages: {self.sent} sent, {self.failed} failed, {self.unknown} unknown, "
            f"{self.waiting} waiting for the next sending"
        )
        return f"{counts}; {self.problem}" if self.problem else counts


@dataclass
class _Lane:
    """The way to one server; closed for this sending once it cannot be used."""

    transport: Transport | None = None
    problem: str | None = None
    losses: int = 0
    is_misconfigured: bool = False


@dataclass
class _Lanes:
    """The ways to all servers, opened when the first message needs them."""

    stack: ExitStack
    lanes: dict[tuple[str, str], _Lane] = field(default_factory=dict)

    def to(self, channel: str, address: str) -> _Lane:
        key = (channel, "" if channel == "mail" else address)
        if key not in self.lanes:
            lane = self.lanes[key] = _Lane()
            try:
                lane.transport = self.stack.enter_context(closing(TRANSPORTS[channel](address)))
            except UserError as fault:
                lane.problem, lane.is_misconfigured = str(fault), True
        return self.lanes[key]

    @property
    def problem(self) -> str | None:
        return "; ".join(lane.problem for lane in self.lanes.values() if lane.problem) or None


def send_pending(
    warehouse_url: str, business_date: date | None = None, *, only_ops: bool = False
) -> Summary:
    """Send the messages that are due.

    Args:
        warehouse_url: libpq URL of a company's warehouse.
        business_date: Send those of that night only; None sends all, also those that an earlier
            night could not get rid of.
        only_ops: Send those to the people who keep the pipeline running only.

    Raises:
        UserError: The warehouse cannot be reached.
    """
    with _connect(warehouse_url) as connection, ExitStack() as stack:
        claims.show_alive(connection)
        lanes = _Lanes(stack)
        counts: Counter[str] = Counter(unknown=claims.settle_left_behind(connection))
        counts += _send_all(connection, lanes, business_date, only_ops=only_ops)
        if ops.tell_stuck(connection):
            counts += _send_all(connection, lanes, None, only_ops=True)
        waiting = len(claims.due(connection, business_date, only_ops=only_ops))
        return Summary(
            sent=counts["sent"],
            failed=counts["failed"],
            unknown=counts["unknown"],
            waiting=waiting,
            problem=lanes.problem,
            is_misconfigured=any(lane.is_misconfigured for lane in lanes.lanes.values()),
        )


def _send_all(
    connection: psycopg.Connection, lanes: _Lanes, business_date: date | None, *, only_ops: bool
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key, channel, address in claims.due(connection, business_date, only_ops=only_ops):
        lane = lanes.to(channel, address)
        if lane.problem or lane.transport is None:
            continue
        row = claims.claim(connection, key)  # autocommit: on disk before the server hears of it
        if row is None:
            continue
        outcome = _deliver(lane.transport, row)
        claims.mark(connection, key, outcome.state, outcome.error, outcome.is_retryable)
        counts[outcome.state] += 1
        log.info("%s %s to %s: %s", channel, key, row.recipient_id, outcome.error or outcome.state)
        lane.losses = lane.losses + 1 if outcome.is_lost else 0
        if outcome.is_unusable or lane.losses == LOSSES_IN_A_ROW:
            lane.problem = outcome.error
    return counts


def _deliver(transport: Transport, row: OutboxRow) -> Outcome:
    try:
        return transport.deliver(row)
    except UserError as fault:
        return Outcome("failed", str(fault))
    except Exception as fault:
        # One message must not keep all others from being sent.
        log.exception("message %s", row.outbox_key)
        return Outcome("unknown", clean(f"{type(fault).__name__} on the way: {fault}", 300))


def _connect(warehouse_url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(warehouse_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        reason = clean(error, 300)
        raise UserError(f"warehouse: cannot connect to send messages: {reason}") from None
