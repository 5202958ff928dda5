"""Messages as signed JSON to a machine: one POST per message, as docs/webhook.md describes.

Signed as Standard Webhooks (standardwebhooks.com) asks, so that its libraries can verify it. The
receiver knows a repeat by its key, so whatever may not have arrived is simply sent again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from customer_tiers import connections
from customer_tiers.digest.clean import clean
from customer_tiers.digest.model import Item, Recipient
from customer_tiers.errors import UserError
from customer_tiers.outbox.rows import OPS, OutboxRow
from customer_tiers.smtp import REASON_LENGTH, SENT, Outcome

ATTEMPTS = 5
"""How often one sending tries; the waits between are 1, 2, 4 and 8 seconds."""

LONGEST_WAIT = 60.0
"""Seconds; a receiver that asks for a longer pause gets the message with the next sending."""

TRY_AGAIN = frozenset({408, 425, 429})
"""Refusals that are about the moment, beside all of 5xx; any other 4xx is about the message."""

SECRET_PREFIX = "whsec_"  # noqa: S105
"""Before a secret in base64, as Standard Webhooks writes them."""

RECIPIENT = ("kind", "role", "recipient_id", "locale", "business_date")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """Where to post, and the secret to sign with."""

    url: str
    secret: bytes
    timeout: float


def endpoint(name: str) -> Endpoint:
    """Read the endpoint from the connection AIRFLOW_CONN_<name>.

    Raises:
        UserError: It is not set, is no http(s) URL or has no password, which is the secret.
    """
    variable = connections.PREFIX + name.upper()
    example = f"{variable}=https://:SECRET@host/path"
    found = connections.read(name)
    if found is None:
        raise UserError(f"{variable} is not set: the webhook's address, such as {example}")
    if found.scheme not in ("http", "https") or not found.host:
        raise UserError(f"{variable} is no http or https URL; write it as {example}")
    if not found.password:
        raise UserError(f"{variable} has no secret to sign with; write it as {example}")
    host = f"[{found.host}]" if ":" in found.host else found.host
    port = f":{found.port}" if found.port else ""
    timeout = float(found.extra.get("timeout") or 30)
    secret = found.password
    key = (
        base64.b64decode(secret.removeprefix(SECRET_PREFIX))
        if secret.startswith(SECRET_PREFIX)
        else secret.encode()
    )
    return Endpoint(f"{found.scheme}://{host}{port}/{found.schema}", key, timeout)


def body(row: OutboxRow) -> bytes:
    """Return the JSON of a message; the same row always gives the same bytes."""
    digest = None if row.kind == OPS else row.digest
    said: dict[str, Any] = {
        "type": f"{OPS}.{row.payload[OPS]['event']}" if digest is None else f"news.{row.kind}",
        "timestamp": row.created_at.isoformat(),
        "data": {
            "id": row.outbox_key,
            "corrects": row.corrects,
            **{name: _plain(getattr(row, name)) for name in RECIPIENT},
            "source": row.payload.get("source"),
            "base_currency": row.payload.get("base_currency"),
            "counts": _known(digest.recipient) if digest else {},
            "events": [_event(item) for item in digest.items] if digest else [],
            "ops": row.payload.get(OPS),
        },
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def sign(secret: bytes, message_id: str, timestamp: int, content: bytes) -> str:
    """Return the header `webhook-signature` of a body."""
    signed = f"{message_id}.{timestamp}.".encode() + content
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class Webhook:
    """Posts messages to one endpoint over one connection."""

    def __init__(self, name: str, pause: Callable[[float], None] = time.sleep) -> None:
        import httpx

        self._endpoint = endpoint(name)
        self._client = httpx.Client(timeout=self._endpoint.timeout)
        self._pause = pause

    def deliver(self, row: OutboxRow) -> Outcome:
        """Post one message, again and again while the receiver asks for patience."""
        content = body(row)
        attempt = 1
        while True:
            outcome, asked = self._post(row, content)
            wait = max(2.0 ** (attempt - 1), asked)
            if not outcome.is_retryable or attempt == ATTEMPTS or wait > LONGEST_WAIT:
                return outcome
            log.info("webhook: %s; again in %g s", outcome.error, wait)
            self._pause(wait)
            attempt += 1

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(self, row: OutboxRow, content: bytes) -> tuple[Outcome, float]:
        """Post once; also return how many seconds the receiver asks to wait."""
        import httpx

        now = int(time.time())
        headers = {
            "content-type": "application/json",
            "idempotency-key": row.outbox_key,
            "webhook-id": row.outbox_key,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(self._endpoint.secret, row.outbox_key, now, content),
        }
        try:
            answer = self._client.post(self._endpoint.url, content=content, headers=headers)
        except httpx.HTTPError as fault:
            reason = clean(f"webhook not reached: {fault or type(fault).__name__}", REASON_LENGTH)
            return Outcome("failed", reason, is_retryable=True, is_unusable=True), 0.0
        if answer.is_success:
            return SENT, 0.0
        is_retryable = answer.status_code in TRY_AGAIN or answer.status_code >= 500
        reason = clean(f"webhook answered {answer.status_code}: {answer.text}", REASON_LENGTH)
        return Outcome("failed", reason, is_retryable), _seconds(answer.headers.get("retry-after"))


def _event(item: Item) -> dict[str, Any]:
    kind = item.topic if item.cause in (None, item.topic) else f"{item.topic}.{item.cause}"
    return {"type": kind, **_known(item)}


def _known(values: Item | Recipient) -> dict[str, Any]:
    """Its fields as plain JSON values, without those that are not known."""
    names = (field.name for field in fields(values) if field.name != "kind")
    found = ((name, getattr(values, name)) for name in names)
    return {name: _plain(value) for name, value in found if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _seconds(retry_after: str | None) -> float:
    """How long a receiver asks to wait; a date instead of seconds is left to the backoff."""
    return float(retry_after) if retry_after and retry_after.isdigit() else 0.0
