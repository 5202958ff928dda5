"""Sources that change under us: deletions, wrong clocks, clock changes, new and lost columns, bad
rows, and a loader that is killed at any step.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from customer_tiers import connections, contract, night, quality, quarantine_replay, settings
from customer_tiers.errors import UserError
from customer_tiers.load import entity as loader
from customer_tiers.load import tables
from customer_tiers.quality import stewardship, suites
from customer_tiers.sources import postgres as source_postgres
from customer_tiers.sources.extract import Window
from helpers import small_company
from helpers.small_company import Night

SEEDS = 50
LINES = contract.load().entities["erp.invoice_lines"]
KILLED = 86
CHECK = quality.check_entity

CHANGES = (
    "update invoice_lines set net_amount = net_amount + 1, updated_at = '{at}' "
    "where left(invoice_id, 3) = 'I{n:02}'",
    "insert into invoice_lines select 'N{seed}', 1, customer_id, product_id, invoice_date, "
    "document_type, quantity, net_amount, '{at}' from invoice_lines where invoice_id = 'I010'",
    "update invoice_lines set quantity = -quantity, updated_at = '{at}' "
    "where invoice_id = 'I{n:02}0'",
    "delete from invoice_lines where invoice_id = 'I{n:02}1'",
    "delete from invoice_lines where quantity < 0 and invoice_id < 'I{n:02}'",
    "insert into customers values ('X{seed}', 'New {seed}', '{at}')",
)


def check_with_wide_limits(
    url: str, entity: contract.Entity, **options: date
) -> list[quality.Outcome]:
    """Great Expectations as in any night, but a bad row more never stops the load of so few."""
    return [
        replace(outcome, rule=replace(outcome.rule, limit_rows=1000))
        for outcome in CHECK(url, entity, **options)
    ]


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def shop(cluster, sources) -> Iterator[Night]:
    with pytest.MonkeyPatch.context() as patch:
        folder = sources
        (folder / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
        patch.setattr(settings, "SOURCES", folder)
        url = cluster.ensure_database("killed_erp")
        patch.setenv("AIRFLOW_CONN_ERP", url)
        patch.setattr(loader.quality, "check_entity", check_with_wide_limits)
        small_company.fill_database(url)
        for name in ("killed", "clean"):
            small_company.describe(folder, name, {"kind": "sql", "connection": "erp"})
        suites.of_entity(LINES)  # imports what a child must not import
        company = Night("killed")
        company.load()
        yield company
    for name in ("killed_erp", "warehouse_killed", "warehouse_clean"):
        cluster.drop_database(name)


def content(company: Night) -> list[tuple]:
    """Every byte of raw that the source decides, and what waits."""
    return [
        company.query(f"select encode(convert_to(r::text, 'UTF8'), 'hex') from ({query}) as r")
        for query in (
            *(
                f"select {', '.join(e.column_names)} from raw.{e.table} order by {', '.join(e.key)}"
                for e in contract.load().entities.values()
                if e.system == "erp"
            ),
            "select entity, row_key, rule, row_data from quarantine.rows "
            "where resolved_run is null order by 1, 2, 3",
        )
    ]


def load(company: Night, run_date: date = small_company.DAY, **accepted: bool) -> list[str]:
    """Load the ERP as a night does once it has begun."""
    run = company.run(**{"accept_deletions": True, **accepted})
    return night.load(replace(run, run_date=run_date, business_date=run_date), "erp")


def statements(work) -> int:
    """How many statements a load sends, counted where a kill would strike."""
    count = 0
    execute = psycopg.Connection.execute

    def counting(self, *arguments, **options):
        nonlocal count
        count += 1
        return execute(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", counting)
        work()
    return count


def load_and_die(company: Night, at: int) -> int:
    """Load in a child that ends before its statement number `at`; return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = at
    execute = psycopg.Connection.execute

    def deadly(self, *arguments, **options):
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(KILLED)
        return execute(self, *arguments, **options)

    try:
        psycopg.Connection.execute = deadly
        load(company)
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{error}\n")
        os._exit(1)


@contextmanager
def changed(breaking: str, mending: str) -> Iterator[None]:
    """Change the source for a while; the next load brings it back."""
    source(breaking)
    try:
        yield
    finally:
        source(mending)


