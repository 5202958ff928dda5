"""Numbers of a file are read as their file writes them; what could be two numbers is refused."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import files
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window

LINES = contract.load().entities["erp.invoice_lines"]
HEAD = (
    "select inv as invoice_id, 1 as line_no, 'C' as customer_id, 'P' as product_id, "
    "'2026-01-01' as invoice_date, 'invoice' as document_type, "
)
PLAIN = HEAD + "qty as quantity, net as net_amount from lines"


def read(folder: Path, query: str = PLAIN, **options: object) -> list[tuple[str, str]]:
    """Quantity and net amount of each row."""
    system = System("shop", "erp", "files", {"kind": "files", "path": str(folder), **options})
    with files.connect(system, str(folder)) as opened:
        extract = files.FileExtract(opened, "shop", LINES, query)
        sent = b"".join(bytes(block) for block in extract.copy_csv(Window())).decode()
    at = [extract.columns.index(name) for name in ("quantity", "net_amount")]
    rows = csv.reader(io.StringIO(sent))
    return sorted((row[at[0]], row[at[1]]) for row in rows)


def deliver(folder: Path, *rows: tuple[str, str], name: str = "lines.csv") -> None:
    """A file of quantities and net amounts."""
    text = "".join(f"R{at};{qty};{net}\n" for at, (qty, net) in enumerate(rows))
    (folder / name).write_text("inv;qty;net\n" + text)


def refusal(folder: Path, query: str = PLAIN, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, query, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


@pytest.mark.parametrize("value", ["150.000", "150,000", "-150.000", "150.000 ", "+1.000"])
@pytest.mark.parametrize("others", [[], ["500"], ["0"], ["12000"]])
def test_three_digits_behind_the_only_separator_are_refused(tmp_path, value, others):
    deliver(tmp_path, ("10", value), *(("10", other) for other in others))
    line = refusal(tmp_path)
    for word in ("column net_amount", repr(value), '`decimal: ","`', "replace("):
        assert word in line


@pytest.mark.parametrize(
    ("values", "read_as"),
    [
        (["0.125", "1.234"], ["0.125", "1.234"]),
        (["12.500", "3.5"], ["12.500", "3.5"]),
        (["12.5000", "1.234"], ["12.5000", "1.234"]),
        (["1234.500", "1.234"], ["1234.500", "1.234"]),
        (["1,234.500", "1.234"], ["1234.500", "1.234"]),
        (["0,125", "1,234"], ["0.125", "1.234"]),
        (["0,75", "1.234"], ["0.75", "1234"]),
        (["1234,500", "1,234"], ["1234.500", "1.234"]),
        (["1.234.567", "1.234"], ["1234567", "1234"]),
        (["1,234,567", "1,234"], ["1234567", "1234"]),
        (["-1.234,50", "7"], ["-1234.50", "7"]),
    ],
)
def test_one_value_of_a_column_decides_for_all(tmp_path, values, read_as):
    deliver(tmp_path, *(("1", value) for value in values))
    assert [net for _, net in read(tmp_path)] == sorted(read_as)


@pytest.mark.parametrize(
    ("row", "read_as"),
    [
        (("10,000", "1.000,00"), ("10.000", "1000.00")),
        (("10.000", "1.000,00"), ("10000", "1000.00")),
        (("10.000", "1,000.00"), ("10.000", "1000.00")),
        (("10,000", "1,000.00"), ("10000", "1000.00")),
        (("10.000", "1000.00"), ("10.000", "1000.00")),
    ],
)
def test_another_number_of_the_file_decides(tmp_path, row, read_as):
    deliver(tmp_path, row)
    assert read(tmp_path) == [read_as]


def test_another_file_does_not_decide(tmp_path):
    deliver(tmp_path, ("10.000", "5"))
    (tmp_path / "prices.csv").write_text("inv;net\nR0;1.000,00\n")
    query = PLAIN.replace("net as", "prices.net as").replace(
        "lines", "lines join prices using(inv)"
    )
    assert "column quantity" in refusal(tmp_path, query)


@pytest.mark.parametrize("style", ["comma", "point"])
@pytest.mark.parametrize("value", ["150.000", "150,000"])
def test_the_advised_sql_reads_the_number(tmp_path, value, style):
    deliver(tmp_path, ("10", value))
    line = refusal(tmp_path)
    both = line.partition("write in the SELECT ")[2]
    comma, _, point = both.partition(" for a decimal comma, ")
    sql = comma if style == "comma" else point.removesuffix(" for a decimal point")
    [(_, net)] = read(tmp_path, PLAIN.replace("net as", f"{sql} as"))
    is_decimal = (style == "comma") == ("," in value)
    assert Decimal(net) == (150 if is_decimal else 150_000)


@pytest.mark.parametrize("value", ["150.000", "150,000"])
@pytest.mark.parametrize("decimal", [",", "."])
def test_the_option_decides_for_system_or_table(tmp_path, value, decimal):
    deliver(tmp_path, ("10", value))
    expected = 150 if decimal in value else 150_000
    for options in (
        {"decimal": decimal},
        {"tables": {"lines": {"files": "*", "decimal": decimal}}},
    ):
        [(_, net)] = read(tmp_path, **options)
        assert Decimal(net) == expected


@pytest.mark.parametrize(
    ("value", "decimal"), [("1234.50", ","), ("1.234,50", "."), ("0.125", ",")]
)
def test_a_value_against_the_option_is_refused(tmp_path, value, decimal):
    deliver(tmp_path, ("10", value))
    line = refusal(tmp_path, decimal=decimal)
    assert repr(value) in line
    assert "`decimal` in source.yml" in line


@pytest.mark.parametrize(
    "calculated",
    [
        "replace(qty, ',', '.')",
        "replace(qty, ',', '.')::decimal(18, 3)",
        "cast(replace(qty, ',', '.')::decimal(18, 3) as varchar)",
        "trim(replace(qty, ',', '.'))",
        "regexp_replace(qty, ',', '.')",
        "(select replace(qty, ',', '.'))",
    ],
)
def test_what_the_select_calculates_is_taken_as_it_is(tmp_path, calculated):
    deliver(tmp_path, ("10,000", "1.000,00"))
    query = PLAIN.replace("qty as", f"{calculated} as")
    within = f"with made as (select inv, net, {calculated} as qty from lines) {PLAIN}"
    for one in (
        query,
        within.replace("from lines", "from made").replace("from made)", "from lines)"),
    ):
        [(quantity, net)] = read(tmp_path, one)
        assert (Decimal(quantity), net) == (10, "1000.00")


@pytest.mark.parametrize(
    "handed_on",
    [
        "trim(net)",
        "nullif(trim(net), '')",
        "coalesce(net, '0')",
        "case when qty <> '0' then net else '0' end",
        "max(net) over (partition by inv)",
        "net::text",
        "(select l.net)",
    ],
)
def test_what_the_select_only_hands_on_is_judged(tmp_path, handed_on):
    query = PLAIN.replace("net as", f"{handed_on} as").replace("from lines", "from lines as l")
    deliver(tmp_path, ("1", "150.000"))
    assert "column net_amount" in refusal(tmp_path, query)
    deliver(tmp_path, ("1", "150.000,00"))
    assert read(tmp_path, query) == [("1", "150000.00")]


@pytest.mark.parametrize(
    "query",
    [
        f"select * from ({PLAIN})",
        f"with a as ({PLAIN}), b as (select * from a) select * from b",
        f"{PLAIN} union all {PLAIN.replace('lines', 'more')}",
        PLAIN.replace("from lines", "from lines join more using (inv, qty, net)"),
        PLAIN.replace("qty as", "l.qty as").replace("from lines", "from lines as l"),
    ],
)
def test_a_column_is_followed_through_the_select(tmp_path, query):
    deliver(tmp_path, ("10.000", "7"))
    deliver(tmp_path, ("10.000", "7"), name="more.csv")
    assert "column quantity" in refusal(tmp_path, query)


def test_a_column_that_is_calculated_in_part_is_refused(tmp_path):
    deliver(tmp_path, ("1", "1,250"), ("2", "1.500,00"))
    query = PLAIN.replace("net as", "case qty when '1' then replace(net, ',', '.') else net end as")
    assert "calculates some of its values" in refusal(tmp_path, query)


def test_a_column_that_holds_both_ways_is_refused(tmp_path):
    deliver(tmp_path, ("1", "1.234,5"), ("1", "1,234.5"))
    line = refusal(tmp_path)
    assert "'1.234,5' with a decimal comma" in line
    assert "'1,234.5' with a decimal point" in line


def test_a_value_of_another_kind_stays_as_it_is_for_the_message(tmp_path):
    deliver(tmp_path, ("1", "1.000,00"), ("1", "500,00-"), ("1", "12.34,5"))
    assert [net for _, net in read(tmp_path)] == ["1000.00", "12.34,5", "500,00-"]
