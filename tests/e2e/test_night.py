"""One night as its users have it: real PostgreSQL, real Airflow scheduler, real SMTP.

`tiers demo` starts everything in a home of its own and plays two nights; the tests then look at
what BI users, managers and data engineers find, run a night of real data, and stop everything.
"""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import psutil
import psycopg
import pytest

from customer_tiers import settings

TIERS = [sys.executable, "-c", "from customer_tiers.cli import main; main()"]
ADVENTUREWORKS = settings.PROJECT.parent / "shared" / "data" / "adventureworks"
CUSTOMERS = "400"


class Shell:
    """Runs `tiers` with a home of its own, as a person at a shell would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "CUSTOMER_TIERS_HOME": str(home)}

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command and return its result, whatever it is."""
        return subprocess.run(
            [*TIERS, *words],
            capture_output=True,
            text=True,
            env={**self.environment, **variables},
            timeout=400,
        )

    def good(self, *words: str) -> str:
        """Run a command that must succeed and return what it prints."""
        result = self.run(*words)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def database(self, name: str) -> str:
        """The URL of a database of the shell's own PostgreSQL."""
        from customer_tiers.embedded import postgres

        cluster = postgres.running(self.home)
        assert cluster
        return cluster.url(name)

    def rows(self, query: str, source: str = "sample") -> list[dict[str, str]]:
        """Ask a company's warehouse: what `tiers sql` prints, without its second to start."""
        with psycopg.connect(self.database(f"warehouse_{source}")) as connection:
            statement = f"copy ({query}) to stdout with (format csv, header)"
            with connection.cursor().copy(statement) as answer:  # type: ignore[arg-type]
                shown = b"".join(bytes(block) for block in answer)
        return list(csv.DictReader(io.StringIO(shown.decode())))

    def value(self, query: str, source: str = "sample") -> str:
        """Ask for one value."""
        [row] = self.rows(query, source)
        [value] = row.values()
        return value

    def mails(self) -> list[email.message.EmailMessage]:
        """All mails that the sink received, in order."""
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((self.home / "mail").glob("*.eml"))
        ]


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-e2e-"))
    home.chmod(0o755)
    yield Shell(home)
    Shell(home).run("down")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def demo(shell: Shell) -> str:
    """What `make run` prints, for a smaller company."""
    return shell.good("demo", "--customers", CUSTOMERS)


@pytest.fixture(scope="module")
def stories(demo: str, shell: Shell) -> dict[str, dict[str, str]]:
    """The planted stories by name, as the ERP's own table of truth has them."""
    with psycopg.connect(shell.database("sample_erp")) as connection:
        rows = connection.execute(
            "select story, customer_id, happens_on::text, from_tier, to_tier, expected "
            "from truth.story"
        ).fetchall()
    names = ("story", "customer_id", "happens_on", "from_tier", "to_tier", "expected")
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def test_the_demo_shows_the_pyramid_the_changes_the_mails_and_where_to_look(demo):
    for word in (
        "key",
        "major",
        "regular",
        "low",
        "tier changes:",
        "mails:",
        "Airflow UI",
        "login",
    ):
        assert word in demo


def test_two_nights_are_published_by_the_scheduler(shell, demo):
    query = "select * from bi.publication order by business_date"
    nights = list(csv.DictReader(io.StringIO(shell.good("sql", query))))
    assert nights == shell.rows(query)
    assert [night["business_date"] for night in nights] == ["2026-06-29", "2026-06-30"]
    assert {night["status"] for night in nights} == {"published"}
    assert all(night["run_id"].startswith("manual__") for night in nights)
    assert int(nights[0]["tier_changes"]) == 0  # nothing to compare the first night with
    assert int(nights[1]["tier_changes"]) > 0


def test_where_the_time_of_the_last_night_went_is_shown(shell, demo):
    steps = ["begin", "load_erp", "load_crm", "settle", "build_facts", "build_tiers"]
    steps += ["audit", "publish"]
    shown = shell.good("status", "--last").splitlines()
    table = [line.strip() for line in shown if line.strip()]
    assert [word for line in table if (word := line.split()[0]) in steps] == steps
    shares = {line.split("  ")[0]: line for line in table}
    airflow = float(shares["Airflow, between the steps"].split()[-2])
    busy = shell.value(
        "select sum(seconds) from ops.step_run where part = '' and step <> 'send' and run_id = "
        "(select run_id from ops.run order by started_at desc limit 1)"
    )
    whole = float(shares["trigger to published"].split()[-2])
    assert abs(whole - airflow - float(busy)) < 1
    assert 0 < airflow < whole
    parts = shell.rows("select step, part, seconds from ops.step_run where part like '%/copy'")
    assert {row["part"] for row in parts} >= {"erp.invoice_lines/copy", "crm.cases/copy"}