def source(statement: str) -> None:
    """Change the source."""
    with psycopg.connect(os.environ["AIRFLOW_CONN_ERP"]) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def lines_in_raw(company: Night, where: str) -> list[tuple]:
    return company.query(
        f"select invoice_id, net_amount from raw.erp_invoice_lines where {where} order by 1"
    )


def test_p18_a_row_deleted_at_a_source_read_by_cursor_goes_and_comes_back(shop):
    keep = "create table kept as select * from invoice_lines where invoice_id = 'I201'"
    back = "insert into invoice_lines select * from kept; drop table kept"
    with changed(f"{keep}; delete from invoice_lines where invoice_id = 'I201'", back):
        said = load(shop)
        assert any("2025-11 differed from the source and was read again" in line for line in said)
        assert lines_in_raw(shop, "invoice_id = 'I201'") == []
        assert shop.query("select 1 from ops.dirty_day where key_id = 'C20'")
        assert shop.query("select 1 from ops.load_ledger where kind = 'reconcile'")
    load(shop)  # its change time is long past: only the month's count shows that it is back
    assert lines_in_raw(shop, "invoice_id = 'I201'") == [("I201", 2000)]
    assert not any("differed" in line for line in load(shop))


def test_p18_a_row_of_an_entity_without_months_goes_and_comes_back(shop):
    """Customers have no day, so all of them are counted, and read again if their number differs."""
    source("insert into customers values ('C98', 'New', '2026-03-20 00:00+00')")
    load(shop)
    keep = "create table kept as select * from customers where customer_id = 'C98'"
    back = "insert into customers select * from kept; drop table kept"
    with changed(f"{keep}; delete from customers where customer_id = 'C98'", back):
        source("update customers set updated_at = '2026-03-23 00:00+00' where customer_id = 'C01'")
        said = load(shop)
        assert any("erp.customers: the number of rows differed" in line for line in said)
        assert any("erp.customers (reconcile): 20 read, 0 new" in line for line in said)
        assert shop.query("select 1 from raw.erp_customers where customer_id = 'C98'") == []
    load(shop)
    assert shop.query("select name from raw.erp_customers where customer_id = 'C98'")
    source("delete from customers where customer_id = 'C98'")
    load(shop)
    assert not any("differed" in line for line in load(shop))


def test_p18_a_row_that_waits_and_is_then_deleted_at_the_source_goes(shop):
    """Its last good version stays in raw while it waits, and goes with it."""
    keep = "create table kept as select * from invoice_lines where invoice_id = 'I180'"
    bad = "update invoice_lines set quantity = -1, updated_at = '2026-03-27 06:00+00'"
    back = "insert into invoice_lines select * from kept; drop table kept"
    waits = "select 1 from bi.stewardship where row_key = 'I180|1'"
    with changed(f"{keep}; {bad} where invoice_id = 'I180'", back):
        load(shop)
        assert lines_in_raw(shop, "invoice_id = 'I180'") == [("I180", 1800)]
        assert shop.query(waits)
        source("delete from invoice_lines where invoice_id = 'I180'")
        load(shop)
        assert lines_in_raw(shop, "invoice_id = 'I180'") == []
        assert shop.query(waits) == []
    load(shop)
    assert lines_in_raw(shop, "invoice_id = 'I180'") == [("I180", 1800)]


def test_what_arrives_while_we_read_belongs_to_the_next_night(shop, monkeypatch):
    """All is read as of one moment: counted, or read with what it refers to, or not there yet."""
    newest = source_postgres.PostgresExtract.newest_change
    is_new = True

    def arriving(extract):
        nonlocal is_new
        found = newest(extract)
        if is_new:
            source(
                "insert into customers values ('C96', 'New', '2026-03-28 00:00+00'); "
                "insert into invoice_lines select 'N96', 1, 'C96', 'P1', '2025-10-20', 'invoice', "
                "1, 5, '2026-03-28 00:00+00'"
            )
            is_new = False
        return found

    monkeypatch.setattr(source_postgres.PostgresExtract, "newest_change", arriving)
    said = load(shop)
    assert not any("differed" in line for line in said), said
    assert any("erp.invoice_lines: " in line and " 0 quarantined" in line for line in said)
    assert lines_in_raw(shop, "invoice_id = 'N96'") == []
    load(shop)
    assert lines_in_raw(shop, "invoice_id = 'N96'") == [("N96", 5)]
    source("delete from invoice_lines where invoice_id = 'N96'")
    source("delete from customers where customer_id = 'C96'")
    load(shop)
    assert lines_in_raw(shop, "invoice_id = 'N96'") == []


