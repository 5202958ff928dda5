"""Read what the mails of a night are about, from the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from customer_tiers import settings
from customer_tiers.digest import joined, month, policy_edit
from customer_tiers.digest.compose import COLUMNS, compose
from customer_tiers.digest.model import MONTHLY, Check, CustomerFacts, Digest, Quality, Review
from customer_tiers.errors import UserError
from customer_tiers.quality import results

PUBLICATION = """
    select * from bi.publication
    where status = 'published' and (run_id = %(run_id)s or %(run_id)s::text is null)
        and business_date = %(day)s
    order by published_at desc limit 1
"""

POLICY_ROWS = """
    select seed, row_key, values_before, values_now from candidate.int_policy_rows_compared
    order by seed, row_key
"""

BEFORE = """
    select business_date, policy_id from bi.publication
    where status = 'published' and business_date < %(day)s
    order by business_date desc, published_at desc limit 1
"""

REFUSED = """
    select count(distinct business_date) as nights from bi.publication as refused
    where status = 'refused' and business_date < %(day)s and business_date > %(before)s
"""

FIRST = "select min(business_date) as night from bi.publication where status = 'published'"

ITEMS = """
    select * from candidate.digest_item
    where business_date = %(day)s and kind = %(kind)s and recipient_id = %(recipient_id)s
        and customer_rank <= 1000
"""
"""Of a mail the first 1,000 customers."""

NOBODYS = """
    select kind, recipient_id from candidate.digest_item as item
    where business_date = %(day)s and not exists (
        select from candidate.digest_recipient as recipient
        where recipient.business_date = item.business_date and recipient.kind = item.kind
            and recipient.recipient_id = item.recipient_id
    )
    order by kind, recipient_id limit 1
"""

CUSTOMERS = """
    select * from candidate.digest_customer
    where business_date = %(day)s and customer_id = any(%(customers)s)
