"""A company of a few customers, as a database or as CSV files, that tests may break and mend.

Its tables have the contract's columns, so its SELECTs are plain. `Night` plays the steps of a night
in the order of the DAG, without Airflow.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import yaml

from customer_tiers import connections, night
from customer_tiers.errors import UserError

DAY = date(2026, 3, 31)

CUSTOMERS = [(f"C{n:02}", f"Customer {n}") for n in range(1, 21)]
PRODUCTS = [("P1", "Oxygen", Decimal("4.00")), ("P2", "Argon", Decimal("7.50"))]


def lines() -> list[dict[str, object]]:
    """Six months of one invoice per customer and month, larger for larger numbers."""
    rows = []
    for n, (customer_id, _) in enumerate(CUSTOMERS, start=1):
        for month in range(6):
            year, index = (2025, 10 + month) if month < 3 else (2026, month - 2)
            rows.append(
                {
                    "invoice_id": f"I{n:02}{month}",
                    "line_no": 1,
                    "customer_id": customer_id,
                    "product_id": "P1" if n % 2 else "P2",
                    "invoice_date": date(year, index, 15),
                    "document_type": "invoice",
                    "quantity": Decimal(10 * n),
                    "net_amount": Decimal(100 * n),
                    "updated_at": f"{date(year, index, 15)} 18:00+00",
                }
            )
    return rows


TABLES = {
    "customers": "customer_id text, name text, updated_at timestamptz",
    "products": "product_id text, name text, standard_cost numeric",
    "invoice_lines": "invoice_id text, line_no int, customer_id text, product_id text, "
    "invoice_date date, document_type text, quantity numeric, net_amount numeric, "
    "updated_at timestamptz",
}


def fill_database(url: str) -> None:
    """Create the company's tables in an empty database."""
    with psycopg.connect(url) as connection:
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
        for customer in CUSTOMERS:
            connection.execute(
                "insert into customers values (%s, %s, '2025-10-01 00:00+00')", customer
            )
        for product in PRODUCTS:
            connection.execute("insert into products values (%s, %s, %s)", product)
        rows = lines()
        names = ", ".join(rows[0])
        places = ", ".join(f"%({name})s" for name in rows[0])
        connection.cursor().executemany(
            f"insert into invoice_lines ({names}) values ({places})", rows
        )


def fill_folder(folder: Path) -> None:
    """Write the company as CSV files, without change times: every night compares all rows."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(
        folder / "customers.csv",
        [dict(zip(("customer_id", "name"), c, strict=True)) for c in CUSTOMERS],
    )
    write_csv(
        folder / "products.csv",
        [dict(zip(("product_id", "name", "standard_cost"), p, strict=True)) for p in PRODUCTS],
    )
    write_lines(folder, lines())


def write_lines(folder: Path, rows: list[dict[str, object]]) -> None:
    """Write invoice lines without their change times."""
    plain = [{k: v for k, v in row.items() if k != "updated_at"} for row in rows]
    write_csv(folder / "invoice_lines.csv", plain)


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows under a header."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def describe(sources: Path, name: str, system: dict[str, str], **others: str) -> None:
    """Write the company's source folder; `others` go into its source.yml."""
    folder = sources / name / "erp"
    folder.mkdir(parents=True)
    (folder.parent / "source.yml").write_text(
        yaml.safe_dump({"name": name, "base_currency": "EUR", "systems": {"erp": system}, **others})
    )
    for table in TABLES:
        (folder / f"{table}.sql").write_text(f"select * from {table}\n")


@dataclass
class Night:
    """Plays nights of one company and looks at what they left."""

    source: str
    path: str | None = None
    number: int = 0

    def run(self, day: date | None = DAY, **accepted: bool) -> night.Run:
        """The next run."""
        self.number += 1
        name = f"test_{self.number}"
        return night.Run(name, self.source, self.path, DAY, day, **accepted)

    def play(self, day: date | None = DAY) -> str:
        """Play a night without the audit and dbt's own tests, which have tests of their own.

        A fault closes it and is raised again.
        """
        run = self.run(day)
        try:
            self.load_run(run)
            settled = night.settle(run)
            for layer in ("facts", "tiers"):
                night.build(run, settled, layer, is_checked=False)
            night.publish(run, settled)
        except UserError as error:
            night.note_fault(run, str(error))
            night.refuse(run)
            raise
        return run.run_id

    def load(self, **accepted: bool) -> list[str]:
        """Play a night up to the load."""
        return self.load_run(self.run(**accepted))

    def load_run(self, run: night.Run) -> list[str]:
        """Begin and load a run."""
        night.begin(run)
        return [line for system in ("erp", "crm") for line in night.load(run, system)]

    def query(self, statement: str) -> list[tuple]:
        """Ask the warehouse."""
        with psycopg.connect(connections.warehouse(self.source)) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def raw(self, table: str) -> list[tuple]:
        """All rows of a raw table without the loader's own columns, in order."""
        rows = self.query(
            f"select to_jsonb(r) - '_run_id' - '_loaded_at' from raw.{table} as r order by 1::text"
        )
        return [row[0] for row in rows]
