from __future__ import annotations

import psycopg


def test_a_test_database_is_empty_and_its_own(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create table only_here (n integer)")
        found = connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'public'"
        )
        assert found.fetchone() == (1,)
