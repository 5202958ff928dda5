"""The sample company in two databases: it moves forward without trace, and keeps the contract."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import yaml

from customer_tiers import sample, settings
from customer_tiers.errors import UserError
from customer_tiers.sample.tables import CRM, ERP

SIZE: dict[str, Any] = {"customers": 300, "months": 16, "seed": 3}
EVE = date(2026, 6, 29)
ENTITIES = yaml.safe_load((settings.SOURCES / "contract.yml").read_text(encoding="utf-8"))[
    "entities"
]
FOLDER = settings.SOURCES / "sample"
TYPES = {
    "text": {"text"},
    "integer": {"int4", "int8"},
    "numeric": {"numeric"},
    "date": {"date"},
    "timestamp": {"timestamptz"},
    "boolean": {"bool"},
}
LINE_IN_EUR = """
select
    date_trunc('month', lines.invoice_date)::date as period,
    case lines.document_type when 'credit_note' then -1 else 1 end as sign,
    round(lines.net_amount * coalesce(rates.rate, 1), 2) as revenue,
    case
        when lines.cost_amount is null then round(lines.quantity * costs.unit_cost, 2)
        else round(lines.cost_amount * coalesce(rates.rate, 1), 2)
    end as cogs,
    round(coalesce(lines.freight_amount, 0) * coalesce(rates.rate, 1), 2) as freight
from ({lines}) as lines
left join sales_document as origins on origins.document_no::text = lines.original_invoice_id
left join lateral (
    select rate from ({rates}) as rates
    where
        rates.currency = lines.currency
        and rates.valid_from <= coalesce(origins.document_date, lines.invoice_date)
    order by rates.valid_from desc limit 1
) as rates on true
left join lateral (
    select unit_cost from ({costs}) as costs
    where
        costs.product_id = lines.product_id
        and costs.valid_from <= coalesce(origins.document_date, lines.invoice_date)
    order by costs.valid_from desc limit 1
) as costs on true
where lines.posted
"""


class Urls(NamedTuple):
    erp: str
    crm: str


@pytest.fixture(scope="module")
def databases(cluster: Any) -> Iterator[list[Urls]]:
    """Two pairs of empty databases."""
    names = [f"sample_{uuid.uuid4().hex[:10]}" for _ in range(4)]
    urls = [cluster.ensure_database(name) for name in names]
    yield [Urls(*urls[:2]), Urls(*urls[2:])]
    for name in names:
        cluster.drop_database(name)


@pytest.fixture(scope="module")
def company(databases: list[Urls]) -> Urls:
    """The company on the eve of the stories."""
    sample.create(*databases[0], **SIZE, through=EVE)
    return databases[0]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(query.encode()).fetchall()


def select(entity: str) -> str:
    return (FOLDER / f"{entity.replace('.', '/')}.sql").read_text(encoding="utf-8")


def url_of(urls: Urls, entity: str) -> str:
    return getattr(urls, entity.split(".")[0])


def contents(urls: Urls) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the order of their keys."""
    found = {}
    for url, tables in ((urls.erp, ERP), (urls.crm, CRM)):
        for name, table in tables.items():
            found[name] = rows(url, f"select * from {name} order by {', '.join(table.key)}")
    found["sample_company"] = rows(urls.erp, "select * from sample_company")
    return found


def ledger_gaps(erp: str) -> list[tuple[Any, ...]]:
    """Months and kinds in which the ledger and the posted lines differ by a cent or more."""
    lines = LINE_IN_EUR.format(
        lines=select("erp.invoice_lines"),
        rates=select("erp.fx_rates"),
        costs=select("erp.product_costs"),
    )
    return rows(
        erp,
        f"""
        with lines as ({lines}), sums as (
            select period, 'revenue' as account_kind, sum(sign * revenue) as total
            from lines group by period
            union all select period, 'cogs', sum(sign * cogs) from lines group by period
            union all select period, 'freight', sum(sign * freight) from lines group by period
        )
        select * from sums full join ({select("erp.gl_controls")}) as ledger
        using (period, account_kind) where ledger.amount is distinct from sums.total
        """,
    )


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_a_select_returns_the_contract(company, entity):
    spec = ENTITIES[entity]
    url = url_of(company, entity)
    with psycopg.connect(url) as connection:
        cursor = connection.execute(f"select * from ({select(entity)}) as extract".encode())
        types = {
            column.name: connection.adapters.types[column.type_code].name
            for column in cursor.description or ()
        }
        found = cursor.fetchall()
    assert found
    assert set(types) <= set(spec["columns"])
    left_out = {"erp.product_costs": {"currency"}, "erp.invoice_lines": {"line_kind"}}.get(
        entity, set()
    )
    assert set(types) == set(spec["columns"]) - left_out
    for place, (name, type_name) in enumerate(types.items()):
        column = spec["columns"][name]
        assert type_name in TYPES[column["type"]], name
        if not column.get("null", True):
            assert all(row[place] is not None for row in found), name
    keys = [list(types).index(name) for name in spec["key"]]
    assert len({tuple(row[key] for key in keys) for row in found}) == len(found)