"""

Row = dict[str, Any]


def digests(
    connection: psycopg.Connection, run_id: str | None, business_date: date
) -> Iterator[Digest]:
    """Make the mails of a night whose candidates are built, one at a time, as `compose` does.

    Call it once the night's publication row is written, so in or after the publishing transaction.
    A night in which every customer is told of has some hundred thousand items, so those of one
    mail are read at a time.

    Args:
        connection: To the warehouse.
        run_id: The run that is being published; None takes the newest publication of the night.
        business_date: The night.

    Yields:
        Digests by recipient, one of all that is due, or for other channels than mail by kind.

    Raises:
        UserError: The marts break their promise, such as a customer in a stranger's mail.
    """
    key = {"day": business_date, "run_id": run_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        published = cursor.execute(PUBLICATION, key).fetchone() or {}
        recipients = _recipients(cursor, business_date)
        first_night = (cursor.execute(FIRST).fetchone() or {}).get("night")
        reviews: dict[date | None, Review] = {}
        quality = _quality(cursor, published, business_date)
        ladder = _ladder(cursor, published.get("policy_id"))
        for (_, channel), due in groupby(recipients, key=_reader):
            parts: list[Digest] = []
            for recipient in (_since(row, first_night) for row in due):
                items = cursor.execute(ITEMS, {**key, **recipient}).fetchall()
                first = recipient.get("period_from")
                if recipient["kind"] == MONTHLY and first not in reviews:
                    reviews[first] = month.review(cursor, business_date, first)
                try:
                    parts += compose(
                        [recipient],
                        items,
                        _facts(cursor, items, business_date),
                        business_date=business_date,
                        quality=quality,
                        review=reviews.get(first),
                        base_currency=published.get("base_currency"),
                        source=published.get("source"),
                        run_id=run_id,
                        page_url=settings.PAGE_URL,
                        tier_names=ladder,
                    )
                except ValueError as error:
                    raise UserError(f"{error}; mend the model and publish again") from error
            if joined.is_joined(channel):
                yield joined.join(parts)
            else:
                yield from parts


def _recipients(cursor: psycopg.Cursor[Row], business_date: date) -> list[Row]:
    """Return the recipients of a night, by id, channel and kind; none before there is such a table.

    Raises:
        UserError: Something is told to somebody who is none of them.
    """
    if not _exists(cursor, "candidate.digest_recipient"):
        return []
    nobody = cursor.execute(NOBODYS, {"day": business_date}).fetchone()
    if nobody:
        raise UserError(
            f"digest_item: {nobody['kind']} of {nobody['recipient_id']!r} is not in "
            "digest_recipient; mend the model and publish again"
        )
    found = cursor.execute(
        "select * from candidate.digest_recipient where business_date = %s", [business_date]
    )
    return sorted(found, key=lambda row: (*_reader(row), row["kind"]))


def _reader(row: Row) -> tuple[str, str]:
    return row["recipient_id"], row.get("channel") or joined.CHANNEL


def _since(row: Row, first_night: date | None) -> Row:
    """Let a period begin after the first published night: nothing is known to change before it."""
    begins = row.get("period_from")
    if begins is None or first_night is None or begins > first_night:
        return row
    return {**row, "period_from": min(first_night + timedelta(days=1), row["period_until"])}


def _facts(cursor: psycopg.Cursor[Row], items: list[Row], day: date) -> list[Row]:
    """Return what is known of the customers that a mail shows, with the figures of their receipts.

    Of a receipt, which has some eighty columns, only those that a mail tells.
    """
    customers = [row["customer_id"] for row in items if row.get("is_shown") is not False]
    if not customers or not _exists(cursor, "candidate.digest_customer"):
        return []
    known = {
        row["customer_id"]: row
        for row in cursor.execute(CUSTOMERS, {"day": day, "customers": customers})
    }
    there = cursor.execute("select * from candidate.tier_decision limit 0").description or ()
    told = [column.name for column in there if column.name in COLUMNS[CustomerFacts]]
    receipts = sql.SQL("select {} from candidate.tier_decision where customer_id = any(%s)").format(
        sql.SQL(", ").join(map(sql.Identifier, told))
    )
    for receipt in cursor.execute(receipts, [list(known)]):
        facts = known[receipt["customer_id"]]
        facts.update({name: value for name, value in receipt.items() if name not in facts})
    return list(known.values())


def _ladder(cursor: psycopg.Cursor[Row], policy_id: str | None) -> list[Row]:
    if not _exists(cursor, "candidate.tier"):
        return []
    return cursor.execute(
        "select * from candidate.tier where policy_id = %s", [policy_id]
    ).fetchall()


def _policy_rows(cursor: psycopg.Cursor[Row]) -> tuple[str, ...]:
    if not _exists(cursor, "candidate.int_policy_rows_compared"):
        return ()
    return tuple(policy_edit.line(**row) for row in cursor.execute(POLICY_ROWS))


def _exists(cursor: psycopg.Cursor[Row], table: str) -> bool:
    found = cursor.execute("select to_regclass(%s) is not null as found", [table]).fetchone()
    return bool(found and found["found"])


def _checks(cursor: psycopg.Cursor[Row], run_id: str | None) -> tuple[Check, ...]:
    found = results.not_met(cursor.connection, run_id)
    return tuple(Check(check.expectation, check.rows_failed) for check in found)


def _quality(cursor: psycopg.Cursor[Row], published: Row, business_date: date) -> Quality:
    before = cursor.execute(BEFORE, {"day": business_date}).fetchone()
    refused = 0
    if before:
        key = {"day": business_date, "before": before["business_date"]}
        row = cursor.execute(REFUSED, key).fetchone()
        refused = row["nights"] if row else 0
    missing = published.get("missing_entities") or ""
    return Quality(
        compared_with=before["business_date"] if before else None,
        policy_before=before["policy_id"] if before else None,
        policy_rows=_policy_rows(cursor),
        nights_refused=refused,
        is_stale=bool(published.get("is_stale")),
        checks=_checks(cursor, published.get("run_id")),
        rows_quarantined=published.get("rows_quarantined") or 0,
        missing_entities=tuple(name.strip() for name in missing.split(",") if name.strip()),
    )
