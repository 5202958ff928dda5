"""A month of the whole company, read from the published nights: pyramid, migration, flaps."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

from customer_tiers import settings
from customer_tiers.digest.model import Layer, Migration, Review

NIGHTS = """
    select
        count(distinct business_date) filter (where status = 'published') as published,
        count(distinct business_date) filter (where status = 'refused') as refused
    from bi.publication where business_date between %(first)s and %(day)s
"""

BEFORE = """
    select max(business_date) as night from bi.publication
    where status = 'published' and business_date < %(first)s
"""

LAYERS = """
    select
        now.tier, now.customers, now.contribution_12m, now.contribution_share,
        before.customers as customers_before,
        before.contribution_12m as contribution_12m_before
    from bi.pyramid_health as now
    left join bi.pyramid_health as before
        on before.tier = now.tier and before.business_date = %(before)s
    where now.business_date = %(day)s
    order by now.tier_rank nulls last
"""

MIGRATIONS = """
    select
        before.tier as from_tier, now.tier as to_tier, count(*) as customers,
        sum(now.contribution_12m) as contribution_12m
    from bi.tier_decision as now
    left join bi.tier_decision as before
        on before.customer_id = now.customer_id and before.business_date = %(before)s
    where now.business_date = %(day)s
    group by before.tier, now.tier
"""

CUSTOMERS = """
    select count(*) as customers, count(*) filter (where abs(restated_12m) >= 0.005) as restated
    from bi.tier_decision where business_date = %(day)s
"""

FLAPPED = """
    with moves as (
        select customer_id, valid_from, cause,
            sign(lag(tier_rank) over held - tier_rank) as way
        from bi.customer_tier_history
        where known_to is null and valid_from <= %(day)s
        window held as (partition by customer_id order by valid_from)
    ),
    turns as (
        select customer_id, valid_from, way,
            lag(way) over moved as way_before, lag(valid_from) over moved as moved_before
        from moves where way <> 0 and cause not in ('policy', 'override')
        window moved as (partition by customer_id order by valid_from)
    )
    select count(distinct customer_id) as customers from turns
    where way = -way_before and moved_before > %(day)s::date - %(days)s::integer
"""


def review(
    cursor: psycopg.Cursor[dict[str, Any]], business_date: date, first: date | None = None
) -> Review:
    """Return the time up to a published night, compared with the last night before it.

    Args:
        cursor: To the warehouse.
        business_date: The night.
        first: First day of the time; None takes that of the night's month.
    """
    key: dict[str, Any] = {
        "day": business_date,
        "first": first or business_date.replace(day=1),
        "days": settings.FLAP_DAYS,
    }
    key["before"] = _one(cursor, BEFORE, key)["night"]
    nights, counted = _one(cursor, NIGHTS, key), _one(cursor, CUSTOMERS, key)
    return Review(
        compared_with=key["before"],
        layers=tuple(Layer(**row) for row in cursor.execute(LAYERS, key).fetchall()),
        migrations=tuple(Migration(**row) for row in cursor.execute(MIGRATIONS, key).fetchall()),
        customers=counted["customers"],
        customers_flapped=_one(cursor, FLAPPED, key)["customers"],
        flap_days=settings.FLAP_DAYS,
        customers_restated=counted["restated"],
        nights_published=nights["published"],
        nights_refused=nights["refused"],
    )


def _one(cursor: psycopg.Cursor[dict[str, Any]], query: str, key: dict[str, Any]) -> dict[str, Any]:
    row = cursor.execute(query, key).fetchone()  # type: ignore[call-overload]
    return row or {}
