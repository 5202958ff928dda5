"""A warehouse for tests of what dbt builds: rows go in through the loader, nights by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from customer_tiers import contract, transform
from customer_tiers.load import dirty, tables, upsert

Row = Mapping[str, Any]

REMEMBERED = ("tier_decision", "window_rate", "policy")
"""Tables that a night reads from the last published one."""


def keep(url: str) -> None:
    """Let tonight's candidates stand as published, for the next night to remember."""
    with psycopg.connect(url) as connection:
        for name in REMEMBERED:
            if connection.execute("select to_regclass(%s)", [f"candidate.{name}"]).fetchone() == (
                None,
            ):
                continue  # a part of the models was built
            for statement in (
                "create table if not exists bi.{0} (like candidate.{0})",
                "delete from bi.{0} where business_date in "
                "(select business_date from candidate.{0})",
                "insert into bi.{0} select * from candidate.{0}",
            ):
                connection.execute(statement.format(name))  # type: ignore[call-overload]


class Warehouse:
    """One company's warehouse in a database of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.contract = contract.load()
        with psycopg.connect(url) as connection:
            tables.prepare(connection, self.contract, "test")

    def load(self, **entities: Iterable[Row]) -> None:
        """Replace entities, named like `erp_customers`, the way a complete extract would."""
        for table, rows in entities.items():
            entity = self.contract.entities[table.replace("_", ".", 1)]
            with psycopg.connect(self.url) as connection:
                stage = sql.SQL(tables.create_stage(connection, entity))  # type: ignore[arg-type]
                names = list(entity.column_names)
                columns = sql.SQL(", ").join(map(sql.Identifier, names))
                copy = sql.SQL("copy {} ({}) from stdin").format(stage, columns)
                with connection.cursor().copy(copy) as target:
                    for row in rows:
                        target.write_row([row.get(name) for name in names])
                upsert.apply(connection, entity, "test", is_complete=True)
                # What changed in costs, rates and products, the facts must find by themselves.
                dirty.mark(connection, entity)

    def build(
        self, business_date: str, *select: str, base_currency: str = "EUR", **options: Any
    ) -> dict[str, int]:
        """Run dbt for a night, without the models' data tests unless `is_checked`.

        Seeds and views that are there are left as they are: they say the same every night.
        """
        options.setdefault("is_checked", False)
        is_partial = any(not name.startswith(("+", "tag:facts")) for name in select)
        if not options["is_checked"] and not is_partial:
            options["exclude"] = self._standing()
        return transform.run(
            self.url,
            select=list(select) or None,
            variables={
                "business_date": business_date,
                "base_currency": base_currency,
                "source": "test",
            },
            run_id=f"test_{business_date}",
            **options,
        )

    def _standing(self) -> list[str]:
        """Seeds and staging views that an earlier build made and another would only make again.

        Other views go with the tables under them, which are dropped and made anew.
        """
        rows = self.query(
            "select table_name from information_schema.tables where table_schema = 'policy' or "
            "table_schema = 'candidate' and table_type = 'VIEW' and table_name like 'stg%'"
        )
        return [name for (name,) in rows]

    def publish(self) -> None:
        """Keep what the next night remembers of tonight the way a published night does."""
        keep(self.url)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]