def test_a_difference_that_is_known_is_not_read_again(shop, sources):
    """A SELECT that gives a row twice has a line more than raw, whatever else comes and goes."""
    query = sources / "killed" / "erp" / "invoice_lines.sql"
    plain = query.read_text()
    query.write_text(f"{plain} union all {plain} where invoice_id = 'I100'")
    load(shop)  # whole, since the SELECT is another
    assert any("2025-10 differed" in line for line in load(shop))
    assert not any("differed" in line for line in load(shop))
    new = "select 'N98', 1, 'C01', 'P1', date '2025-10-20', 'invoice', 1, 5, timestamptz '{}'"
    source(f"insert into invoice_lines {new.format('2026-03-27 12:00+00')}")
    said = load(shop)
    assert lines_in_raw(shop, "invoice_id = 'N98'") == [("N98", 5)]
    assert not any("differed" in line for line in said)
    source("delete from invoice_lines where invoice_id = 'N98'")
    assert any("2025-10 differed" in line for line in load(shop))
    assert lines_in_raw(shop, "invoice_id = 'N98'") == []
    query.write_text(plain)
    load(shop)
    assert not any("differed" in line for line in load(shop))


def test_p17_a_row_changed_by_a_clock_that_is_wrong_is_found_by_its_month(shop):
    stamp = "updated_at = '2020-01-01 00:00+00' where invoice_id = 'I191'"
    with changed(
        f"update invoice_lines set net_amount = 7, {stamp}",
        f"update invoice_lines set net_amount = 1900, {stamp}",
    ):
        load(shop)
        assert lines_in_raw(shop, "invoice_id = 'I191'") == [("I191", 7)]
    load(shop)
    assert lines_in_raw(shop, "invoice_id = 'I191'") == [("I191", 1900)]


def test_p18_a_row_gone_from_a_file_read_by_cursor_goes_too(shop, sources, cluster, tmp_path):
    """Amounts stand there with a decimal comma, so that their sums must be read like their rows."""
    rows_sent = [
        row | {"net_amount": f"{row['net_amount']},5", "quantity": row["quantity"]}
        for row in small_company.lines()
    ]
    small_company.fill_folder(tmp_path)
    small_company.write_csv(tmp_path / "invoice_lines.csv", rows_sent)
    small_company.describe(sources, "drops", {"kind": "files", "path": str(tmp_path)})
    drops = Night("drops")
    load_first, again = drops.load(), load(drops)
    assert any("erp.invoice_lines: 120 read, 120 new" in line for line in load_first)
    assert not any("differed" in line for line in again)
    left = [row for row in rows_sent if row["invoice_id"] != "I201"]
    for row in left:
        if row["invoice_id"] == "I191":
            row |= {"net_amount": "7,5", "updated_at": "2020-01-01 00:00+00"}
    small_company.write_csv(tmp_path / "invoice_lines.csv", left)
    assert any(
        "2025-11 differed from the source and was read again" in line for line in load(drops)
    )
    assert lines_in_raw(drops, "invoice_id in ('I191', 'I201')") == [("I191", Decimal("7.5"))]
    cluster.drop_database("warehouse_drops")


def test_months_are_compared_as_often_as_the_source_says(shop, sources):
    described = sources / "killed" / "source.yml"
    plain = described.read_text()
    keep = "create table kept as select * from invoice_lines where invoice_id = 'I201'"
    back = "insert into invoice_lines select * from kept; drop table kept"
    described.write_text(plain.replace("kind: sql", "kind: sql\n    reconcile_days: 7"))
    load(shop)
    with changed(f"{keep}; delete from invoice_lines where invoice_id = 'I201'", back):
        for days, is_there in ((6, True), (7, False)):
            load(shop, small_company.DAY + timedelta(days=days))
            assert bool(lines_in_raw(shop, "invoice_id = 'I201'")) == is_there
    described.write_text(plain)
    load(shop)
    assert lines_in_raw(shop, "invoice_id = 'I201'") == [("I201", 2000)]


