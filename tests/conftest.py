"""Fixtures that every test may use: an embedded PostgreSQL of its own, and empty databases in it.

The session has its own CUSTOMER_TIERS_HOME and none of the developer's connections, so a test can
never reach real data. Both must be set before the package reads them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from customer_tiers.embedded.cluster import Cluster


LONGEST = (
    *("test_night", "test_bad_input", "test_dbt_tiers", "test_services", "test_dbt_facts"),
    *("test_publication", "test_engine", "test_dbt_classes", "test_incremental"),
    *("test_stability", "test_embedded_postgres"),
)
"""Files that begin first, so that no worker ends with a long one while the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_configure() -> None:
    home = Path(tempfile.mkdtemp(prefix="customer-tiers-tests-"))
    home.chmod(0o755)  # root's PostgreSQL runs as nobody, who must get in
    os.environ["CUSTOMER_TIERS_HOME"] = str(home)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
        del os.environ[name]
    from customer_tiers.sources import drops

    drops.SETTLE_SECONDS = 0.0  # tests write a file and read it at once


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["CUSTOMER_TIERS_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded PostgreSQL, started once for all tests; nobody waits for its disk."""
    from customer_tiers.embedded import postgres

    cluster = postgres.start()
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {name} = off")
        connection.execute("select pg_reload_conf()")
    yield cluster
    postgres.stop()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The libpq URL of a fresh, empty database.

    Always of the same name, so that dbt, which keeps what it parsed per database, parses once.
    """
    name = "test_database"
    cluster.drop_database(name)
    yield cluster.ensure_database(name)
    cluster.drop_database(name)
