"""`tiers source`, `tiers quarantine` and `tiers match` as a person at a shell has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from customer_tiers import settings
from customer_tiers.cli import app
from customer_tiers.errors import UserError
from helpers import small_company
from helpers.small_company import Night


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SOURCES", folder)
        yield folder


@pytest.fixture(scope="module")
def kiosk(cluster, sources, tmp_path_factory) -> Iterator[Night]:
    """A company of CSV files, one of whose lines is of a customer that nobody knows."""
    folder = tmp_path_factory.mktemp("kiosk")
    small_company.fill_folder(folder)
    rows = small_company.lines()
    rows[5]["customer_id"] = "C99"
    small_company.write_lines(folder, rows)
    small_company.describe(sources, "kiosk", {"kind": "files", "path": str(folder)})
    company = Night("kiosk", path=str(folder))
    company.play()
    yield company
    cluster.drop_database("warehouse_kiosk")


def tiers(*words: str, code: int = 0) -> list[str]:
    """What a command of `tiers` prints, in lines."""
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output.splitlines()


def of_kiosk(*words: str) -> list[str]:
    return tiers(*words, "--source", "kiosk")


def test_a_table_that_the_user_may_not_read_is_named_with_what_to_grant(cluster, sources):
    url = cluster.ensure_database("guarded_erp")
    small_company.fill_database(url)
    with psycopg.connect(url) as connection:
        connection.execute("create role half_blind login password 'half'")
        connection.execute("grant select on customers, invoice_lines to half_blind")
    small_company.describe(sources, "guarded", {"kind": "sql", "connection": "erp"})
    address = url.split("@", 1)[1]
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AIRFLOW_CONN_ERP", f"postgresql://half_blind:half@{address}")
            lines = tiers("source", "check", "guarded", code=1)
            with psycopg.connect(url) as connection:
                connection.execute("grant select on products to half_blind")
            assert any("usable" in line for line in tiers("source", "check", "guarded"))
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("drop owned by half_blind; drop role half_blind")
        cluster.drop_database("guarded_erp")
    [fault] = [line for line in lines if "permission denied for table products" in line]
    assert "erp.products" in fault
    assert "grant SELECT on it to the user of the connection" in fault
    assert any("erp.customers: 20 rows" in line for line in lines), "the others are checked"


def test_a_row_that_waits_is_listed_shown_offered_again_and_given_up(kiosk):
    listed, counted = of_kiosk("quarantine", "list")
    assert counted == "1 rows, 1 broken rules"
    entity, key = listed.split()[:2]
    assert (entity, key) == ("erp.invoice_lines", "I015|1")
    assert "C99" in "\n".join(of_kiosk("quarantine", "show", entity, key))
    assert any("0 new" in line and "1 quarantined" in line for line in of_kiosk(*REPLAY))
    assert of_kiosk("quarantine", "list")[-1] == counted, "it is as bad as before"
    of_kiosk("quarantine", "drop", entity, "--key", key, "--reason", "a test of the till")
    assert of_kiosk("quarantine", "list") == ["0 rows, 0 broken rules"]
    assert "a test of the till" in of_kiosk("quarantine", "list", "--all")[0]
    assert "nothing waits in quarantine" in of_kiosk(*REPLAY)


REPLAY = ("quarantine", "replay")


def test_decisions_on_who_is_who_are_kept_listed_and_undone(kiosk):
    [said] = of_kiosk("match", "merge", "C01", "C02", "--reason", "one owner", "--by", "Li")
    number = said.split()[1]
    assert said == f"decision {number} holds from the next night on; tiers match undo {number}"
    [kept] = of_kiosk("match", "list", "--decided")
    assert "merge C01 C02, Li on " in kept
    assert kept.endswith(": one owner")
    assert of_kiosk("match", "undo", number) == ["undone: merge of C01 and C02"]
    assert "undone by" in of_kiosk("match", "list", "--decided")[0]
    with pytest.raises(UserError, match="there is none, or it is undone already"):
        of_kiosk("match", "undo", number)
    with pytest.raises(UserError, match="C98"):
        of_kiosk("match", "merge", "C98", "C02", "--reason", "nobody")
    with pytest.raises(UserError, match="C03 is not merged into another one; there is nothing"):
        of_kiosk("match", "split", "C03", "--reason", "never merged")
