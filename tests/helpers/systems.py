"""Databases with the tables of Odoo and ERPNext, empty, and what a source folder reads of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import psycopg
import sqlalchemy as sa

from customer_tiers import contract
from customer_tiers.sources import definition, opening
from customer_tiers.sources.extract import Window

SCHEMAS = Path(__file__).parent / "schemas"
TERMS = contract.load()
WHOLE = Window(None, None)


def create_odoo(url: str) -> None:
    """Create the tables of Odoo in an empty PostgreSQL database."""
    with psycopg.connect(url) as connection:
        connection.execute((SCHEMAS / "odoo.sql").read_text(encoding="utf-8"))


def create_erpnext(url: str) -> None:
    """Create the tables of ERPNext in an empty MariaDB database."""
    change_mariadb(url, (SCHEMAS / "erpnext.sql").read_text(encoding="utf-8"))


def change_postgres(url: str, statements: str) -> None:
    """Run statements on a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        connection.execute(statements)  # type: ignore[call-overload]


def change_mariadb(url: str, statements: str) -> None:
    """Run statements, each of which ends in a semicolon and a line end, on a MariaDB database."""
    engine = sa.create_engine(url.replace("mysql://", "mysql+pymysql://"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.strip().rstrip(";").replace("%", "%%"))


def rows(name: str, entity: str, window: Window = WHOLE) -> list[dict[str, str]]:
    """What a source delivers of an entity, as text."""
    source = definition.load(name, TERMS)
    with opening.opened(source, entity.split(".")[0], None) as open_extract:
        extract = open_extract(TERMS.entities[entity], None)
        assert extract is not None
        content = b"".join(bytes(block) for block in extract.copy_csv(window)).decode()
        names: Sequence[str] = extract.columns
    return [dict(zip(names, row, strict=True)) for row in csv.reader(io.StringIO(content))]


def by(key: str, found: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Rows by the value of a column."""
    return {row[key]: row for row in found}
