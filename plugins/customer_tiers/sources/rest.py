"""Reading JSON over REST: the records of an endpoint become a table, and the SELECT runs in DuckDB.

A table has a column for each field of its records, as text (nested ones as JSON), and `record`, the
whole of it. Pages are fetched one after the other and lie on disk, so memory stays bounded.
"""

from __future__ import annotations

import email.utils
import json
import logging
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import duckdb
import requests

from customer_tiers import connections
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.sources import duck
from customer_tiers.sources.definition import System
from customer_tiers.sources.duck import literal, quoted
from customer_tiers.sources.extract import Months
from customer_tiers.sources.lineage import json_path
from customer_tiers.sources.staged import StagedExtract

TIMEOUT_SECONDS = (10, 60)
"""To connect, and between two bytes of an answer."""

ATTEMPTS = 6
"""How often a request is made before the night gives up."""

FIRST_PAUSE_SECONDS = 1.0
"""Pause before the second attempt; it doubles each time."""

LONGEST_PAUSE_SECONDS = 300.0
"""A server that asks for a longer pause (Retry-After) has refused us for tonight."""

RETRIED = (408, 425, 429, 500, 502, 503, 504)

MOST_PAGES = 1_000_000
"""An API that never ends its pages must not fill the disk."""

log = logging.getLogger(__name__)


@dataclass
class Api:
    """An opened API and the tables that were fetched from it."""

    system: System
    base: str
    session: requests.Session
    connection: duckdb.DuckDBPyConnection
    scratch: Path
    pause: float
    asked_at: float = 0.0
    fetched: dict[str, datetime | None] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """How messages name the system."""
        return f"source {self.system.source}, system {self.system.name}"


@contextmanager
def connect(system: System) -> Iterator[Api]:
    """Prepare to ask the API; nothing is fetched before a SELECT needs it."""
    url = connections.system(system.connection, None)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise UserError(
            f"source {system.source}, system {system.name}: "
            f"AIRFLOW_CONN_{system.connection.upper()} must be the address of the API, such as "
            "https://user:token@crm.example.com/api/"
        )
    login = connections.login(system.connection)
    with (
        requests.Session() as session,
        tempfile.TemporaryDirectory(prefix="customer-tiers-") as temporary,
        duck.connect(Path(temporary)) as connection,
    ):
        session.trust_env = False  # ~/.netrc must not answer in the user's place
        session.headers["Accept"] = "application/json"
        for name, value in system.options.get("headers", {}).items():
            session.headers[name] = str(value).format(login=login[0] or "", password=login[1] or "")
        if login[0] and "Authorization" not in session.headers:
            session.auth = (login[0], login[1] or "")
        host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        base = f"{parts.scheme}://{host}/{parts.path.strip('/')}".rstrip("/") + "/"
        rate = float(system.options.get("requests_per_second", 0))
        yield Api(system, base, session, connection, Path(temporary), 1 / rate if rate else 0.0)


class RestExtract(StagedExtract):
    """One entity's SELECT over an API's tables."""

    def __init__(
        self, api: Api, source: str, entity: Entity, query: str, since: datetime | None
    ) -> None:
        self._api = api
        self._since: datetime | None = None
        tables = {
            table: options
            for table, options in api.system.options["tables"].items()
            if re.search(rf"\b{re.escape(table)}\b", query, re.IGNORECASE)
        }
        for table, options in tables.items():
            # of a join the rows that changed would miss those that did not
            if "since" in options and len(tables) == 1:
                self._since = since
            _fetch(api, table, options, self._since)
        self.is_partial = self._since is not None
        super().__init__(api.connection, api.system, source, entity, query)

    def newest_change(self) -> datetime | None:
        """The largest cursor value; where nothing changed, the moment from which on we asked."""
        return super().newest_change() or self._since

    def months(self) -> Months | None:
        """Rows and sum per month; None if we asked for what changed only."""
        return None if self._since else super().months()

    def has_rows(self) -> bool:
        """Whether there is any row; an API asked for changes only may have none."""
        return self._since is not None or super().has_rows()

    def _is_typed(self, table: str, column: str) -> bool:
        """Whether a field holds JSON's numbers, which have a point, in all records."""
        is_text = f"json_type(record, {literal(json_path(column))}) = 'VARCHAR'"
        asked = f"select count_if({is_text}) from {quoted(table)}"
        return self._connection.execute(asked).fetchall() == [(0,)]

    def _missing_table(self, table: str) -> str:
        names = ", ".join(self._api.system.options["tables"])
        return f"there is no table {table} under `tables` in source.yml; there are: {names}"

    def _place(self) -> str:
        return "in the records of the API"