def test_every_planted_story_comes_out_as_written(shell, stories):
    found = {row["customer_id"]: row for row in shell.rows("select * from bi.customer_tier")}
    changed = shell.rows("select * from bi.tier_change where business_date = '2026-06-30'")
    changes = {row["customer_id"]: row for row in changed}
    assert len(stories) >= 12
    for story in stories.values():
        check_tiers(story, found[story["customer_id"]], changes.get(story["customer_id"]))
        check_facts(story, found, story["expected"])


def check_tiers(story: dict, row: dict[str, str], change: dict[str, str] | None) -> None:
    """The tiers before and after, and the change between them."""
    name, expected = story["story"], story["expected"]
    assert story["to_tier"] in (None, row["tier"]), name
    assert story["from_tier"] in (None, row["previous_tier"]), name
    assert row["tier"] not in expected.get("not_tiers", []), name
    if story["from_tier"] and story["to_tier"]:
        assert (change is not None) == (story["from_tier"] != story["to_tier"]), name
    if "direction" in expected:
        assert change is not None, name
        assert change["direction"] == expected["direction"], name


def check_facts(story: dict, found: dict[str, dict[str, str]], expected: dict) -> None:
    """What else the story says about the customer."""
    row, name = found[story["customer_id"]], story["story"]
    if "contribution_sign" in expected:
        assert Decimal(row["contribution_12m"]) * expected["contribution_sign"] > 0, name
    assert expected.get("merged_customer_id") not in found, name
    for column in ("risk_flag", "owner_id"):
        if column in expected:
            assert row[column] == expected[column], name


def test_a_late_invoice_counts_in_the_month_of_its_date(shell, stories):
    story = stories["late_invoice"]
    customer, month = story["customer_id"], story["expected"]["month"]
    lines = (
        "select sum(net_amount) as amount from raw.erp_invoice_lines "
        f"where customer_id = '{customer}' and date_trunc('month', invoice_date) = '{month}'"
    )
    published = shell.value(
        "select net_revenue from bi.customer_contribution "
        f"where customer_id = '{customer}' and month_start_date = '{month}'"
    )
    late = shell.value(f"{lines} and updated_at >= '{story['happens_on']}'")
    assert Decimal(late) == Decimal(story["expected"]["net_revenue_change"])
    assert Decimal(published) == Decimal(shell.value(lines)) > Decimal(late)


def test_a_return_counts_in_the_month_of_the_sale(shell, stories):
    story = stories["big_return"]
    [row] = shell.rows(
        "select returns, net_revenue from bi.customer_contribution "
        f"where customer_id = '{story['customer_id']}' "
        f"and month_start_date = '{story['expected']['month']}'"
    )
    change = abs(Decimal(story["expected"]["net_revenue_change"]))
    assert Decimal(row["returns"]) == change
    assert Decimal(row["net_revenue"]) < change / 100


def test_published_months_add_up_to_the_posted_lines(shell, demo):
    """To the cent, for customers who only buy in the base currency (no rate in between)."""
    [row] = shell.rows(
        "with lines as (select customer_id, sum(case when document_type = 'credit_note' "
        "then -net_amount else net_amount end) as amount from raw.erp_invoice_lines "
        "where coalesce(posted, true) group by customer_id having count(*) filter "
        "(where currency <> 'EUR') = 0), months as (select customer_id, sum(net_revenue) as amount "
        "from bi.customer_contribution group by customer_id) "
        "select count(*) as customers, "
        "count(*) filter (where lines.amount <> months.amount) as off "
        "from lines join months using (customer_id) "
        "where customer_id not in (select merged_into_id from raw.erp_customers "
        "where merged_into_id is not null)"
    )
    assert int(row["customers"]) > 200
    assert row["off"] == "0"