@pytest.mark.parametrize(
    ("night_of", "moments"),
    [
        (date(2026, 3, 29), ["01:59", "02:30", "03:00"]),
        (date(2026, 10, 25), ["01:59", "02:30", "02:30", "02:10", "03:00"]),
    ],
    ids=["an hour is missing", "an hour comes twice"],
)
def test_p16_no_change_is_missed_in_a_night_in_which_the_clock_changes(
    shop, sources, night_of, moments
):
    """Change times without a zone, as a clock in Berlin shows them, and a load after each."""
    query = sources / "killed" / "erp" / "invoice_lines.sql"
    plain = query.read_text()
    columns = "invoice_id, line_no, customer_id, product_id, invoice_date, document_type, quantity"
    query.write_text(
        f"select {columns}, net_amount, updated_at at time zone 'Europe/Berlin' as updated_at "
        "from invoice_lines"
    )
    kind = "alter table invoice_lines alter updated_at type"
    zone = "using updated_at at time zone 'Europe/Berlin'"
    with changed(f"{kind} timestamp {zone}", f"{kind} timestamptz {zone}"):
        for number, moment in enumerate(moments):
            source(
                f"update invoice_lines set net_amount = {1000 + number}, "
                f"updated_at = '{night_of} {moment}' where invoice_id = 'I{number + 10}5'"
            )
            load(shop, night_of)
            (found,) = lines_in_raw(shop, f"invoice_id = 'I{number + 10}5'")
            assert found[1] == 1000 + number
    query.write_text(plain)
    source(
        "update invoice_lines set updated_at = '2026-03-27 00:00+00', "
        "net_amount = 100 * substr(invoice_id, 2, 2)::int where invoice_id ~ '^I1[0-4]5$'"
    )
    with psycopg.connect(connections.warehouse("killed")) as warehouse:
        warehouse.execute("delete from ops.watermark")
    load(shop)


def test_a_select_that_was_changed_is_read_whole_and_compared(shop, sources):
    query = sources / "killed" / "erp" / "customers.sql"
    plain = query.read_text()
    one_more = "union all select 'C99', 'Found later', timestamptz '2020-01-01 00:00+00'"
    query.write_text(f"{plain} {one_more}")
    assert "erp.customers: its SELECT is another, so it is read whole and compared" in load(shop)
    assert shop.query("select name from raw.erp_customers where customer_id = 'C99'")
    assert not any("is another" in line for line in load(shop))
    query.write_text(plain)
    assert any("erp.customers: 20 read, 0 new, 0 changed, 1 deleted" in line for line in load(shop))
    assert shop.query("select name from raw.erp_customers where customer_id = 'C99'") == []


def test_a_new_column_is_kept_aside_and_reported_once(shop):
    add = "alter table invoice_lines add column note text default 'x'"
    with changed(add, "alter table invoice_lines drop column note"):
        said = load(shop)
        assert any("column note is new and not in the contract" in line for line in said)
        [(rule, owner)] = shop.query(
            "select rule, owner from bi.stewardship where row_key = 'note'"
        )
        assert (rule, bool(owner)) == ("unknown_column", True)
        assert not any("column note" in line for line in load(shop))
    load(shop)
    assert shop.query("select 1 from bi.stewardship where row_key = 'note'") == []


def test_a_lost_or_renamed_column_stops_the_source_until_somebody_accepts_it(shop):
    source("alter table invoice_lines add column freight_amount numeric default 1")
    load(shop)
    before = content(shop)
    source("alter table invoice_lines rename freight_amount to freight")
    with pytest.raises(UserError) as caught:
        load(shop)
    for word in ("erp.invoice_lines", "column freight_amount", "new there: freight", "--accept-"):
        assert word in str(caught.value)
    assert content(shop) == before
    source("alter table invoice_lines drop column freight")
    load(shop, accept_drift=True)
    load(shop)


