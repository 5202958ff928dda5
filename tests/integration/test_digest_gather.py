"""Mails gathered from a warehouse: the banner, the month, the page, and the preview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from customer_tiers import settings
from customer_tiers.digest import gather, preview
from customer_tiers.digest.model import Check, Migration
from customer_tiers.errors import UserError

NIGHT = date(2026, 9, 30)

TABLES = """
    create table candidate.digest_recipient (
        business_date date, kind text, recipient_id text, role text, recipient_name text,
        channel text, address text, locale text, customers integer
    );
    create table candidate.digest_item (
        business_date date, kind text, recipient_id text, role text, customer_id text,
        owner_id text, topic text, cause text, section text, customer_rank integer,
        is_shown boolean, from_tier text, to_tier text, direction text
    );
    create table candidate.digest_customer (
        business_date date, customer_id text, next_better_tier text
    );
    create table candidate.tier_decision (
        business_date date, customer_id text, tier text, amount_to_keep numeric(18, 2)
    );
    create table bi.tier_decision (
        business_date date, customer_id text, tier text, contribution_12m numeric(18, 2),
        restated_12m numeric(18, 2)
    );
    create table bi.pyramid_health (
        business_date date, tier text, tier_rank integer, customers integer,
        contribution_12m numeric(18, 2), contribution_share numeric(14, 10)
    );
    create table candidate.tier (policy_id text, tier text, name_en text, name_zh text);
"""

ROWS = """
    insert into bi.publication (
        run_id, source, business_date, status, is_stale, base_currency, policy_id,
        rows_quarantined, checks_not_met, missing_entities
    )
    values
        ('aug', 'mine', '2026-08-31', 'published', false, 'CNY', 'old', 0, 0, null),
        ('28th', 'mine', '2026-09-28', 'published', false, 'CNY', 'old', 0, 0, null),
        ('29th', 'mine', '2026-09-29', 'refused', false, null, null, null, null, null),
        ('again', 'mine', '2026-09-29', 'refused', false, null, null, null, null, null),
        ('tonight', 'mine', '2026-09-30', 'published', false, 'CNY', 'new', 3, 1,
         'crm.cases, crm.surveys');
    insert into candidate.digest_recipient values
        ('2026-09-30', 'daily', 'O1', 'owner', '王丽', 'mail', 'wang@example.com', 'zh_CN', 1),
        ('2026-09-30', 'monthly', 'O1', 'owner', '王丽', 'mail', 'wang@example.com', 'zh_CN', 1),
        ('2026-09-29', 'daily', 'O9', 'owner', 'Old', 'mail', 'old@example.com', 'en', 1);
    insert into candidate.digest_item values
        ('2026-09-30', 'daily', 'O1', 'owner', 'C1', 'O1', 'tier_change', 'own_change', 'main', 1,
         true, 'low', 'key', 'up'),
        ('2026-09-30', 'daily', 'O1', 'owner', 'C2', 'O1', 'tier_change', 'own_change', 'main',
         1001, false, 'low', 'key', 'up'),
        ('2026-09-30', 'monthly', 'O1', 'owner', 'C1', 'O1', 'tier_change', 'own_change', 'main',
         1, true, 'low', 'key', 'up');
    insert into candidate.digest_customer values ('2026-09-30', 'C1', 'key');
    insert into candidate.tier_decision values ('2026-09-30', 'C1', 'key', 7.50);
    insert into bi.tier_decision values
        ('2026-08-31', 'C1', 'low', 10, 0), ('2026-08-31', 'C2', 'key', 20, 0),
        ('2026-09-30', 'C1', 'key', 15, -1), ('2026-09-30', 'C2', 'key', 25, 0),
        ('2026-09-30', 'C3', 'new', 1, null);
    insert into bi.pyramid_health values
        ('2026-08-31', 'key', 1, 1, 20, 0.6), ('2026-08-31', 'low', 2, 1, 10, 0.4),
        ('2026-09-30', 'key', 1, 2, 40, 0.9), ('2026-09-30', 'new', null, 1, 1, null);
    insert into ops.run (run_id, state, repeats) values
        ('first', 'published', null), ('tonight', 'published', 'first');
    insert into ops.expectation_result
        (run_id, suite, expectation, column_name, severity, is_met, rows_failed, reason)
    values
        ('first', 'erp.invoice_lines', 'line_has_a_cost', null, 'warning', false, 7, 'none'),
        ('first', 'erp.invoice_lines', 'quarantined', null, 'critical', false, 3, 'bad'),
        ('first', 'erp.invoice_lines', 'met', null, 'warning', true, 0, 'fine'),
        ('28th', 'erp.invoice_lines', 'earlier', null, 'warning', false, 1, 'over');
    insert into candidate.tier values
        ('new', 'key', 'Gold', '金牌'), ('old', 'low', 'Tin', '锡牌');
"""

HISTORY = """
    insert into bi.customer_tier_history (
        customer_id, tier, tier_rank, policy_id, cause, valid_from, known_from, run_id
    )
    values (%s, 'any', %s, 'new', 'own_change', %s, '2026-09-30', 'tonight')