def _fetch(api: Api, table: str, options: dict[str, Any], since: datetime | None) -> None:
    """Fetch a table's pages to disk and create its view, unless this was done for this moment."""
    if table in api.fetched and api.fetched[table] == since:
        return
    target = api.scratch / f"{table}.ndjson"
    names: dict[str, None] = dict.fromkeys(options.get("columns", []))
    found: set[str] = set()
    with target.open("w", encoding="utf-8") as stream:
        count = _write_pages(api, table, options, since, stream, found)
    names |= dict.fromkeys(sorted(found))
    for name in options.get("columns", []):
        if count and name not in found:
            raise UserError(
                f"{api.where}, table {table}, column {name}: in none of {count} records; correct "
                "`columns` in source.yml, or ask the API's owner where the field went"
            )
    columns = "".join(
        f", record ->> {literal(json_path(name))} as {quoted(name)}" for name in names
    )
    api.connection.execute(
        f"create or replace view {quoted(table)} as select record{columns} from (select json as "
        f"record from read_json_objects({literal(str(target))}, format = 'newline_delimited'))"
    )
    api.fetched[table] = since
    log.info("%s: %s records of %s", api.where, count, table)


def _write_pages(
    api: Api,
    table: str,
    options: dict[str, Any],
    since: datetime | None,
    stream: IO[str],
    found: set[str],
) -> int:
    count = 0
    for answer in _pages(api, table, options, since):
        for record in _records(api, table, options, answer):
            found.update(record)
            stream.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    return count


def _records(api: Api, table: str, options: dict[str, Any], answer: Any) -> list[dict[str, Any]]:
    records = _at(answer, options.get("records"))
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise UserError(
            f"{api.where}, table {table}: the answer holds no list of records "
            f"at {options.get('records') or 'its top'}; correct `records` in source.yml"
        )
    return records


def _at(answer: Any, path: str | None) -> Any:
    """Follow a path such as `data.items` into an answer."""
    for name in (path or "").split("."):
        if name:
            answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _pages(api: Api, table: str, options: dict[str, Any], since: datetime | None) -> Iterator[Any]:
    """Yield the answers of all pages.

    `paging` is one of {kind: page | offset | cursor | next_link}: page counts up `parameter` from
    `first` (1), offset moves it by the records read, cursor sends what the last answer holds at
    `next`, next_link asks the address there, or in the Link header. The first three end at an empty
    page, or at one shorter than `size`.
    """
    paging = options.get("paging") or {"kind": "none"}
    kind, parameter = paging.get("kind"), paging.get("parameter", paging.get("kind"))
    parameters = dict(options.get("parameters", {}))
    if since is not None:
        asked = options["since"]
        parameters[asked["parameter"]] = since.strftime(asked.get("format", "%Y-%m-%dT%H:%M:%SZ"))
    address: str | None = urljoin(api.base, options["path"].lstrip("/"))
    number, seen = int(paging.get("first", 1 if kind == "page" else 0)), set()
    for _ in range(MOST_PAGES):
        if kind in ("page", "offset"):
            parameters[parameter] = number
        answer, link = _ask(api, table, str(address), parameters)
        yield answer
        read = len(_records(api, table, options, answer))
        if kind in ("page", "offset"):
            if not read or read < int(paging.get("size", 0)):
                return
            number += 1 if kind == "page" else read
            continue
        token = _at(answer, paging.get("next")) if "next" in paging else link
        if kind not in ("cursor", "next_link") or not token:
            return
        if token in seen:
            raise UserError(f"{api.where}, table {table}: the page {token!r} follows on itself")
        seen.add(token)
        if kind == "cursor":
            parameters[parameter] = token
        else:
            address, parameters = _same_host(api, table, urljoin(str(address), token)), {}
    raise UserError(f"{api.where}, table {table}: more than {MOST_PAGES:,} pages; check `paging`")


def _same_host(api: Api, table: str, address: str) -> str:
    """A link to elsewhere would carry the password there."""
    if urlsplit(address)[:2] != urlsplit(api.base)[:2]:
        raise UserError(
            f"{api.where}, table {table}: the next page lies on another host: {address}"
        )
    return address


def _ask(api: Api, table: str, address: str, parameters: dict[str, Any]) -> tuple[Any, str | None]:
    """One answer and the address of the next page in its Link header; faults that pass are waited
    for."""
    where = f"{api.where}, table {table}"
    said = ""
    for attempt in range(1, ATTEMPTS + 1):
        time.sleep(max(0.0, api.asked_at + api.pause - time.monotonic()))
        api.asked_at = time.monotonic()
        pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
        try:
            response = api.session.get(
                address, params=parameters, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
            if response.status_code == 200:
                return response.json(), response.links.get("next", {}).get("url")
            said = f"answer {response.status_code} {response.reason}"
            if response.status_code not in RETRIED:
                break
            pause = _retry_after(response, pause)
        except requests.JSONDecodeError:
            said = "the answer is no JSON"
            break
        except requests.RequestException as error:
            said = f"no answer ({type(error).__name__})"
        if pause > LONGEST_PAUSE_SECONDS:
            said += f", try again in {pause:.0f} s"
            break
        if attempt < ATTEMPTS:
            log.warning("%s: %s, again in %.0f s", where, said, pause)
            time.sleep(pause)
    raise UserError(
        f"{where}: {said} from {address}; check `path`, the address and the token in "
        f"AIRFLOW_CONN_{api.system.connection.upper()}, or run again later"
    )


def _retry_after(response: requests.Response, otherwise: float) -> float:
    """Seconds that the server asks us to wait: a number, or a moment."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return otherwise
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