def test_a_retyped_column_stops_the_source_until_somebody_accepts_it(shop):
    """Customer numbers that become decimal numbers are others: 10 turns into 10.0."""
    retype = "alter table customers alter customer_id type"
    source("insert into customers values ('C97', 'New', '2026-03-20 00:00+00')")
    load(shop)
    source(f"{retype} varchar(40)")  # holds the same values
    load(shop)
    before = content(shop)
    number = "using replace(replace(customer_id, 'X', '100'), 'C', '')::numeric"
    with changed(
        "create table kept as table customers; delete from customers where customer_id = 'C97'; "
        f"{retype} numeric(10, 0) {number}",
        "drop table customers; alter table kept rename to customers; "
        "delete from customers where customer_id = 'C97'",
    ):
        with pytest.raises(UserError) as caught:
            load(shop)
        for word in ("erp.customers, column customer_id", "a text", "numeric", "--accept-drift"):
            assert word in str(caught.value)
        assert content(shop) == before
        load(shop, accept_drift=True, accept_deletions=False)
        assert shop.query("select 1 from raw.erp_customers where customer_id = '1'")
        source(f"{retype} numeric(10, 1)")
        with pytest.raises(UserError, match="numeric of 0 decimals until now and is numeric of 1"):
            load(shop)
        load(shop, accept_drift=True, accept_deletions=False)
        assert shop.query("select 1 from raw.erp_customers where customer_id = '1.0'")
        assert shop.query("select 1 from raw.erp_customers where customer_id = 'C01'") == []
        assert not any("differed" in line for line in load(shop))
    load(shop, accept_drift=True)
    assert content(shop) != before  # C97 was read whole and is gone
    assert len(shop.query("select 1 from raw.erp_customers where customer_id like 'C%'")) == 20


@pytest.mark.parametrize(
    ("was", "is_now"),
    [("char(10)", "varchar(10)"), ("char(10)", "char(12)"), ("varchar(10)", "mood")],
)
def test_types_that_write_a_value_otherwise_are_other_kinds(shop, cluster, was, is_now):
    """Blanks are filled in for a char, and an enum is named, as its number is another elsewhere."""
    with psycopg.connect(cluster.ensure_database("killed_erp")) as connection:
        connection.execute("create type mood as enum ('sad')")
        kinds = [
            source_postgres.PostgresExtract(
                *(connection, "killed", contract.load().entities["erp.products"]),
                f"select cast('sad' as {kind}) as product_id, cast(null as text) as name",
            ).types["product_id"]
            for kind in (was, is_now)
        ]
        connection.rollback()
    assert len(set(kinds)) == 2
    assert not any(kind.isdigit() for kind in kinds)


def test_quarantine_is_listed_shown_given_up_and_replayed(shop, monkeypatch):
    bad = (
        "update invoice_lines set quantity = -1 * abs(quantity), updated_at = '2026-03-27 01:00+00'"
    )
    good = "update invoice_lines set quantity = abs(quantity), updated_at = '2026-03-27 02:00+00'"
    two = "where invoice_id in ('I180', 'I181')"
    warehouse = psycopg.connect(connections.warehouse("killed"), autocommit=True)
    with warehouse, changed(f"{bad} {two}", f"{good} {two}"):
        load(shop)
        listed = stewardship.lines(warehouse, "erp.invoice_lines")
        assert listed[-1] == "2 rows, 2 broken rules"
        assert "I180|1  quantity_has_its_sign" in listed[0]
        assert (
            '"invoice_id": "I180"' in stewardship.row(warehouse, "erp.invoice_lines", "I180|1")[-1]
        )
        assert len(shop.query("select * from bi.stewardship where owner is not null")) == 2
        stewardship.drop(warehouse, "erp.invoice_lines", "I180|1", "a test entry", "Ann")
        load(shop)  # the overlap sends both again
        assert len(stewardship.lines(warehouse, None)) == 2
        settled = stewardship.lines(warehouse, LINES.name, is_settled_too=True)
        assert any("I180|1" in line and "given up by Ann" in line for line in settled)
        with pytest.raises(UserError, match="no row I180"):
            stewardship.drop(warehouse, "erp.invoice_lines", "I180|1", "again", "Ann")
        assert shop.query(
            "select quantity > 0 from raw.erp_invoice_lines where invoice_id = 'I181'"
        )
        monkeypatch.setattr(loader.quality, "check_entity", lambda *_, **__: [])  # a laxer rule
        assert "1 changed" in quarantine_replay.replay("killed", None)[0]
        assert quarantine_replay.replay("killed", None) == ["nothing waits in quarantine"]
    load(shop)
    assert shop.query("select 1 from raw.erp_invoice_lines where quantity < 0") == []