"""

FLAPS = {
    "up and down": [(2, "2026-06-01"), (1, "2026-07-03"), (2, "2026-09-01")],
    "too slow": [(2, "2026-01-01"), (1, "2026-04-03"), (2, "2026-09-30")],
    "one way": [(3, "2026-06-01"), (2, "2026-08-01"), (1, "2026-09-01")],
    "was new between": [(2, "2026-06-01"), (1, "2026-08-01"), (None, "2026-08-09")],
    "later": [(2, "2026-06-01"), (1, "2026-09-20"), (2, "2026-10-01")],
}


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        schema = settings.PLUGINS / "customer_tiers" / "warehouse_schema.sql"
        for statement in (schema.read_text("utf-8"), TABLES, ROWS):
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
        for customer, held in FLAPS.items():
            for rank, since in held:
                connection.execute(HISTORY, [customer, rank, since])
        yield connection


def test_a_night_is_gathered_with_what_a_mail_says_beside_its_items(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PAGE_URL", "https://bi.example.com")
    [mail] = gather.digests(warehouse, "tonight", NIGHT)
    daily, monthly = mail.parts
    assert (daily.kind, daily.recipient_id, daily.base_currency) == ("daily", "O1", "CNY")
    assert [item.customer_id for item in daily.items] == ["C1"]  # the 1,001st is only counted
    assert daily.customers[0].amount_to_keep == Decimal("7.50")
    assert daily.customers[0].next_better_tier == "key"
    assert daily.tier_names == {"en": {"key": "Gold"}, "zh": {"key": "金牌"}}
    assert daily.page_url == "https://bi.example.com"
    assert daily.quality.compared_with == date(2026, 9, 28)
    assert daily.quality.policy_before == "old"
    assert daily.quality.nights_refused == 1
    assert daily.quality.rows_quarantined == 3
    assert daily.quality.checks == (Check("line_has_a_cost", 7),)  # of the run it repeats
    assert daily.quality.missing_entities == ("crm.cases", "crm.surveys")
    assert daily.review is None
    assert monthly.review is not None


def test_a_month_is_compared_with_the_last_night_before_it(warehouse: psycopg.Connection) -> None:
    [mail] = gather.digests(warehouse, "tonight", NIGHT)
    month = mail.review
    assert month is not None
    assert month.compared_with == date(2026, 8, 31)
    assert [(layer.tier, layer.customers, layer.customers_before) for layer in month.layers] == [
        ("key", 2, 1),
        ("new", 1, None),
    ]
    assert set(month.migrations) == {
        Migration("low", "key", 1, Decimal(15)),
        Migration("key", "key", 1, Decimal(25)),
        Migration(None, "new", 1, Decimal(1)),
    }
    assert (month.customers, month.customers_flapped, month.customers_restated) == (3, 1, 1)
    assert (month.nights_published, month.nights_refused) == (2, 1)


def test_rows_that_break_the_marts_promise_are_one_line(warehouse: psycopg.Connection) -> None:
    warehouse.execute("update candidate.digest_item set owner_id = 'O2'")
    with pytest.raises(UserError, match="'C1' of owner 'O2' would be mailed to 'O1'; mend"):
        list(gather.digests(warehouse, "tonight", NIGHT))


def test_news_for_nobody_stop_the_night(warehouse: psycopg.Connection) -> None:
    warehouse.execute("update candidate.digest_item set recipient_id = 'gone'")
    with pytest.raises(UserError, match="daily of 'gone' is not in digest_recipient; mend"):
        list(gather.digests(warehouse, "tonight", NIGHT))


def test_mails_are_made_one_at_a_time(warehouse: psycopg.Connection) -> None:
    warehouse.execute(
        "insert into candidate.digest_item (business_date, kind, recipient_id, role, customer_id, "
        "owner_id, topic, customer_rank) "
        "values ('2026-09-30', 'daily', 'O2', 'owner', 'C9', 'O3', 'risk', 1)"
    )
    warehouse.execute(
        "insert into candidate.digest_recipient values ('2026-09-30', 'daily', 'O2', 'owner', "
        "'Li', 'mail', 'li@example.com', 'en', 1)"
    )
    made = gather.digests(warehouse, "tonight", NIGHT)
    assert next(made).recipient_id == "O1"
    with pytest.raises(UserError, match="'C9' of owner 'O3' would be mailed to"):
        next(made)


def test_preview_finds_a_mail_by_id_name_or_address(
    warehouse: psycopg.Connection, tmp_path: Path
) -> None:
    for asked in ("O1", "王丽", "WANG@example.com"):
        assert preview.find(warehouse, asked).kind == "daily"
    assert preview.find(warehouse, "O1", locale="en").locale == "en"
    found = preview.find(warehouse, "o1", NIGHT, "monthly")
    for suffix, part in {
        ".html": "<h1",
        ".txt": "金字塔",
        ".csv": "\ufeff",
        ".eml": "To: =?utf-8?",
    }.items():
        preview.write(found, tmp_path / f"mail{suffix}", "tiers@example.com")
        assert part in (tmp_path / f"mail{suffix}").read_bytes().decode("utf-8")
    with pytest.raises(UserError, match=r"no weekly mail of 2026-09-30 for 'O1'; .*O1 \(daily\)"):
        preview.find(warehouse, "O1", kind="weekly")
    with pytest.raises(UserError, match="no mails of it"):
        preview.find(warehouse, "O1", date(2026, 8, 31))
    with pytest.raises(UserError, match="end it in"):
        preview.write(found, tmp_path / "mail.pdf", "tiers@example.com")
    with pytest.raises(UserError, match="No such file"):
        preview.write(found, tmp_path / "none" / "mail.txt", "tiers@example.com")
