"""Which night readers see: the newest good one, whatever is run again, cleared or fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from customer_tiers import (
    backfill,
    connections,
    contract,
    night,
    runner,
    settings,
    simulation,
)
from customer_tiers.embedded import services
from customer_tiers.errors import UserError
from customer_tiers.publish import repeat
from customer_tiers.sources import definition
from helpers import small_company
from helpers.small_company import Night

OLD, NEW = date(2026, 2, 20), date(2026, 3, 31)


@pytest.fixture(scope="module")
def company(cluster, tmp_path_factory) -> Iterator[Night]:
    """A company of CSV files that names its policy, with an older and a newer night published."""
    with pytest.MonkeyPatch.context() as patch:
        sources = tmp_path_factory.mktemp("sources")
        (sources / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
        patch.setattr(settings, "SOURCES", sources)
        folder = tmp_path_factory.mktemp("stall")
        small_company.fill_folder(folder)
        system = {"kind": "files", "path": str(folder)}
        small_company.describe(sources, "stall", system, policy="buyers")
        company = Night("stall", path=str(folder))
        company.old, company.new = company.play(OLD), company.play(NEW)
        yield company
        cluster.drop_database("warehouse_stall")


def bi(company: Night) -> dict[str, list[tuple]]:
    """Everything that readers see, but the publications."""
    names = [
        row[0]
        for row in company.query(
            "select tablename from pg_tables where schemaname = 'bi' and tablename <> 'publication'"
        )
    ]
    return {name: sorted(company.query(f"select * from bi.{name}"), key=str) for name in names}


def stale(company: Night) -> list[tuple]:
    return company.query("select business_date from bi.publication where is_stale")


def test_each_night_is_kept_and_the_current_tables_are_of_the_newest(company):
    days = company.query("select distinct business_date from bi.tier_decision order by 1")
    assert days == [(OLD,), (NEW,)]
    assert company.query("select distinct business_date from bi.customer_tier") == [(NEW,)]
    assert company.query(
        "select count(*) from bi.tier_decision where business_date = "
        f"'{OLD}' and cause <> 'initial'"
    ) == [(0,)]


def test_the_policy_that_a_source_names_decides_and_can_be_simulated(company):
    assert company.query("select distinct policy_id from bi.publication") == [("buyers",)]
    scored = "select count(*) from bi.tier_decision where score_parts like '% + net_revenue %'"
    assert company.query(scored) == [(40,)]
    source = definition.load("stall", contract.load())
    url = connections.warehouse("stall")
    for policy in ("buyers", "standard"):
        done = simulation.replay(url, [policy], source=source)
        with psycopg.connect(url) as connection:
            [said, differ, *_] = simulation.lines(connection, done)
        assert f"policy {policy} over 2 published nights" in said
        assert "against buyers" in said
        assert ("differ: 0 of 40" in differ) == (policy == "buyers")


def repeats(company: Night, run: night.Run) -> str | None:
    """Settle a loaded night; return the run that it would repeat."""
    night.settle(run)
    [(found,)] = company.query(f"select repeats from ops.run where run_id = '{run.run_id}'")
    return found


def test_a_night_without_anything_new_repeats_the_last_and_builds_nothing(company):
    before, told = bi(company), "select customers, policy_id, contribution_12m, missing_lines "
    again = company.play(NEW)
    assert company.query(f"select * from ops.dbt_node_run where run_id = '{again}'") == []
    assert bi(company) == before
    rows = company.query(
        told + f"from bi.publication where business_date = '{NEW}' and not is_stale"
    )
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_a_repeat_whose_publishing_failed_is_mended_by_clearing_it(company):
    run = company.run(NEW)
    company.load_run(run)
    assert repeats(company, run)
    night.note_fault(run, "the warehouse went away")
    with pytest.raises(UserError, match="went away"):
        night.refuse(run)
    assert stale(company) == [(NEW,)]
    night.publish(run, NEW.isoformat())
    assert stale(company) == []
    told = f"select status, message from bi.publication where run_id = '{run.run_id}'"
    assert company.query(told) == [("published", None)]
    late = replace(run, run_id="test_late")
    company.load_run(late)
    assert repeats(company, late) == run.run_id
    shift = "update bi.publication set published_at = published_at {} interval '1 day' "
    with psycopg.connect(connections.warehouse("stall"), autocommit=True) as connection:
        connection.execute(shift.format("+") + "where run_id = %s", [company.old])
        with pytest.raises(UserError, match="another night was published since"):
            night.publish(late, NEW.isoformat())
        connection.execute(shift.format("-") + "where run_id = %s", [company.old])


def test_a_night_with_anything_new_repeats_none(company, monkeypatch):
    run = company.run(NEW)
    company.load_run(run)
    again = repeats(company, run)
    assert again
    assert repeats(company, replace(run, business_date=OLD)) is None, "another day"
    assert repeats(company, replace(run, is_quiet=True)) is None
    described = settings.SOURCES / "stall" / "source.yml"
    before = described.read_text()
    described.write_text(before.replace("policy: buyers", "policy: standard"))
    assert repeats(company, run) is None, "another policy"
    described.write_text(before)
    for table, values in (
        ("ops.tier_override", f"'C01', 'key', '{OLD}', '{NEW}', 'a friend', 'the boss'"),
        ("ops.identity_decision", "default, 'merge', null, 'C01', 'C02', 'same firm', 'anna'"),
        ("quarantine.rows", "'erp.receivables', 'X', 'r', null, 'bad', '{}', 'a', 'b'"),
    ):
        with psycopg.connect(connections.warehouse("stall")) as connection:
            connection.execute(f"insert into {table} values ({values})")
        assert repeats(company, run) is None, table
        with psycopg.connect(connections.warehouse("stall")) as connection:
            connection.execute(f"delete from {table}")
        assert repeats(company, run) == again, table
    with monkeypatch.context() as patch:
        patch.setattr(repeat, "_code", lambda: "another rule")
        assert repeats(company, run) is None
    lines = small_company.lines()
    changed = [{**lines[0], "net_amount": 101}, *lines[1:]]
    for rows in (changed, lines):
        small_company.write_lines(Path(str(company.path)), rows)
        company.load_run(run)
        assert repeats(company, run) is None, "a line is not what it was"


def test_clearing_the_publishing_of_another_run_changes_nothing(company):
    before = bi(company)
    old = night.Run(company.old, "stall", company.path, NEW, OLD)
    with pytest.raises(UserError, match="the candidates are not of this run"):
        night.publish(old, OLD.isoformat())
    assert bi(company) == before


def test_a_failed_older_night_does_not_make_the_newest_stale(company):
    run = company.run(OLD)
    night.begin(run)
    night.note_fault(run, "the source was down")
    with pytest.raises(UserError, match="the source was down"):
        night.refuse(run)
    assert stale(company) == []


def test_an_older_night_again_leaves_the_current_tables_and_the_stale_mark(company):
    failed = company.run(NEW)
    night.begin(failed)
    night.note_fault(failed, "the source was down")
    with pytest.raises(UserError):
        night.refuse(failed)
    assert stale(company) == [(NEW,)]
    before = bi(company)
    company.play(OLD)
    assert bi(company) == before
    assert stale(company) == [(NEW,)]


def test_a_second_fault_of_a_run_is_told_as_it_is(company):
    run = company.run(NEW)
    night.begin(run)
    for fault in ("the first fault", "the second fault"):
        night.note_fault(run, fault)
        with pytest.raises(UserError, match=fault):
            night.refuse(run)
    told = company.query(f"select message from bi.publication where run_id = '{run.run_id}'")
    assert told == [("the second fault",)]


@pytest.mark.parametrize("day", [date(2062, 3, 31), date(2026, 4, 8)])
def test_a_day_that_lies_ahead_of_all_data_is_refused(company, day):
    run = night.Run("ahead", "stall", company.path, NEW, day)
    night.begin(run)
    with pytest.raises(UserError, match=f"business date {day} lies ahead of the newest sale"):
        night.settle(run)


def test_a_day_before_all_data_is_refused_in_one_line(company):
    with pytest.raises(UserError, match="no posted sale up to 2020-01-01"):
        company.play(date(2020, 1, 1))


def tiers_as_of(company: Night, day: date, moment: str) -> dict[str, tuple]:
    """Customer -> tier, since when and why, the way BI users ask."""
    with psycopg.connect(connections.warehouse(company.source)) as connection:
        connection.execute("set role bi_reader")
        rows = connection.execute(
            "select customer_id, tier, valid_from, cause from bi.tier_as_of(%s, %s)", [day, moment]
        )
        return {row[0]: row[1:] for row in rows}


def decided(company: Night, day: date) -> dict[str, str]:
    """Customer -> tier by the receipts of a night."""
    statement = f"select customer_id, tier from bi.tier_decision where business_date = '{day}'"
    return dict(company.query(statement))


def tiers(answer: dict[str, tuple]) -> dict[str, str]:
    return {customer: row[0] for customer, row in answer.items()}


def test_a_back_dated_credit_note_changes_what_is_known_now_and_not_what_was(company, monkeypatch):
    """The best customer turns out to have given all back before the older night."""
    [(moment,)] = company.query("select max(published_at)::text from bi.publication")
    then = {day: tiers_as_of(company, day, moment) for day in (OLD, NEW)}
    assert then[OLD]["C20"] == ("key", OLD, "initial")
    assert {day: tiers(then[day]) for day in then} == {day: decided(company, day) for day in then}
    current = company.query("select * from bi.customer_tier order by customer_id")

    best = [row for row in small_company.lines() if row["customer_id"] == "C20"]
    returned = [
        {**row, "invoice_id": f"R{row['invoice_id']}", "document_type": "credit_note"}
        | {"invoice_date": date(2026, 2, 16)}
        for row in best
        if row["invoice_date"] <= OLD
    ]
    small_company.write_lines(Path(str(company.path)), small_company.lines() + returned)
    monkeypatch.setattr(services, "up", lambda say: None)
    monkeypatch.setattr(
        runner,
        "run_night",
        lambda _, business_date, **how: company.play(date.fromisoformat(business_date)),
    )
    backfill.play("stall", date(2026, 1, 1), date(2026, 3, 1), every=None, path=None, say=print)

    now = {day: tiers_as_of(company, day, "infinity") for day in (OLD, NEW)}
    assert now[OLD]["C20"] == ("low", OLD, "restatement")
    assert tiers(now[OLD]) == decided(company, OLD)
    assert now[NEW]["C20"] == ("key", NEW, "restatement")
    assert tiers(now[NEW]) == tiers(then[NEW]) == decided(company, NEW)
    assert {day: tiers_as_of(company, day, moment) for day in (OLD, NEW)} == then
    assert company.query("select * from bi.customer_tier order by customer_id") == current