def test_each_mail_goes_to_one_owner_about_their_customers_only(shell, demo):
    mails = shell.mails()
    box = shell.rows("select * from ops.outbox")
    assert len(mails) == len(box) > 0
    assert {row["state"] for row in box} == {"sent"}
    kinds = {"daily", "monthly", "ops"}
    assert {row["kind"] for row in box} == kinds, "June ends on that night; a check was not met"
    readers = {
        row["customer_id"]: (row["email"], row["manager_email"])
        for row in shell.rows(
            "select t.customer_id, o.email, m.email as manager_email "
            "from bi.customer_tier as t left join raw.crm_owners as o on o.owner_id = t.owner_id "
            "left join raw.crm_owners as m on m.owner_id = o.manager_id"
        )
    }
    company = {"sales.director@example.com", "credit.controller@example.com"}
    owners = 0
    for mail in mails:
        text = mail.get_body(("plain",)).get_content()
        to = mail["to"].addresses[0].addr_spec
        if to == "data.team@example.com":
            assert "data checks not met" in mail["subject"]
            continue
        about = set(re.findall(r"\((\d{6})\b", text)) & set(readers)
        assert about, mail["subject"]
        assert "<table" in mail.get_body(("html",)).get_content()
        if to not in company | {"sales.operations@example.com"}:
            owners += 1
            assert all(to in readers[customer] for customer in about), mail["subject"]
    assert owners > 0


def test_readers_see_bi_and_nothing_else(shell, demo):
    with psycopg.connect(shell.database("warehouse_sample"), autocommit=True) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        connection.execute("set role bi_reader")
        for schema, table in tables:
            statement = f'select 1 from "{schema}"."{table}" limit 1'
            if schema == "bi":
                connection.execute(statement)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from bi.customer_tier")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table public.mine (a int)")


def test_every_query_of_the_guide_for_bi_runs_for_a_reader_and_finds_something(shell, demo):
    guide = (settings.PROJECT / "docs" / "bi.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", guide, re.DOTALL)
    assert len(queries) >= 8
    with psycopg.connect(shell.database("warehouse_sample")) as connection:
        connection.execute("set role bi_reader")
        for query in queries:
            found = connection.execute(query).fetchall()
            assert found or "tier_as_of" in query, query


def test_every_published_table_and_column_is_described(shell, demo):
    bare = shell.rows(
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'bi'::regnamespace and c.relkind = 'r' and a.attnum > 0 "
        "and not a.attisdropped and (col_description(c.oid, a.attnum) is null "
        "or obj_description(c.oid, 'pg_class') is null)"
    )
    assert bare == []


@pytest.mark.skipif(
    not ADVENTUREWORKS.is_dir(), reason="the AdventureWorks files are not beside the project"
)
def test_an_erp_alone_is_published_and_says_what_is_missing(shell, demo):
    shown = shell.good("run", "--source", "adventureworks", "--path", str(ADVENTUREWORKS))
    assert "crm.accounts" in shown
    assert "erp.receivables" in shown
    [night] = shell.rows("select * from bi.publication", "adventureworks")
    assert night["business_date"] == "2020-05-31"
    assert night["customers"] == "632"
    assert "crm.owners" in night["missing_entities"]
    assert night["policy_id"] == "buyers", "what sources/adventureworks/source.yml names"
    [totals] = shell.rows(
        "select round(sum(net_revenue), 2) as net_revenue, round(sum(cm1), 2) as cm1 "
        "from bi.customer_contribution",
        "adventureworks",
    )
    assert totals == {"net_revenue": "77548570.20", "cm1": "999494.57"}
    negative = (
        "select count(*) from (select customer_id from bi.customer_contribution "
        "group by customer_id having sum(cm1) < 0) as losing"
    )
    assert shell.value(negative, "adventureworks") == "324"
    assert shell.value("select count(*) from bi.customer_tier", "adventureworks") == "632"
    scored = "select count(*) from bi.tier_decision where tier_score is not null"
    by_revenue = f"{scored} and score_parts like '%net_revenue % x 0.9000'"
    assert shell.value(by_revenue, "adventureworks") == shell.value(scored, "adventureworks") != "0"


