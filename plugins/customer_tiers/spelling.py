"""References written otherwise than the number they mean: c02 or `C02 ` for C02.

MariaDB and SQL Server compare without case, so such references work there. One is taken for a
number if only that one is alike; where a number is there to the letter it is meant, so ids that
differ in case alone stay apart. One SQL serves the warehouse and the scratch tables of a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from customer_tiers.contract import Entity
from customer_tiers.identity.names import PLAIN, WIDE

REFERENCES = {
    "customer_id": "erp.customers",
    "product_id": "erp.products",
    "account_id": "crm.accounts",
}
"""Column -> the entity whose key it holds in every other entity."""

MATCHES = """
select unknown.written, min(known.id), count(*), min(unknown.lines)
from (
    select line."{column}" as written, count(*) as lines
    from {rows} as line
    where
        line."{column}" is not null
        and not exists (select 1 from {target} as owner where owner."{column}" = line."{column}")
    group by line."{column}"
) as unknown
inner join (select distinct "{column}" as id from {target}) as known
    on upper(trim(translate(known.id, '{wide}', '{plain}')))
    = upper(trim(translate(unknown.written, '{wide}', '{plain}')))
group by unknown.written
order by 1
"""

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs a statement and returns its rows."""


@dataclass(frozen=True)
class Spelling:
    """`rows` rows name `written` where the entity `target` has `number`, or several alike."""

    column: str
    target: str
    written: str
    number: str
    alike: int
    rows: int

    def line(self) -> str:
        """What a reader is told of it."""
        found = f"{self.rows:,} rows name {self.written!r} where {self.target} has {self.number!r}"
        if self.alike > 1:
            return (
                f"{found} and {self.alike - 1} more that differ from it only in case or blanks, so "
                "none is taken; write the number as it is there in the SELECT"
            )
        return (
            f"{found} (other case or blanks), and are read so; write both alike in the SELECT, for "
            f"example upper(trim({self.column}))"
        )


def columns(entity: Entity) -> Iterator[tuple[str, str]]:
    """Yield the columns of the entity that refer to another one, and that one's name.

    What is part of a key stays as it is written.
    """
    for column, target in REFERENCES.items():
        if column in entity.column_names and column not in entity.key and entity.name != target:
            yield column, target


def find(ask: Ask, column: str, target: str, rows: str, known: str) -> list[Spelling]:
    """The references of a column that are no number of the target, but are alike to one.

    Args:
        ask: To the database that holds both.
        column: The column, named so in both.
        target: Entity that it refers to.
        rows: Its table, quoted.
        known: The target's table, quoted.
    """
    statement = MATCHES.format(column=column, rows=rows, target=known, wide=WIDE, plain=PLAIN)
    return [Spelling(column, target, *found) for found in ask(statement)]


def update(spelling: Spelling, rows: str) -> str:
    """The statement that writes the number in the place of what is alike to it."""
    number, written = (v.replace("'", "''") for v in (spelling.number, spelling.written))
    column = spelling.column
    return f"update {rows} set \"{column}\" = '{number}' where \"{column}\" = '{written}'"  # noqa: S608
