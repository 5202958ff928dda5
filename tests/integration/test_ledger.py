"""The sample company's P&L to the cent: against its ledger, and against a reckoning of our own.

The reckoning is plain Python over what the ERP's and CRM's SELECTs return and shares no SQL with
the models. One night is built; what breaks afterwards rebuilds the few models that see it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

import pandas as pd
import psycopg
import pytest

from customer_tiers import connections, night, sample, settings, transform
from customer_tiers.errors import UserError
from helpers.waterfall_reference import probable_day

DAY = date(2026, 6, 30)
"""The last day of a month, so that windows of twelve months are whole months."""

EVENINGS = (date(2026, 6, 10), date(2026, 6, 28), date(2026, 6, 29), DAY)
"""The ledger is carried on from evening to evening, late invoices included."""

CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")
COLUMNS = {
    "gross_revenue": 1,
    "net_revenue": 1,
    "cogs": -1,
    "freight_cost": -1,
    "cost_to_serve": -1,
    "receivable_financing_cost": -1,
    "bad_debt_cost": -1,
}
PNL = [*COLUMNS, "cm1", "cm2", "cm3", "contribution"]


class Company:
    """The sample company of 150 customers, brought forward, with one night up to the audit."""

    def __init__(self, cluster: Any) -> None:
        self.erp = cluster.ensure_database("sample_erp")
        self.crm = cluster.ensure_database("sample_crm")
        sample.create(self.erp, self.crm, customers=150, months=16, through=EVENINGS[0])
        for evening in EVENINGS[1:]:
            sample.advance(self.erp, self.crm, through=evening)
        self.run = night.Run("night_1", "sample", None, DAY, DAY)
        night.begin(self.run)
        for system in ("erp", "crm"):
            night.load(self.run, system)
        for layer in ("facts", "tiers"):
            night.build(self.run, DAY.isoformat(), layer, is_checked=False)

    def rebuild(self, *models: str) -> None:
        """Build some models again after a change in raw."""
        transform.run(
            connections.warehouse("sample"),
            select=list(models),
            variables={
                "business_date": DAY,
                "base_currency": "EUR",
                "rounding": "line",
                "source": "sample",
            },
            run_id=self.run.run_id,
        )

    def change(self, statement: str) -> None:
        with psycopg.connect(connections.warehouse("sample")) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def query(self, statement: str) -> pd.DataFrame:
        return frame(connections.warehouse("sample"), statement)

    def extract(self, entity: str) -> pd.DataFrame:
        """What the source's SELECT returns."""
        path = settings.SOURCES / "sample" / f"{entity.replace('.', '/')}.sql"
        url = self.erp if entity.startswith("erp.") else self.crm
        return frame(url, path.read_text(encoding="utf-8"))


def frame(url: str, statement: str) -> pd.DataFrame:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        names = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)


@pytest.fixture(scope="module")
def company(cluster: Any) -> Iterator[Company]:
    yield Company(cluster)
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)


def test_p10_every_month_reconciles_to_the_cent(company: Company) -> None:
    rows = company.query("select * from candidate.ledger_reconciliation order by 1, 2")
    assert len(rows) == 16 * 3
    assert set(rows["difference"]) == {Decimal("0.00")}
    assert set(rows["other_total"]) == {Decimal("0.00")}
    assert set(rows[~rows["is_open"].astype(bool)]["verdict"]) == {"reconciled"}
    assert set(rows[rows["is_open"].astype(bool)]["month_start_date"]) == {DAY.replace(day=1)}
    assert (rows["customers_total"] > 0).all()
    assert rows["excluded_customers_total"].sum() > 0, "nothing was sold within the group"


def test_a_late_invoice_changes_the_month_of_its_date_in_the_ledger_too(company: Company) -> None:
    """The story: dated ten weeks back, entered on the night's day."""
    [changed_on] = company.query(
        "select updated_at from raw.erp_gl_controls "
        "where period = '2026-04-01' and account_kind = 'revenue'"
    )["updated_at"]
    assert changed_on.date() == DAY


