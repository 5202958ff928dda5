"""Read what the mails of a night are about, from the warehouse."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from customer_tiers import settings
from customer_tiers.digest import month
from customer_tiers.digest.compose import COLUMNS, compose
from customer_tiers.digest.model import MONTHLY, CustomerFacts, Digest, Quality
from customer_tiers.errors import UserError

PUBLICATION = """
    select * from bi.publication
    where status = 'published' and (run_id = %(run_id)s or %(run_id)s::text is null)
        and business_date = %(day)s
    order by published_at desc limit 1
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

Row = dict[str, Any]


def digests(
    connection: psycopg.Connection, run_id: str | None, business_date: date
) -> list[Digest]:
    """Return the mails of a night whose candidates are built, as `compose` makes them.

    Call it once the night's publication row is written, so in or after the publishing transaction.

    Args:
        connection: To the warehouse.
        run_id: The run that is being published; None takes the newest publication of the night.
        business_date: The night.

    Raises:
        UserError: The marts break their promise, such as a customer in a stranger's mail.
    """
    key = {"day": business_date, "run_id": run_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        published = cursor.execute(PUBLICATION, key).fetchone() or {}
        recipients = _night(cursor, "digest_recipient", business_date)
        review = None
        if any(row["kind"] == MONTHLY for row in recipients):
            review = month.review(cursor, business_date)
        try:
            return compose(
                recipients,
                _night(cursor, "digest_item", business_date),
                _facts(cursor, business_date),
                business_date=business_date,
                quality=_quality(cursor, published, business_date),
                review=review,
                base_currency=published.get("base_currency"),
                source=published.get("source"),
                run_id=run_id,
                page_url=settings.PAGE_URL,
                tier_names=_ladder(cursor, published.get("policy_id")),
            )
        except ValueError as error:
            raise UserError(f"{error}; mend the model and publish again") from error


def _night(cursor: psycopg.Cursor[Row], table: str, business_date: date) -> list[Row]:
    """Return a candidate table's rows of a night, of a mail the first 1,000 customers.

    A table that is not there has none.
    """
    if not _exists(cursor, f"candidate.{table}"):
        return []
    statement = sql.SQL("select * from {} where business_date = %s {}").format(
        sql.Identifier("candidate", table),
        sql.SQL("and customer_rank <= 1000" if table == "digest_item" else ""),
    )
    return cursor.execute(statement, [business_date]).fetchall()


def _facts(cursor: psycopg.Cursor[Row], business_date: date) -> list[Row]:
    """Return what is known of the customers of the mails, with the figures of their receipts.

    Of a receipt, which has some eighty columns, only those that a mail tells.
    """
    customers = {
        row["customer_id"]: row for row in _night(cursor, "digest_customer", business_date)
    }
    if not customers:
        return []
    there = cursor.execute("select * from candidate.tier_decision limit 0").description or ()
    told = [column.name for column in there if column.name in COLUMNS[CustomerFacts]]
    receipts = sql.SQL("select {} from candidate.tier_decision where customer_id = any(%s)").format(
        sql.SQL(", ").join(map(sql.Identifier, told))
    )
    for receipt in cursor.execute(receipts, [list(customers)]):
        facts = customers[receipt["customer_id"]]
        facts.update({name: value for name, value in receipt.items() if name not in facts})
    return list(customers.values())


def _ladder(cursor: psycopg.Cursor[Row], policy_id: str | None) -> list[Row]:
    if not _exists(cursor, "policy.tier_ladder"):
        return []
    return cursor.execute(
        "select * from policy.tier_ladder where policy_id = %s", [policy_id]
    ).fetchall()


def _exists(cursor: psycopg.Cursor[Row], table: str) -> bool:
    found = cursor.execute("select to_regclass(%s) is not null as found", [table]).fetchone()
    return bool(found and found["found"])


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
        nights_refused=refused,
        is_stale=bool(published.get("is_stale")),
        checks_not_met=published.get("checks_not_met") or 0,
        rows_quarantined=published.get("rows_quarantined") or 0,
        missing_entities=tuple(name.strip() for name in missing.split(",") if name.strip()),
    )
