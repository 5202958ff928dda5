"""Nights of a source that is asked over REST for what changed, from a real server into raw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml

from customer_tiers import settings
from customer_tiers.errors import UserError
from customer_tiers.sources import rest
from helpers import small_company
from helpers.http_api import Answer, Server
from helpers.small_company import Night

JOINED = (
    "select people.id as owner_id, teams.name, people.modified as updated_at "
    "from people inner join teams on people.team = teams.id"
)
QUERY = "select id as owner_id, name, modified as updated_at from people"
PEOPLE = {
    "path": "/people",
    "records": "items",
    "paging": {"kind": "page", "size": 3},
    "since": {"parameter": "modified_since"},
    "columns": ["id", "name", "modified"],
}


class People:
    """What the API knows, and how it tells those that changed since a moment, in pages."""

    def __init__(self) -> None:
        self.rows = {
            n: {"id": n, "name": f"P{n}", "modified": f"2026-01-0{n}T10:00:00Z"}
            for n in range(1, 8)
        }
        self.fails_at_page = 0

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        number = int(query["page"])
        if number == self.fails_at_page:
            return 500, {}, {}
        since = query.get("modified_since", "")
        found = [row for row in self.rows.values() if row["modified"] >= since]
        return 200, {"items": found[3 * number - 3 : 3 * number]}, {}


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    found = Server()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"http://reader:secret@{found.address}/api/")
    monkeypatch.setattr(rest, "FIRST_PAUSE_SECONDS", 0.001)
    yield found
    found.http.shutdown()


@pytest.fixture
def company(cluster, monkeypatch, tmp_path) -> Iterator[Night]:
    """Files of an ERP, and a CRM that is asked over REST."""
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    small_company.fill_folder(tmp_path / "files")
    erp = {"kind": "files", "path": str(tmp_path / "files")}
    small_company.describe(tmp_path, "resting", erp)
    described = yaml.safe_load((tmp_path / "resting" / "source.yml").read_text())
    described["systems"]["crm"] = {
        **{"kind": "rest", "connection": "crm", "tables": {"people": PEOPLE}}
    }
    (tmp_path / "resting" / "source.yml").write_text(yaml.safe_dump(described))
    (tmp_path / "resting" / "crm").mkdir()
    (tmp_path / "resting" / "crm" / "owners.sql").write_text(QUERY)
    yield Night("resting")
    cluster.drop_database("warehouse_resting")


def names(company: Night) -> list[str]:
    return [name for (name,) in company.query("select name from raw.crm_owners order by owner_id")]


def test_nights_ask_for_what_changed_and_lose_nothing_of_what_did_not(server, company):
    people = People()
    server.answer = people.answer
    company.load()
    assert names(company) == [f"P{n}" for n in range(1, 8)]
    assert not any("modified_since" in query for _, query, _ in server.asked)

    people.rows[2] |= {"name": "Li Wei", "modified": "2026-01-09T10:00:00Z"}
    server.asked.clear()
    company.load()
    assert {query["modified_since"] for _, query, _ in server.asked} == {"2026-01-06T10:00:00Z"}
    assert names(company) == ["P1", "Li Wei", *(f"P{n}" for n in range(3, 8))]
    mark = company.query("select cursor_at from ops.watermark where entity = 'crm.owners'")
    assert mark == [(datetime(2026, 1, 9, 10, tzinfo=UTC),)]

    quiet = {**people.rows}
    people.rows.clear()  # nothing has changed since, and the API tells of nobody
    company.load()
    assert names(company) == ["P1", "Li Wei", *(f"P{n}" for n in range(3, 8))]
    assert company.query("select cursor_at from ops.watermark where entity = 'crm.owners'") == mark

    people.rows |= {n: {**row, "modified": "2026-02-01T10:00:00Z"} for n, row in quiet.items()}
    people.rows[7]["name"] = "Wang Fang"
    people.fails_at_page = 2
    with pytest.raises(UserError, match="answer 500"):
        company.load()
    assert names(company)[-1] == "P7", "half an answer is none"
    people.fails_at_page = 0
    company.load()
    assert names(company)[-1] == "Wang Fang"


def test_a_join_is_asked_for_whole_since_half_of_it_did_not_change(server, company):
    folder = settings.SOURCES / "resting"
    described = yaml.safe_load((folder / "source.yml").read_text())
    described["systems"]["crm"]["tables"] = {
        "people": PEOPLE | {"columns": ["id", "team", "modified"]},
        "teams": PEOPLE | {"path": "/teams", "columns": ["id", "name", "modified"]},
    }
    (folder / "source.yml").write_text(yaml.safe_dump(described))
    (folder / "crm" / "owners.sql").write_text(JOINED)
    people, teams = People(), People()
    for row in people.rows.values():
        row["team"] = 1 + row["id"] % 2
    server.answer = lambda path, query: (teams if "teams" in path else people).answer(path, query)
    company.load()
    assert set(names(company)) == {"P1", "P2"}

    people.rows[3] |= {"team": 7, "modified": "2026-01-09T10:00:00Z"}
    said = company.load()
    assert names(company)[2] == "P7", said
    del people.rows[4]
    company.load()
    assert len(names(company)) == 6, "what is fetched whole is compared"
