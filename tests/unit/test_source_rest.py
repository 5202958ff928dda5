"""JSON over REST, asked of a real HTTP server on loopback that pages, refuses and fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import rest
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window
from helpers.http_api import Answer, Server

OWNERS = contract.load().entities["crm.owners"]
PEOPLE = [
    {"id": n, "name": f"P{n}", "modified": f"2026-01-0{n}T10:00:00Z", "team": {"code": "a"}}
    for n in range(1, 8)
]
QUERY = "select id as owner_id, name, modified as updated_at from people"


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    found = Server()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"http://reader:to%2Fken@{found.address}/api/")
    monkeypatch.setattr(rest, "FIRST_PAUSE_SECONDS", 0.001)
    yield found
    found.http.shutdown()


def read(
    query: str = QUERY,
    since: datetime | None = None,
    table: dict[str, Any] | None = None,
    **more: Any,
) -> list[str]:
    options = {"path": "/people", "records": "data.items", **(table or {})}
    system = System("shop", "crm", "rest", {"tables": {"people": options}, **more})
    with rest.connect(system) as api:
        extract = rest.RestExtract(api, "shop", OWNERS, query, since)
        blocks = list(extract.copy_csv(Window(None, None)))
        read.newest, read.has_rows = extract.newest_change(), extract.has_rows()  # type: ignore[attr-defined]
    return sorted(b"".join(bytes(block) for block in blocks).decode().splitlines())


EVERYBODY = [f"{n},P{n},2026-01-0{n}T10:00:00Z" for n in range(1, 8)]


def page(items: list[Any], **more: Any) -> dict[str, Any]:
    return {"data": {"items": items, **more}}


def test_pages_by_number_end_at_the_first_short_one(server):
    server.answer = lambda path, query: (
        200,
        page(PEOPLE[(int(query["page"]) - 1) * 3 : int(query["page"]) * 3]),
        {},
    )
    assert read(table={"paging": {"kind": "page", "size": 3}}) == EVERYBODY
    assert [query["page"] for _, query, _ in server.asked] == ["1", "2", "3"]
    path, _, headers = server.asked[0]
    assert path == "/api/people"
    assert headers["Authorization"].startswith("Basic ")


def test_pages_by_offset_end_at_an_empty_one(server):
    server.answer = lambda path, query: (
        200,
        page(PEOPLE[int(query["start"]) : int(query["start"]) + int(query["limit"])]),
        {},
    )
    table = {"paging": {"kind": "offset", "parameter": "start"}, "parameters": {"limit": 4}}
    assert read(table=table) == EVERYBODY
    assert [query["start"] for _, query, _ in server.asked] == ["0", "4", "7"]


def test_pages_by_cursor_end_without_one(server):
    def answer(path: str, query: dict[str, str]) -> Answer:
        at = int(query.get("after", 0))
        return 200, page(PEOPLE[at : at + 3], next=str(at + 3) if at + 3 < 7 else None), {}

    server.answer = answer
    paging = {"kind": "cursor", "parameter": "after", "next": "data.next"}
    assert read(table={"paging": paging}) == EVERYBODY


@pytest.mark.parametrize("where", ["body", "header"])
def test_pages_by_link_are_followed(server, where):
    def answer(path: str, query: dict[str, str]) -> Answer:
        at = int(query.get("at", 0))
        link = f"/api/people?at={at + 4}" if at == 0 else None
        if where == "body":
            return 200, page(PEOPLE[at : at + 4], next=link), {}
        headers = {"Link": f'<http://{server.address}{link}>; rel="next"'} if link else {}
        return 200, page(PEOPLE[at : at + 4]), headers

    server.answer = answer
    paging = {"kind": "next_link"} | ({"next": "data.next"} if where == "body" else {})
    assert read(table={"paging": paging}) == EVERYBODY


def test_a_link_to_another_host_or_to_itself_is_refused(server):
    for link, word in (("http://elsewhere.example/x", "another host"), ("/api/people", "itself")):
        server.answer = lambda path, query, link=link: (200, page(PEOPLE, next=link), {})
        with pytest.raises(UserError, match=word):
            read(table={"paging": {"kind": "next_link", "next": "data.next"}})


def test_a_server_that_is_busy_is_asked_again_when_it_says(server, monkeypatch):
    answers: Iterator[Answer] = iter(
        [
            (429, {}, {"Retry-After": "7"}),
            (503, {}, {}),
            (429, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
            (200, page(PEOPLE), {}),
        ]
    )
    server.answer = lambda path, query: next(answers)
    pauses: list[float] = []
    monkeypatch.setattr(rest.time, "sleep", pauses.append)
    assert read() == EVERYBODY
    assert [pause for pause in pauses if pause] == [7.0, 0.002]


@pytest.mark.parametrize(
    ("answer", "times", "words"),
    [
        ((500, {}, {}), rest.ATTEMPTS, ["answer 500", "run again later"]),
        ((401, {}, {}), 1, ["answer 401", "AIRFLOW_CONN_CRM"]),
        ((429, {}, {"Retry-After": "86400"}), 1, ["answer 429", "86400 s"]),
        ((302, {}, {"Location": "http://elsewhere.example"}), 1, ["answer 302"]),
        ((200, "<html>", {}), 1, ["no JSON"]),
        ((200, {"data": {"items": "none"}}, {}), 1, ["no list of records", "data.items"]),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_line(server, answer, times, words):
    server.answer = lambda path, query: answer
    with pytest.raises(UserError) as caught:
        read()
    line = str(caught.value)
    for word in ("source shop, system crm, table people", *words):
        assert word in line
    assert "to/ken" not in line
    assert "to%2Fken" not in line
    assert len(server.asked) == times


def test_a_server_that_is_down_is_one_line(server, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "http://x:secret@127.0.0.1:1/")
    with pytest.raises(UserError, match="no answer") as caught:
        read()
    assert "secret" not in str(caught.value)


def test_requests_keep_to_the_rate(server, monkeypatch):
    server.answer = lambda path, query: (200, page(PEOPLE[: 8 - int(query["page"])][-1:]), {})
    pauses: list[float] = []
    monkeypatch.setattr(rest.time, "sleep", pauses.append)
    read(table={"paging": {"kind": "page"}}, requests_per_second=2)
    assert max(pauses) <= 0.5
    assert sum(pause > 0.4 for pause in pauses) >= 6


def test_the_token_goes_into_a_header_where_source_yml_says_so(server):
    server.answer = lambda path, query: (200, page(PEOPLE), {})
    read(headers={"Authorization": "Bearer {password}", "X-User": "{login}"})
    headers = server.asked[0][2]
    assert (headers["Authorization"], headers["X-User"]) == ("Bearer to/ken", "reader")


SINCE = {
    "since": {"parameter": "modified_since"},
    "columns": ["id", "name", "modified"],
}


def test_only_what_changed_is_asked_for(server):
    server.answer = lambda path, query: (
        200,
        page([one for one in PEOPLE if one["modified"] >= query.get("modified_since", "")]),
        {},
    )
    assert read(table=SINCE) == EVERYBODY
    moment = datetime(2026, 1, 6, tzinfo=UTC)
    assert read(since=moment, table=SINCE) == EVERYBODY[-2:]
    assert server.asked[-1][1]["modified_since"] == "2026-01-06T00:00:00Z"
    moment = datetime(2026, 2, 1, tzinfo=UTC)  # nothing changed: no fault, and nothing is deleted
    assert read(since=moment, table=SINCE) == []
    assert (read.newest, read.has_rows) == (moment, True)  # type: ignore[attr-defined]


def test_months_are_told_of_all_records_and_not_of_those_that_changed(server):
    opened = ["2026-01-31T23:30:00-02:00", "2026-02-01 10:00", "2026-02-01T00:30:00+01:00", None]
    people = [{"id": n, "name": "x", "modified": at} for n, at in enumerate(opened)]
    server.answer = lambda path, query: (200, page(people), {})
    system = System("shop", "crm", "rest", {"tables": {"people": {"path": "/people", **SINCE}}})
    system.options["tables"]["people"]["records"] = "data.items"
    query = "select id as case_id, 'a' as account_id, name as kind, modified as opened_at "
    cases = contract.load().entities["crm.cases"]
    with rest.connect(system) as api:
        whole = rest.RestExtract(api, "shop", cases, f"{query} from people", None)
        assert whole.months() == {date(2026, 1, 1): (1, None), date(2026, 2, 1): (2, None)}
        window = Window(months=(date(2026, 1, 1),))
        sent = b"".join(map(bytes, whole.rows(window).blocks)).decode().splitlines()
        assert sorted(row.split(",")[0] for row in sent) == ["2", "3"]  # 3: it may be of January
    with rest.connect(system) as api:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        assert rest.RestExtract(api, "shop", cases, f"{query} from people", moment).months() is None


def test_a_field_that_is_gone_is_named(server):
    server.answer = lambda path, query: (200, page([{"id": 1, "name": "x"}]), {})
    with pytest.raises(UserError, match="column modified: in none of 1 records"):
        read(table=SINCE)
    with pytest.raises(UserError, match=r"column modified is not in the records"):
        read()


def test_nested_fields_and_texts_of_any_script_are_reached(server):
    people = [{"id": 1, "name": '李 "伟"', "team": {"code": "a b"}, "odd name": None}]
    server.answer = lambda path, query: (200, page(people), {})
    query = (
        "select id as owner_id, name, record ->> '$.team.code' as manager_id, "
        '"odd name" as email, null as updated_at from people'
    )
    assert read(query) == ['"1","李 ""伟""","a b",,']