@pytest.mark.soak
def test_a_loader_killed_at_any_step_leaves_a_raw_that_the_next_run_makes_right(shop):
    last = statements(lambda: load(shop))
    struck = set()
    for seed in range(SEEDS):
        chance = random.Random(seed)
        at = f"{datetime(2026, 3, 28, tzinfo=UTC) + timedelta(hours=seed)}"
        for change in chance.sample(CHANGES, 3):
            source(change.format(seed=seed, n=seed % 20 + 1, at=at))
        step = chance.randrange(last)
        struck.add(step)
        assert load_and_die(shop, step) in (KILLED, 0), step
        load(shop)
    assert len(struck) > 30
    # a row in quarantine keeps its last good version in raw, which a clean load has not
    source("update invoice_lines set quantity = abs(quantity), updated_at = '2026-03-31 01:00+00'")
    load(shop)
    clean = Night("clean")
    clean.load()
    assert content(shop) == content(clean)
    wrong = shop.query(
        """
        select entity, sum(rows_inserted - rows_deleted), max(counted)
        from ops.load_ledger
        inner join (
            select 'erp.customers' as entity, count(*) as counted from raw.erp_customers
            union all select 'erp.products', count(*) from raw.erp_products
            union all select 'erp.invoice_lines', count(*) from raw.erp_invoice_lines
        ) as counts using (entity)
        group by entity
        having sum(rows_inserted - rows_deleted) <> max(counted)
        """
    )
    assert wrong == [], "the ledger says what is in raw"
    known = "select month_start, lines, total from ops.month_in_raw where lines <> 0 and entity"
    months = shop.query(f"{known} = '{LINES.name}' order by 1")
    assert months == shop.query(
        "select date_trunc('month', invoice_date)::date, count(*), sum(net_amount) "
        "from raw.erp_invoice_lines group by 1 order by 1"
    )


SHAPE = """
select attname::text, format_type(atttypid, null), attnotnull::text, pg_get_expr(adbin, adrelid)
from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = 'raw.erp_invoice_lines'::regclass and attnum > 0
union all
select indexname, indexdef, null, null from pg_indexes where schemaname = 'raw'
union all
select relname, relpersistence::text, reloptions::text, relfilenode::text
from pg_class where relnamespace = 'stage'::regnamespace and relkind <> 'i'
order by 1
"""


def test_a_first_load_leaves_what_any_other_would(shop, cluster):
    """Its stage table becomes the raw table, but not where something stands on that."""
    shapes, contents = [], []
    place = "select 'raw.erp_invoice_lines'::regclass::oid"
    for before, is_taken_over, marks in (
        ("select 1", True, False),
        ("create table candidate.int_days_rebuilt (there text)", True, True),
        ("create view bi.mine as select * from raw.erp_invoice_lines", False, True),
        ("grant select on raw.erp_invoice_lines to bi_reader", False, True),
    ):
        cluster.drop_database("warehouse_clean")
        clean = Night("clean")
        night.begin(clean.run())
        made = clean.query(place)
        with psycopg.connect(connections.warehouse("clean")) as warehouse:
            warehouse.execute(before)  # type: ignore[call-overload]
        for step in range(8, 120, 14) if is_taken_over and not marks else ():
            assert load_and_die(clean, step) in (KILLED, 0), step
        load(clean)
        assert (clean.query(place) != made) == is_taken_over, before
        known = "reltuples from pg_class where oid = 'raw.erp_invoice_lines'::regclass"
        counted = "count(*)::real from raw.erp_invoice_lines"
        assert clean.query(f"select {known}") == clean.query(f"select {counted}"), "no statistics"
        days = clean.query("select key_id, day from ops.dirty_day order by 1, 2")
        assert bool(days) == marks, before
        if marks:
            lines = "select distinct customer_id, invoice_date from raw.erp_invoice_lines"
            assert days == clean.query(f"{lines} order by 1, 2")
        shapes.append(clean.query(SHAPE))
        contents.append(content(clean))
        again = [line for line in load(clean) if line.startswith(LINES.name)]
        assert "0 new, 0 changed, 0 deleted" in again[0]
    assert shapes == [shapes[0]] * len(shapes)
    assert contents == [content(shop)] * len(contents)


TYPED = """
select {invoice_id} as invoice_id, {line_no} as line_no, 'C1'::varchar(9) as customer_id,
    'é "1",'::name as product_id, {day} as invoice_date, ''::text as document_type,
    'nan'::numeric as quantity, 12.340::numeric(9, 3) as net_amount, null::numeric as cost_amount,
    {posted} as posted, {moment} as updated_at
"""