def test_words_are_those_of_the_contract(company):
    words = {
        ("erp.customers", "status"): {"active", "blocked", "closed", "internal"},
        ("erp.invoice_lines", "document_type"): {"invoice", "credit_note"},
        ("erp.orders", "status"): {"open", "shipped", "cancelled"},
        ("erp.orders", "channel"): {"phone", "portal", "edi", "visit"},
        ("erp.gl_controls", "account_kind"): {"revenue", "cogs", "freight"},
        ("crm.activities", "kind"): {"call", "visit", "meeting", "mail", "event"},
        ("crm.activities", "contact_level"): {"staff", "manager", "executive"},
        ("crm.cases", "kind"): {"complaint", "question", "suggestion"},
        ("crm.cases", "severity"): {"low", "medium", "high"},
        ("crm.cases", "status"): {"open", "closed"},
        ("crm.surveys", "kind"): {"csat", "nps"},
        ("crm.owners", "locale"): {"en", "zh_CN"},
    }
    for (entity, column), allowed in words.items():
        query = f"select distinct {column} from ({select(entity)}) as extract"
        found = {word for (word,) in rows(url_of(company, entity), query)}
        assert found == allowed - ({"blocked"} - found), (entity, column)


def test_what_has_not_happened_is_not_there(company):
    """No day or moment of the past lies after the evening up to which the company is known."""
    ahead = {"requested_date", "due_date", "expected_close", "valid_from", "valid_to", "period"}
    ahead |= {"contract_until"}
    for entity, spec in ENTITIES.items():
        for name, column in spec["columns"].items():
            if column["type"] in ("date", "timestamp") and name not in ahead:
                query = f"select max({name}) from ({select(entity)}) as extract"
                ((latest,),) = rows(url_of(company, entity), query)
                found = latest.date() if column["type"] == "timestamp" else latest
                assert found <= EVE, (entity, name)


def test_references_lead_somewhere(company):
    for query in (
        "select 1 from sales_document_line left join sales_document using (document_no)"
        " where sales_document.document_no is null",
        "select 1 from sales_document left join debtor using (debtor_no)"
        " where debtor.debtor_no is null",
        "select 1 from sales_document left join sales_order using (order_no)"
        " where sales_document.order_no is not null and sales_order.order_no is null",
        "select 1 from sales_document_line as line left join sales_document_line as origin"
        " on origin.document_no = line.origin_document_no and origin.line_no = line.origin_line_no"
        " where line.origin_document_no is not null and origin.line_no is null",
        "select 1 from open_item left join sales_document using (document_no)"
        " where sales_document.document_no is null",
        "select 1 from debtor left join debtor as head on head.debtor_no = debtor.head_office_no"
        " where debtor.head_office_no is not null and head.debtor_no is null",
    ):
        assert rows(company.erp, query) == []
    for table in ("activity", "ticket", "survey", "deal"):
        query = f"select 1 from {table} left join account using (account_no) where title is null"
        assert rows(company.crm, query) == []
    customers = {number for (number,) in rows(company.erp, "select debtor_no from debtor")}
    linked = {
        number for (number,) in rows(company.crm, "select erp_no from account where erp_no > 0")
    }
    assert linked <= customers
    assert 0.7 < len(linked) / len(customers) < 0.95


def test_the_ledger_agrees_with_the_posted_lines_to_the_cent(company):
    assert ledger_gaps(company.erp) == []
    ((months,),) = rows(company.erp, "select count(*) from ledger_total")
    assert months == 16 * 3


@pytest.fixture(scope="module")
def advanced(company: Urls, databases: list[Urls]) -> tuple[Urls, Urls]:
    """The company 9 days later, once brought forward in steps and once created there."""
    for days in (1, 2, 9):
        sample.advance(*company, through=EVE + timedelta(days=days))
    sample.create(*databases[1], **SIZE, through=EVE + timedelta(days=9))
    return company, databases[1]


def test_brought_forward_equals_created_later(advanced):
    forward, created = (contents(urls) for urls in advanced)
    for name, expected in created.items():
        assert forward[name] == expected, name
    assert sample.current_day(advanced[0].erp) == EVE + timedelta(days=9)


def test_the_ledger_still_agrees_in_a_running_month(advanced):
    assert ledger_gaps(advanced[0].erp) == []


def test_an_evening_twice_changes_nothing(advanced):
    before = contents(advanced[0])
    counts = sample.advance(*advanced[0], through=EVE + timedelta(days=9))
    assert set(counts.values()) == {0}
    assert contents(advanced[0]) == before


def test_time_does_not_run_backwards(advanced):
    with pytest.raises(UserError, match="cannot go back to 2026-06-29"):
        sample.advance(*advanced[0], through=EVE)


def test_no_company_has_no_day(database):
    assert sample.current_day(database) is None
    with pytest.raises(UserError, match="holds none"):
        sample.advance(database, database, through=EVE)


def test_a_database_with_other_tables_is_left_alone(database):
    with psycopg.connect(database) as connection:
        connection.execute("create table payroll (person text)")
    with pytest.raises(UserError, match="payroll"):
        sample.create(database, database, **SIZE, through=EVE)
    assert rows(database, "select * from payroll") == []


def test_a_day_before_trading_is_refused(database):
    with pytest.raises(UserError, match="nothing to know on 2020-01-01"):
        sample.create(database, database, **SIZE, through=date(2020, 1, 1))


def test_the_folder_of_the_source_holds_every_entity():
    written = {f"{path.parent.name}.{path.stem}" for path in Path(FOLDER).glob("*/*.sql")}
    assert written == set(ENTITIES)
