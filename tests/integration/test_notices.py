"""Who is told what, over real nights: subscriptions, substitutes, hand-overs, one notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql

from customer_tiers import settings
from customer_tiers.digest import gather
from customer_tiers.digest.render import render
from customer_tiers.outbox import rows
from customer_tiers.publish import publication
from helpers.warehouse import Warehouse

FIRST, NEXT = date(2025, 6, 30), date(2025, 7, 1)

CHAIN = (
    *("int_digests_scheduled", "int_changes_netted", "int_readers_found", "int_audiences_found"),
    *("int_news_gathered", "int_news_addressed", "digest_item", "digest_recipient"),
)
"""The models that decide who is told what, in their order."""

COMPANY = ("fallback", "sales_director", "credit_controller", "system")
PEOPLE = ("anna", "bob", "cleo", "dan", "eve")


def customers(owners: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {"customer_id": f"C{n:02}", "name": f"Customer {n:02}", "account_manager_id": owners.get(n)}
        for n in range(1, 21)
    ]


def sales() -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": f"I{n:02}-{month}",
            "line_no": 1,
            "customer_id": f"C{n:02}",
            "product_id": "P",
            "invoice_date": date(2025, month, 15),
            "document_type": "invoice",
            "quantity": 1,
            "net_amount": Decimal(100 * n),
            "cost_amount": Decimal(50 * n),
        }
        for n in range(1, 21)
        for month in (1, 2, 6)
    ]


def person(owner_id: str, manager_id: str | None = None, **values: Any) -> dict[str, Any]:
    known = {"name": owner_id.title(), "email": f"{owner_id}@example.com", "locale": "en"}
    return known | {"owner_id": owner_id, "manager_id": manager_id, "active": True} | values


@pytest.fixture(scope="module")
def warehouse(cluster: Any) -> Iterator[Warehouse]:
    """Two nights: on the second, C01 rises, C02 was handed over, and bob has left."""
    name = "test_notices"
    cluster.drop_database(name)
    found = Warehouse(cluster.ensure_database(name))
    owners = {1: "anna", 2: "bob", 3: "bob"}
    people = [person("anna", "boss"), person("bob", "boss"), person("boss")]
    found.load(
        erp_customers=customers(owners),
        erp_products=[
            {"product_id": "P", "name": "Gas", "category": "Gas", "standard_cost": Decimal(1)}
        ],
        erp_invoice_lines=sales(),
        crm_owners=people,
    )
    found.build(str(FIRST))
    publish(found, FIRST)
    rise = {**sales()[0], "invoice_id": "big", "net_amount": Decimal(99_000), "invoice_date": NEXT}
    risen = {**rise, "invoice_id": "bigger", "customer_id": "C03"}
    found.load(
        erp_customers=customers(owners | {2: "anna"}),
        erp_invoice_lines=[*sales(), rise, risen],
        crm_owners=[people[0], person("bob", "boss", active=False), people[2]],
    )
    found.build(str(NEXT))
    yield found
    cluster.drop_database(name)


def publish(warehouse: Warehouse, day: date) -> str:
    night = publication.Night(f"test_{day}", "test", day, "EUR")
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        publication.ensure_reader(connection)
        return publication.publish(connection, night)


def told(warehouse: Warehouse) -> set[tuple[str, str, str, str, str]]:
    return {
        (row.kind, row.recipient_id, item.role or "", item.topic, item.customer_id)
        for row in messages(warehouse)
        for item in row.digest.items
    }


def messages(warehouse: Warehouse) -> list[rows.OutboxRow]:
    with psycopg.connect(warehouse.url) as connection:
        return rows.list_(connection)


def test_a_night_is_told_to_owners_as_of_tonight_their_substitutes_and_managers(
    warehouse: Warehouse,
) -> None:
    assert messages(warehouse) == [], "the first night has no night to compare with"
    assert publish(warehouse, NEXT).endswith("2 messages for the outbox")
    assert told(warehouse) == {
        ("daily", "anna", "owner", "tier_change", "C01"),
        ("daily", "anna", "owner", "hand_over", "C02"),
        ("daily", "boss", "owner", "tier_change", "C03"),
        ("daily", "boss", "manager", "tier_change", "C01"),
    }
    (boss,) = [row for row in messages(warehouse) if row.recipient_id == "boss"]
    assert (boss.role, boss.digest.recipient.substitutes_for) == ("owner", "Bob")
    assert publish(warehouse, NEXT).endswith(" 0 rows written, 0 messages for the outbox")
    assert len(messages(warehouse)) == 2


def rebuild(connection: psycopg.Connection, first: str, but: tuple[str, ...] = ()) -> None:
    """Make the models from `first` on again, by the SQL that dbt compiled for them."""
    folder = settings.HOME / "dbt" / "test_notices" / "compiled" / "customer_tiers" / "models"
    for name in (name for name in CHAIN[CHAIN.index(first) :] if name not in but):
        (path,) = (p for p in folder.rglob(f"{name}.sql") if not p.parent.name.endswith(".yml"))
        table = sql.Identifier("candidate", name)
        connection.execute(sql.SQL("drop table {}").format(table))
        statement = f"create table candidate.{name} as {path.read_text()}"
        connection.execute(statement)  # type: ignore[call-overload]


def test_a_policy_switch_is_one_notice_per_person_not_an_alert_per_customer(
    warehouse: Warehouse,
) -> None:
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(
            "update candidate.int_customers_described set owner_id = 'anna', owner_name = 'Anna'"
        )
        connection.execute(
            "insert into candidate.tier_change (business_date, customer_id, from_tier, to_tier, "
            "direction, cause, reason_code, policy_id, contribution_12m, contribution_12m_change) "
            "select %s, customer_id, 'low', 'regular', 'up', 'policy', 'policy_changed', 'p', 5, 1 "
            "from candidate.int_customers_described where customer_id not in ('C01', 'C03')",
            [NEXT],
        )
        rebuild(connection, "int_digests_scheduled")
        digests = list(gather.digests(connection, None, NEXT))
        connection.rollback()
    parts = [part for digest in digests for part in digest.parts]
    notices = [part for part in parts if part.kind == "policy_notice"]
    assert sorted(d.recipient_id for d in notices) == ["anna", "boss"]
    assert all(d.recipient.customers == 18 for d in notices)
    news = [i for d in parts if d.kind == "daily" for i in d.items]
    # Tonight's falls wait, as they were decided; where another policy decides, none does.
    dailies = {i.customer_id for i in news if i.topic != "about_to_fall"}
    assert dailies <= {"C01", "C02", "C03"}


STAFF = st.fixed_dictionaries(
    {
        name: st.tuples(st.sampled_from([None, *PEOPLE, "gone"]), st.booleans(), st.booleans())
        for name in PEOPLE
    }
)
"""Person -> manager, still there, has an address."""

BOOKS = st.lists(st.sampled_from([None, "erp_only", *PEOPLE]), min_size=1, max_size=6)
"""Owner of each customer."""

NEWS = st.sets(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["owner", "manager", *COMPANY]),
        st.sampled_from(["tier_change", "risk"]),
    ),
    max_size=12,
)


@pytest.mark.soak
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(staff=STAFF, books=BOOKS, news=NEWS)
def test_nobody_reads_about_another_owners_customer(
    warehouse: Warehouse,
    staff: dict[str, tuple[str | None, bool, bool]],
    books: list[str | None],
    news: set[tuple[int, str, str]],
) -> None:
    news = {(n, role, topic) for n, role, topic in news if n < len(books)}
    with psycopg.connect(warehouse.url) as connection:
        fill(connection, staff, books, news)
        rebuild(connection, "int_readers_found", but=("int_news_gathered",))
        digests = list(gather.digests(connection, None, NEXT))
        connection.rollback()
    names = [f"Customer <{n}>" for n in range(len(books))]
    for digest in digests:
        about = {int(item.customer_id) for item in digest.items}
        for n in about:
            assert digest.recipient_id in may_read(staff, books[n]), (digest.recipient_id, n)
        text = render(digest).text
        assert all(name not in text for n, name in enumerate(names) if n not in about)
    for n, role, topic in news:
        reader, _ = readers(staff, books[n])
        if role == "owner" and reader:
            mine = [d for d in digests if d.recipient_id == reader]
            assert [(str(n), topic)] == [
                (item.customer_id, item.topic)
                for digest in mine
                for item in digest.items
                if (item.customer_id, item.topic) == (str(n), topic)
            ]


def readers(
    staff: dict[str, tuple[str | None, bool, bool]], owner: str | None
) -> tuple[str | None, str | None]:
    """Who reads for an owner, and who is the next above."""
    above: list[str] = []
    name = owner
    for _ in range(3):
        manager = staff[name][0] if name in staff else None
        if manager is None:
            break
        above.append(manager)
        name = manager
    there = [p for p in above[:2] if p in staff and staff[p][1] and staff[p][2]]
    manager = there[0] if there else None
    if owner in staff and staff[owner][1] and staff[owner][2]:
        return owner, manager
    return manager, manager


def may_read(staff: dict[str, tuple[str | None, bool, bool]], owner: str | None) -> set[str]:
    reader, manager = readers(staff, owner)
    company = {role for role in COMPANY if role != "fallback" or reader is None}
    return company | {name for name in (reader, manager) if name}


def fill(
    connection: psycopg.Connection,
    staff: dict[str, tuple[str | None, bool, bool]],
    books: list[str | None],
    news: set[tuple[int, str, str]],
) -> None:
    """Put a company into what the notices are made of."""
    connection.execute(
        "truncate raw.crm_owners, policy.digest_recipients, candidate.int_customers_described, "
        "candidate.int_digests_scheduled, ops.news_told"
    )
    cursor = connection.cursor()
    cursor.executemany(
        "insert into raw.crm_owners (owner_id, name, manager_id, active, email, _run_id) "
        "values (%s, %s, %s, %s, %s, 'test')",
        [
            (name, name, manager, is_there, f"{name}@example.com" if has_address else None)
            for name, (manager, is_there, has_address) in staff.items()
        ],
    )
    cursor.executemany(
        "insert into policy.digest_recipients values ('test', %s, %s, %s, 'mail', %s, 'en')",
        [(role, role, role, f"{role}@example.com") for role in COMPANY],
    )
    cursor.executemany(
        "insert into candidate.int_customers_described (customer_id, customer_name, owner_id) "
        "values (%s, %s, %s)",
        [(str(n), f"Customer <{n}>", owner) for n, owner in enumerate(books)],
    )
    cursor.executemany(
        "insert into candidate.int_digests_scheduled "
        "(role, kind, customers_shown, told_until, period_until) values (%s, 'daily', 3, %s, %s)",
        [(role, FIRST, NEXT) for role in ("owner", "manager", *COMPANY)],
    )
    connection.execute("truncate candidate.int_news_gathered")
    cursor.executemany(
        "insert into candidate.int_news_gathered "
        "(customer_id, role, topic, cause, kind, section, since, amount_at_stake, direction, "
        "from_tier, to_tier) values (%s, %s, %s, %s, 'daily', 'main', %s, %s, %s, %s, %s)",
        [
            (
                *(str(n), role, topic, "own_change" if topic == "tier_change" else "bad"),
                *(NEXT, n, *(("up", "low", "key") if topic == "tier_change" else (None,) * 3)),
            )
            for n, role, topic in sorted(news)
        ],
    )
