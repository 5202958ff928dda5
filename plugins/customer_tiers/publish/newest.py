"""Is a night the newest one? What readers and managers get depends on it."""

from __future__ import annotations

from datetime import date

import psycopg


def is_old(connection: psycopg.Connection, business_date: date) -> bool:
    """Whether a newer night than this one is published."""
    row = connection.execute(
        "select %s < max(business_date) from bi.publication where status = 'published'",
        [business_date],
    ).fetchone()
    return bool(row and row[0])