def test_months_of_posting_hold_what_months_of_sale_hold(company: Company) -> None:
    """The two only date returns differently, and some are of another month than their sale."""
    kinds = {"revenue": "net_revenue", "cogs": "cogs", "freight": "freight_cost"}
    posted = company.query(
        "select month_start_date, account_kind, customers_total "
        "from candidate.ledger_reconciliation"
    ).pivot(index="month_start_date", columns="account_kind", values="customers_total")
    sold = company.query(
        "select month_start_date, sum(net_revenue) as net_revenue, sum(cogs) as cogs, "
        "sum(freight_cost) as freight_cost from candidate.customer_contribution "
        "group by month_start_date"
    ).set_index("month_start_date")
    for kind, column in kinds.items():
        assert posted[kind].sum() == sold[column].sum()
    moved = posted["revenue"] - sold["net_revenue"].reindex(posted.index)
    assert (moved != 0).sum() > 10


def cents(amount: Decimal) -> Decimal:
    """What the ERP books, which rounds each line."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def shown(amount: Decimal) -> str:
    """As a message prints it."""
    return f"{amount:f}".rstrip("0").rstrip(".")


def money(amount: Decimal) -> Decimal:
    """What nobody books."""
    return amount.quantize(MILLIONTH, ROUND_HALF_UP)


def seed(name: str) -> list[dict[str, str]]:
    with (settings.DBT_PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def plain(number: str | None) -> str:
    return "".join(filter(str.isalnum, number or "")).upper()


def month(day: date) -> date:
    return day.replace(day=1)


@dataclass
class Dated:
    """Values that hold from a day on, per key."""

    values: dict[str, list[tuple[date, Decimal]]]

    @staticmethod
    def of(rows: pd.DataFrame, key: str, value: str) -> Dated:
        found: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        for row in rows.sort_values("valid_from").to_dict("records"):
            found[row[key]].append((row["valid_from"], row[value]))
        return Dated(found)

    def at(self, key: str, day: date) -> Decimal | None:
        known = [value for start, value in self.values.get(key, ()) if start <= day]
        return known[-1] if known else None


class Reckoning:
    """The P&L of each customer and month, line by line and day by day."""

    def __init__(self, company: Company) -> None:
        self.rates = Dated.of(company.extract("erp.fx_rates"), "currency", "rate")
        self.costs = Dated.of(company.extract("erp.product_costs"), "product_id", "unit_cost")
        self.drivers = {row["driver"]: Decimal(row["rate"]) for row in seed("cost_rates")}
        [self.interest] = [Decimal(row["annual_rate"]) for row in seed("financing_rates")]
        people = company.extract("erp.customers").set_index("customer_id")
        self.internal = set(people[people["status"] == "internal"].index)
        self.survivor = {name: self.left(people, name) for name in people.index}
        self.tax = people["tax_id"]
        self.pnl: dict[str, dict[tuple[str, date], Decimal]] = {
            column: defaultdict(Decimal) for column in COLUMNS
        }
        self.sales(company.extract("erp.invoice_lines"))
        self.owed(company.extract("erp.receivables"))
        self.service(company)

    @staticmethod
    def left(people: pd.DataFrame, name: str) -> str:
        while isinstance(people.at[name, "merged_into_id"], str):
            name = people.at[name, "merged_into_id"]
        return name

    def add(self, column: str, customer: str, day: date, amount: Decimal) -> None:
        survivor = self.survivor[customer]
        if survivor not in self.internal:
            self.pnl[column][survivor, month(day)] += amount

    def euro(self, amount: Decimal | None, currency: str, day: date) -> Decimal:
        rate = Decimal(1) if currency == "EUR" else self.rates.at(currency, day)
        return cents((amount or Decimal(0)) * rate)

    def sales(self, lines: pd.DataFrame) -> None:
        posted = lines[lines["posted"].astype(bool) & (lines["invoice_date"] <= DAY)]
        sold = dict(posted[["invoice_id", "invoice_date"]].to_numpy())
        drops = set()
        sales = posted[posted["document_type"] == "invoice"].to_dict("records")
        for line in posted.to_dict("records"):
            is_return = line["document_type"] == "credit_note"
            day, sign, customer = line["invoice_date"], 1, line["customer_id"]
            if is_return:
                day, sign = sold.get(line["original_invoice_id"], day), -1
            worth = partial(self.euro, currency=line["currency"], day=day)
            cost = cents(line["quantity"] * self.costs.at(line["product_id"], day))
            if line["cost_amount"] is not None:
                cost = worth(line["cost_amount"])
            if is_return and line["original_invoice_id"] is None:
                day = probable_day(line, sales)
            for column, amount in (
                ("gross_revenue", worth(line["list_amount"])),
                ("net_revenue", worth(line["net_amount"])),
                ("cogs", cost),
                ("freight_cost", worth(line["freight_amount"])),
            ):
                if not (is_return and column == "gross_revenue"):
                    self.add(column, customer, day, sign * amount)
            driver = "return_line" if is_return else "order_line"
            self.add("cost_to_serve", customer, day, self.drivers[driver])
            if not is_return:
                drops.add((line["invoice_id"], customer, day))
        for _, customer, day in drops:
            self.add("cost_to_serve", customer, day, self.drivers["drop"])

    def owed(self, items: pd.DataFrame) -> None:
        owed: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for item in items.to_dict("records"):
            issued, currency, customer = item["issued"], item["currency"], item["customer_id"]
            amount, paid, lost = (
                self.euro(item[name], currency, issued)
                for name in ("amount", "paid_amount", "written_off_amount")
            )
            settled = item["paid_date"]
            if settled is None and (paid or lost):
                settled = item["due_date"]
            if lost and settled <= DAY:
                self.add("bad_debt_cost", customer, settled, lost)
            rest = max(amount - paid - lost, Decimal(0))
            day = issued
            while day <= DAY and (rest or settled is None or day < settled):
                is_settled = settled is not None and day >= settled
                owed[self.survivor[customer], month(day)] += rest if is_settled else amount
                day += timedelta(days=1)
        for (customer, start), amount in owed.items():
            self.add(
                "receivable_financing_cost", customer, start, money(amount * self.interest / 365)
            )

    def service(self, company: Company) -> None:
        customer = self.accounts(company.extract("crm.accounts").set_index("account_id"))
        minutes: dict[tuple[str, date], int] = defaultdict(int)
        for row in company.extract("crm.activities").to_dict("records"):
            account, day = row["account_id"], row["at"].date()
            if customer.get(account) is None or day > DAY:
                continue
            if row["kind"] in ("visit", "meeting"):
                minutes[account, day] += 0 if pd.isna(row["minutes"]) else row["minutes"]
            if row["kind"] == "call":
                self.add("cost_to_serve", customer[account], day, self.drivers["call"])
        for (account, day), length in minutes.items():
            cost = money(length * self.drivers["visit_hour"] / 60)
            self.add("cost_to_serve", customer[account], day, cost)
        for row in company.extract("crm.cases").to_dict("records"):
            account, day = row["account_id"], row["opened_at"].date()
            if customer.get(account) is not None and day <= DAY:
                self.add("cost_to_serve", customer[account], day, self.drivers["ticket"])

    def accounts(self, accounts: pd.DataFrame) -> dict[str, str | None]:
        """The customer of each account: the one it names, else the only one with its tax number."""
        owners: dict[str, set[str]] = defaultdict(set)
        for survivor in self.survivor.values():
            owners[plain(self.tax[survivor])].add(survivor)

        def match(account: str) -> str | None:
            named, number = accounts.at[account, "erp_customer_id"], accounts.at[account, "tax_id"]
            if named in self.survivor:
                return self.survivor[named]
            sharing = owners[plain(number)] if plain(number) else set()
            return next(iter(sharing)) if len(sharing) == 1 else None

        return {name: match(self.left(accounts, name)) or match(name) for name in accounts.index}

    def table(self) -> pd.DataFrame:
        table = pd.DataFrame(self.pnl).map(lambda value: Decimal(0) if pd.isna(value) else value)
        margin = table["net_revenue"] - table["cogs"]
        table["cm1"] = margin
        table["cm2"] = margin = margin - table["freight_cost"]
        table["cm3"] = margin = margin - table["cost_to_serve"]
        table["contribution"] = margin - table["receivable_financing_cost"] - table["bad_debt_cost"]
        return table


def test_a_reckoning_of_our_own_finds_the_same_pnl(company: Company) -> None:
    built = company.query(
        f"select customer_id, month_start_date, {', '.join(PNL)} "
        "from candidate.customer_contribution"
    ).set_index(["customer_id", "month_start_date"])
    ours = Reckoning(company).table()
    keys = built.index.union(ours.index)
    built, ours = (
        rows.reindex(keys).map(lambda value: Decimal(0) if pd.isna(value) else value)
        for rows in (built, ours)
    )
    for column in PNL:
        off = built[column][built[column] != ours[column]]
        shown = [(key, value, ours[column][key]) for key, value in off.items()]
        assert shown == [], f"{column}: {len(shown)} of {len(keys)}"
        assert (ours[column] != 0).any(), f"{column}: nothing to compare"
    assert len(keys) > 1_000


def test_p28_customers_and_the_unallocated_make_the_ledger_whoever_is_left_out(
    company: Company,
) -> None:
    """A customer becomes internal, another is listed no more: money moves, none is lost."""
    before = company.query(TOTALS)
    pick = (
        "select customer_id from candidate.customer_contribution group by 1 "
        "order by sum(net_revenue) desc limit 1"
    )
    company.change(f"update raw.erp_customers set status = 'internal' where customer_id = ({pick})")
    company.change(
        "delete from raw.erp_customers where customer_id = ("
        f"{pick.replace('limit 1', 'offset 5 limit 1')})"
    )
    company.rebuild(
        *("int_customers_resolved", "int_customers_excluded"),
        *("int_postings_aggregated_to_months", "ledger_reconciliation"),
    )
    after = company.query(TOTALS)
    assert list(after["difference"]) == [Decimal("0.00")] * 3
    assert list(after["ledger_total"]) == list(before["ledger_total"])
    moved = after["unallocated_total"] - before["unallocated_total"]
    assert (moved > 0).all()
    assert list(before["customers_total"] - after["customers_total"]) == list(moved)


TOTALS = (
    "select account_kind, sum(ledger_total) as ledger_total, sum(customers_total) "
    "as customers_total, sum(unallocated_total) as unallocated_total, "
    "sum(abs(difference)) as difference from candidate.ledger_reconciliation group by 1 order by 1"
)
OFF = (
    "update raw.erp_gl_controls set amount = amount + {by} "
    "where account_kind = '{kind}' and period = '{month}'"
)


def test_a_ledger_off_by_less_than_the_limit_is_published_and_by_more_stops_the_night(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    company.change(OFF.format(by="1.00", kind="cogs", month="2026-05-01"))
    company.change(OFF.format(by="5000", kind="revenue", month="2026-06-01"))
    company.rebuild("int_ledger_totals_known", "ledger_reconciliation")
    night.audit(company.run)
    assert night.publish(company.run, DAY.isoformat()).startswith("published 2026-06-30")
    [(cogs,), (revenue,)] = company.query(
        "select difference from bi.ledger_reconciliation where difference <> 0 order by 1"
    ).to_numpy()
    assert (cogs, revenue) == (Decimal("1.00"), Decimal("5000.00"))

    company.change(OFF.format(by="-1234.56", kind="revenue", month="2026-04-01"))
    company.rebuild("int_ledger_totals_known", "ledger_reconciliation")
    [row] = company.query(
        "select ledger_total, customers_total, unallocated_total "
        "from candidate.ledger_reconciliation where verdict = 'beyond_limit'"
    ).to_dict("records")
    with pytest.raises(UserError) as stopped:
        night.audit(company.run)
    line = str(stopped.value)
    assert "\n" not in line
    assert (
        f"2026-04-01|revenue (ledger_total {shown(row['ledger_total'])}, "
        f"customers_total {shown(row['customers_total'])}, "
        f"unallocated_total {shown(row['unallocated_total'])}, difference -1234.56)"
    ) in line
    assert "source sample, bi.ledger_reconciliation" in line

    company.change(
        "insert into quarantine.rows (entity, row_key, rule, reason, row_data, first_seen_run, "
        "last_seen_run) select 'erp.invoice_lines', 'I1|1', rule, 'bad', "
        "'{\"invoice_date\": \"2026-04-30\"}', 'x', 'x' from unnest(array['a', 'b']) as rule"
    )
    company.rebuild("ledger_reconciliation")
    night.audit(company.run)
    [warning] = [text for text in caplog.messages if "difference_needs_no_excuse" in text]
    assert "1 of 48 rows" in warning, "cogs and freight of April agree"
    assert "difference -1234.56, quarantined_lines 1" in warning
