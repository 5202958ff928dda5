"""What is due to one person in one night: one mail of parts, or a message each for a machine."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from customer_tiers.digest import gather
from customer_tiers.outbox import claims, fill, rows
from helpers.outbox import NIGHT, prepare, publish, tell


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        claims.show_alive(connection)
        yield connection


def test_a_part_that_changes_corrects_the_whole_mail(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C1", "O1", kind="weekly")
    publish(warehouse)
    warehouse.execute("update ops.outbox set state = 'sent'")
    warehouse.execute("delete from candidate.digest_item where kind = 'daily'")
    warehouse.execute("delete from candidate.digest_recipient where kind = 'daily'")
    assert publish(warehouse, "r2") == 1
    first, second = sorted(rows.list_(warehouse), key=lambda row: row.created_at)
    assert (second.kind, second.corrects) == ("weekly", first.outbox_key)


def test_mails_that_went_out_apart_need_no_correction(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C1", "O1", kind="weekly")
    for part in next(gather.digests(warehouse, "r1", NIGHT)).parts:
        fill.add(warehouse, part)
    warehouse.execute("update ops.outbox set state = 'sent'")
    assert publish(warehouse) == 0


def test_a_webhook_gets_a_message_of_each_kind(warehouse: psycopg.Connection) -> None:
    tell(warehouse, "C1", "O1")
    tell(warehouse, "C1", "O1", kind="weekly")
    warehouse.execute("update candidate.digest_recipient set channel = 'webhook'")
    assert publish(warehouse) == 2
    assert {row.kind for row in rows.list_(warehouse)} == {"daily", "weekly"}