def test_a_fault_is_one_line_and_the_night_again_rewrites_no_row(shell, demo):
    before, mails = rows_as_stored(shell), len(shell.mails())
    with without_table(shell, "debtor"):
        failed = shell.run("run")
    assert failed.returncode == 1
    [line] = failed.stderr.strip().splitlines()
    for word in ("source sample", "entity erp.customers", "debtor", "erp/customers.sql"):
        assert word in line
    stale = shell.rows("select * from bi.publication where is_stale")
    assert [night["business_date"] for night in stale] == ["2026-06-30"]
    assert rows_as_stored(shell) == before
    *others, told = shell.mails()
    assert len(others) == mails, "operators are told, and nobody else"
    assert told["to"].addresses[0].addr_spec == "data.team@example.com"
    assert "debtor" in told.get_content()

    shell.good("run", "--date", "2026-06-30")
    assert shell.rows("select * from bi.publication where is_stale") == []
    assert rows_as_stored(shell) == before
    assert len(shell.mails()) == mails + 1


def test_simulating_the_leading_policy_repeats_what_was_published(shell, demo):
    shown = shell.good("simulate", "standard")
    assert "policy standard over 2 published nights, 2026-06-29 to 2026-06-30" in shown
    assert "decisions that differ: 0 of " in shown


def test_a_tier_is_explained(shell, stories):
    shown = shell.good("explain", stories["faller"]["customer_id"])
    assert "tier: regular since 2026-06-30, key the night before; cause: own_change" in shown
    assert "why regular: a customer that loses us money can be regular at best" in shown
    assert "contribution of 12 months: " in shown
    assert "of the change: " in shown


@contextmanager
def without_table(shell: Shell, table: str) -> Iterator[None]:
    """Take a table of the ERP away, and give it back."""

    def rename(old: str, new: str) -> None:
        with psycopg.connect(shell.database("sample_erp")) as connection:
            connection.execute(f"alter table {old} rename to {new}")

    rename(table, "elsewhere")
    try:
        yield
    finally:
        rename("elsewhere", table)


def rows_as_stored(shell: Shell) -> dict[str, str]:
    """Table -> sum over all its rows as they lie in the file; a rewritten row changes it."""
    tables = shell.rows(
        "select schemaname, tablename from pg_tables where schemaname in ('bi', 'raw') "
        "and tablename <> 'publication'"
    )
    sums = " union all ".join(
        f"select '{t['tablename']}' as tab, md5(string_agg(xmin::text || ctid::text, ',' "
        f"order by ctid)) as sum from {t['schemaname']}.{t['tablename']}"
        for t in tables
    )
    return {row["tab"]: row["sum"] for row in shell.rows(sums)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--source", "nowhere"], "nowhere"),
        (["run", "--date", "30.06.2026"], "YYYY-MM-DD"),
        (["run", "--source", "adventureworks", "--path", "/nowhere"], "--path"),
        (["sql", "select * from bi.nothing"], "bi.nothing"),
        (["sql", "delete from bi.customer_tier"], "query"),
        (["sql", "delete from bi.customer_tier returning customer_id"], "query"),
        (["sql", "select 1) to stdout; create table bi.mine (a int); copy (select 2"], "query"),
        (["sql", "select pg_sleep(0) from bi.mine"], "bi.mine"),
        (["sql", "select 1", "--source", "nowhere"], "nowhere"),
        (["outbox", "resend", "nothing"], "nothing"),
        (["outbox", "list", "--state", "lost"], "lost"),
        (["explain", "nobody"], "customer nobody"),
        (["simulate", "nothing"], "no policy nothing"),
        (["backfill", "--from", "2026-06-30", "--to", "2026-06-29"], "--from 2026-06-30"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(shell, demo, words, expected):
    result = shell.run(*words)
    assert result.returncode == 1
    [line] = result.stderr.strip().splitlines()
    assert expected in line


def test_down_leaves_nothing_behind(shell, demo):
    pids = [int(row["pid"]) for row in json.loads(_services(shell)) if row["pid"]]
    assert len(pids) >= 4
    shell.good("down")
    for pid in pids:
        # Where nobody reaps orphans (a container without an init), an ended process stays a zombie.
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
    assert all(row["pid"] is None for row in json.loads(_services(shell)))


def _services(shell: Shell) -> str:
    """The services as JSON, asked in a process that has the shell's home."""
    script = (
        "import dataclasses, json\nfrom customer_tiers.embedded import services\n"
        "print(json.dumps([dataclasses.asdict(row) for row in services.status()]))"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=shell.environment,
    ).stdout