@pytest.mark.parametrize(
    ("is_typed", "types"),
    [
        (True, {}),
        (
            True,
            {"invoice_id": "7::int8", "line_no": "3::int8", "moment": "timestamptz '-infinity'"},
        ),
        (True, {"invoice_id": "'0b9d8a4e-5f3c-4c39-9a57-5a4b3c2d1e0f'::uuid"}),
        (False, {"day": "'2026-03-01'::text"}),
        (False, {"invoice_id": "'I1'::char(5)"}),
        (False, {"posted": "'yes'::text"}),
        (False, {"line_no": "2::numeric"}),
    ],
)
def test_rows_arrive_typed_as_they_would_as_text(shop, is_typed, types):
    plain = {"invoice_id": "'I1'::text", "line_no": "2::int2", "day": "date '2026-03-01'"}
    plain |= {"posted": "true", "moment": "timestamp '2026-03-29 02:30:00.123456'"}
    query = TYPED.format(**plain | types)
    everything = Window(None, None)
    with (
        source_postgres.connect("shop", "erp", "erp", os.environ["AIRFLOW_CONN_ERP"]) as server,
        psycopg.connect(connections.warehouse("killed"), options="-c timezone=UTC") as warehouse,
    ):
        extract = source_postgres.PostgresExtract(server, "shop", LINES, query)
        sent = extract.rows(everything)
        assert sent.form == ("binary" if is_typed else "csv")
        arrived = []
        for form, rows_sent in (("csv", extract.copy_csv(everything)), (sent.form, sent.blocks)):
            tables.create_stage(warehouse, LINES)
            columns = ", ".join(extract.columns)
            copy = f"copy stage.{LINES.table} ({columns}) from stdin (format {form})"
            with warehouse.cursor().copy(copy) as target:  # type: ignore[call-overload]
                for block in rows_sent:
                    target.write(block)
            found = warehouse.execute(f"select s::text from stage.{LINES.table} as s")  # type: ignore[call-overload]
            arrived.append(found.fetchall())
        warehouse.rollback()
    assert arrived == [arrived[0]] * len(arrived)
    assert len(arrived[0]) == 1


def test_a_source_is_usable_after_a_copy_that_failed_or_was_left(shop):
    url = os.environ["AIRFLOW_CONN_ERP"]
    many = "select n::text as customer_id, (1 / (90000 - n))::text as name from generate_series"
    with source_postgres.connect("shop", "erp", "erp", url) as server:
        entity = contract.load().entities["erp.customers"]
        extract = source_postgres.PostgresExtract(server, "shop", entity, f"{many}(1, 100000) as n")
        with pytest.raises(UserError, match=r"division by zero; .*customers.sql"):
            list(extract.rows(Window()).blocks)
        blocks = extract.rows(Window()).blocks
        assert next(blocks)
        blocks.close()
        assert extract.has_rows()


def test_the_values_of_a_column_that_the_contract_does_not_know_follow_their_rows(shop):
    kept = (
        "select invoice_id, _unknown from raw.erp_invoice_lines where invoice_id ~ '^Z' order by 1"
    )
    x, y = {"note": "x"}, {"note": "y"}
    change = (
        "update invoice_lines set {}, updated_at = '2026-03-31 03:00+00' where invoice_id = '{}'"
    )
    add = "alter table invoice_lines add column note text default 'x'"
    with changed(add, "alter table invoice_lines drop column note"):
        source(
            "insert into invoice_lines (invoice_id, line_no, customer_id, product_id, "
            "invoice_date, document_type, quantity, net_amount, updated_at) "
            "select 'Z' || n, 1, 'C01', 'P1', '2026-03-30', 'invoice', 1, 10, "
            "'2026-03-31 02:00+00' from generate_series(1, 3) as n"
        )
        load(shop)
        assert shop.query(kept) == [("Z1", x), ("Z2", x), ("Z3", x)]
        source(change.format("note = 'y'", "Z1"))
        assert any("0 new, 1 changed, 0 deleted" in line for line in load(shop))
        source(change.format("quantity = -quantity", "Z2"))
        source("delete from invoice_lines where invoice_id = 'Z3'")
        load(shop)
        [(waits,)] = shop.query("select row_data from quarantine.rows where row_key = 'Z2|1'")
        assert waits["_unknown"] == x
        source(change.format("quantity = -quantity", "Z2"))
        load(shop)
        assert shop.query(kept) == [("Z1", y), ("Z2", x)]
    load(shop)
    assert shop.query(kept) == [("Z1", None), ("Z2", None)]
