"""A running PostgreSQL cluster: its address and its databases."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import psycopg
from psycopg import sql

USER = "customer_tiers"
"""Superuser of the embedded cluster."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A running cluster and how to reach it."""

    host: str
    port: int
    user: str
    password: str = dataclasses.field(repr=False)
    pid: int
    data: Path

    def url(self, database: str) -> str:
        """Return the libpq URL of a database."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def ensure_database(self, name: str) -> str:
        """Create a database unless it is there, and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [name])
            if found.fetchone() is None:
                twice = (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
                with contextlib.suppress(*twice):  # another process made it meanwhile
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database with its connections, if it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            statement = sql.SQL("drop database if exists {} with (force)")
            connection.execute(statement.format(sql.Identifier(name)))

    def server_version(self) -> str:
        """Version as the running server reports it."""
        with psycopg.connect(self.url("postgres")) as connection:
            row = connection.execute("show server_version").fetchone()
        return str(row[0]) if row else ""