PRODUCTS = contract.load().entities["erp.products"]


@pytest.mark.parametrize("cost", ["cost", "record ->> '$.prices.net'", "trim(cost)"])
@pytest.mark.parametrize(
    ("value", "read_as"),
    [(1.234, "1.234"), ("1.234", None), ("1,234", None), ("1.234,5", "1234.5"), ("0.5", "0.5")],
)
def test_a_number_of_json_has_a_point_and_a_text_may_have_a_comma(server, cost, value, read_as):
    record = {"id": "1", "cost": value, "prices": {"net": value}}
    server.answer = lambda path, query: (200, [record], {})
    query = f"select id as product_id, 'x' as name, {cost} as standard_cost from things"

    def sent(**options: str) -> str:
        tables = {"tables": {"things": {"path": "/things", **options}}}
        with rest.connect(System("shop", "crm", "rest", tables)) as api:
            extract = rest.RestExtract(api, "shop", PRODUCTS, query, None)
            return b"".join(map(bytes, extract.copy_csv(Window()))).decode().strip()

    if read_as is not None:
        assert sent() == f"1,x,{read_as}"
        return
    with pytest.raises(UserError, match=r"column standard_cost: .* may have a decimal comma"):
        sent()
    assert sent(decimal=value[1]) == "1,x,1.234"
    assert sent(decimal={",": ".", ".": ","}[value[1]]) == "1,x,1234"
