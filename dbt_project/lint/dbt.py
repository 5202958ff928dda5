"""What sqlfluff puts in the place of dbt's cross-database macros; nothing else reads it."""

from __future__ import annotations


def dateadd(part: str, interval: object, date: str) -> str:
    """PostgreSQL's form of dbt.dateadd."""
    return f"{date} + ((interval '1 {part}') * ({interval}))"


def datediff(first: str, second: str, part: str) -> str:
    """A stand-in for dbt.datediff in days."""
    return f"(({second}) - ({first}))"


def date_trunc(part: str, date: str) -> str:
    """PostgreSQL's form of dbt.date_trunc."""
    return f"date_trunc('{part}', {date})"


def generate_series(upper_bound: int) -> str:
    """A stand-in for dbt.generate_series."""
    return f"select {upper_bound} as generated_number"


def type_string() -> str:
    """PostgreSQL's name of a string."""
    return "text"


def listagg(measure: str, delimiter: str, order_by: str) -> str:
    """PostgreSQL's form of dbt.listagg."""
    return f"string_agg({measure}, {delimiter} {order_by})"
