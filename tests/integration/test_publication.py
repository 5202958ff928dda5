"""Which night readers see: the newest good one, whatever is run again, cleared or fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from customer_tiers import night, settings
from customer_tiers.errors import UserError
from helpers import small_company
from helpers.small_company import Night

OLD, NEW = date(2026, 2, 20), date(2026, 3, 31)


@pytest.fixture(scope="module")
def company(cluster, tmp_path_factory) -> Iterator[Night]:
    """A company of CSV files, with an older and a newer night published."""
    with pytest.MonkeyPatch.context() as patch:
        sources = tmp_path_factory.mktemp("sources")
        (sources / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
        patch.setattr(settings, "SOURCES", sources)
        folder = tmp_path_factory.mktemp("stall")
        small_company.fill_folder(folder)
        small_company.describe(sources, "stall", {"kind": "files", "path": str(folder)})
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
    return {name: company.query(f"select * from bi.{name} order by 1, 2, 3") for name in names}


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
