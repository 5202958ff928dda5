"""The sample company without a database: months stand alone, and lives end in time."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from customer_tiers.errors import UserError
from customer_tiers.sample import contacts, people, trading, visible
from customer_tiers.sample.cast import CAST_SIZE
from customer_tiers.sample.company import Company
from customer_tiers.sample.market import Parameters
from customer_tiers.sample.names import as_typed, other_form, tax_ids
from customer_tiers.sample.rows import (
    NEVER,
    NONE,
    Window,
    divide,
    generator,
    length,
    to_date,
    to_day,
    workday,
)
from customer_tiers.sample.stories import Stories

STORY_DAY = date(2026, 6, 30)
PARAMETERS = Parameters(7, 400, 16, STORY_DAY)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(PARAMETERS)


@pytest.fixture(scope="module")
def book(company: Company) -> people.AddressBook:
    return people.AddressBook(company)


def same(left: dict, right: dict) -> bool:
    return all(np.array_equal(left[name], right[name]) for name in left)


def test_a_month_does_not_depend_on_the_months_before_it(company):
    first = trading.trade(company, 9)
    trading.trade(company, 3)
    again = trading.trade(Company(PARAMETERS), 9)
    for part in ("orders", "documents", "lines", "items"):
        assert same(getattr(first, part), getattr(again, part))


def test_another_seed_is_another_company(company):
    other = Company(Parameters(8, 400, 16, STORY_DAY))
    assert not np.array_equal(company.rows["annual"], other.rows["annual"])


def test_no_document_changes_after_its_life(company):
    for month in range(16):
        drawn = trading.trade(company, month)
        end = to_day(PARAMETERS.month(month + 1))
        for rows in (drawn.orders, drawn.documents, drawn.lines, drawn.items):
            for name in rows:
                if name.endswith("_on"):
                    days = rows[name][rows[name] != NEVER]
                    assert days.max(initial=0) - end <= trading.LIFE_DAYS, name


def test_no_contact_changes_after_its_life(book):
    month = 2
    end = to_day(PARAMETERS.month(month + 1)) + contacts.LIFE_DAYS
    for draw in contacts.TABLES.values():
        assert length(draw(book, month, Window(-NEVER, end)))
        assert length(draw(book, month, Window(end, end + 5_000))) == 0


def test_documents_make_sense(company):
    drawn = trading.trade(company, 12)
    lines = drawn.lines
    assert (lines["quantity"] > 0).all()
    assert (lines["net_value"] >= 0).all()
    assert (lines["list_value"] - lines["rebate_value"] == lines["net_value"]).all()
    assert (lines["cost_value"] == NONE).mean() > 0.1
    assert (lines["cost_value"] >= NONE).all()
    assert 0 < (lines["kind"] == 1).mean() < 0.1
    items = drawn.items
    assert (items["paid1"] + items["paid2"] == items["value"]).all()
    assert (items["paid1_on"] > items["posted_on"]).all()
    assert (items["due_on"] >= items["issued_on"]).all()


def test_most_credit_notes_name_the_line_they_take_back(company):
    is_linked = np.concatenate(
        [
            lines["origin_document_no"][lines["kind"] == 1] != NONE
            for lines in (trading.trade(company, month).lines for month in range(16))
        ]
    )
    assert 0.8 < is_linked.mean() < 1


def test_a_credit_note_never_takes_back_more_than_was_sold(company):
    lines = trading.trade(company, 12).lines
    keys = zip(lines["document_no"], lines["line_no"], strict=True)
    place = {key: index for index, key in enumerate(keys)}
    back = np.flatnonzero((lines["kind"] == 1) & (lines["origin_document_no"] != NONE))
    for index in back:
        origin = place[lines["origin_document_no"][index], lines["origin_line_no"][index]]
        assert lines["quantity"][index] <= lines["quantity"][origin]
        assert lines["net_value"][index] <= lines["net_value"][origin]
        assert lines["document_date"][index] > lines["document_date"][origin]
        assert lines["customer"][index] == lines["customer"][origin]


def test_windows_split_at_any_evening_add_up(company):
    drawn = trading.trade(company, 11)
    middle, end = to_day(date(2026, 2, 17)), to_day(date(2026, 4, 2))
    whole = visible.documents(company, drawn, Window(-NEVER, end))
    early = visible.documents(company, drawn, Window(-NEVER, middle))
    late = visible.documents(company, drawn, Window(middle, end))
    merged = dict(zip(early["document_no"], early["changed_at"], strict=True))
    merged |= dict(zip(late["document_no"], late["changed_at"], strict=True))
    assert merged == dict(zip(whole["document_no"], whole["changed_at"], strict=True))


def test_ledger_changes_split_at_any_evening_add_up(company):
    drawn = trading.trade(company, 11)
    middle, end = to_day(date(2026, 2, 17)), to_day(date(2026, 4, 2))
    total: dict[tuple[int, int], int] = {}
    for window in (Window(-NEVER, middle), Window(middle, end)):
        rows = visible.ledger_changes(company, drawn, window)
        for month, account, cents in zip(
            rows["month_start"], rows["account_no"], rows["balance"], strict=True
        ):
            total[month, account] = total.get((month, account), 0) + cents
    rows = visible.ledger_changes(company, drawn, Window(-NEVER, end))
    keys = zip(rows["month_start"], rows["account_no"], strict=True)
    assert total == dict(zip(keys, rows["balance"], strict=True))


def test_the_cast_trades_in_its_stories_only(company):
    for month in (0, 15):
        assert (trading.trade(company, month).lines["customer"] >= CAST_SIZE).all()


def test_numbers_of_customers_follow_the_day_they_were_opened(company):
    order = np.argsort(company.rows["debtor_no"])
    assert (np.diff(company.rows["opened_on"][order]) >= 0).all()
    assert len(set(company.rows["debtor_no"])) == company.size


def test_groups_have_no_chains(company):
    numbers, heads = company.rows["debtor_no"], company.rows["head_office_no"]
    members = heads != NONE
    assert members.any()
    assert not np.isin(heads[members], numbers[members]).any()


def test_tax_ids_are_unique_and_typed_badly(company):
    assert len(set(company.rows["tax_id"])) >= company.size - 1  # one pair is a planted duplicate
    clean = tax_ids(generator(1, 1), np.zeros(1_000, dtype=int))
    typed = as_typed(generator(1, 2), clean, 0.12)
    assert np.mean([a is not None and a != b for a, b in zip(typed, clean, strict=True)]) > 0.05
    assert any(value is None for value in typed)
    assert other_form("DE813664218") == "DE8 136 642 18"


def test_no_text_of_names_is_left_unfilled(company):
    assert not any("{" in name for name in company.rows["name"])
    assert any("公司" in name for name in company.rows["name"])
    assert any("'" in name for name in company.rows["name"])


def test_later_stories_do_not_change_earlier_ones(company, book):
    short = Stories(company, book, to_day(date(2026, 7, 31))).pages.trading()
    long = Stories(company, book, to_day(date(2026, 12, 31))).pages.trading()
    kept = np.isin(long.lines["document_no"], short.lines["document_no"])
    key = np.argsort(short.lines["document_no"] * 10 + short.lines["line_no"])
    other = np.flatnonzero(kept)
    other = other[np.argsort(long.lines["document_no"][other] * 10 + long.lines["line_no"][other])]
    for name, column in short.lines.items():
        assert np.array_equal(column[key], long.lines[name][other]), name


def test_rounding_is_half_up():
    assert divide(np.array([149, 150, 151, 249, 250]), 100).tolist() == [1, 2, 2, 2, 3]


def test_weekends_move_to_monday():
    days = np.array([to_day(date(2026, 6, 26)), to_day(date(2026, 6, 27))])
    assert [to_date(day) for day in workday(days)] == [date(2026, 6, 26), date(2026, 6, 29)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((1, 5, 30, STORY_DAY), "customers is 5"),
        ((1, 300, 6, STORY_DAY), "months is 6"),
        ((-1, 300, 30, STORY_DAY), "seed is -1"),
        ((1, 300, 30, date(2026, 6, 3)), "story day is 2026-06-03"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, word):
    with pytest.raises(UserError, match=word):
        Parameters(*arguments)
