"""A small client of Airflow's REST API: trigger a DAG, follow its run, read what it returned."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from customer_tiers.errors import UserError

POLL_SECONDS = 0.5
"""How often a run is looked at."""

PATIENCE_SECONDS = 30
"""How long Airflow may be silent, or a run stand still with a dead scheduler, before we give up."""

SERVER_FAULT = 500
"""From here on a status says that the server is at fault, perhaps only for a moment."""

PAGE = 100
"""Rows per request; the server gives no more."""

FINISHED = ("success", "failed")
"""States in which a run stays."""

# The server is on this machine: no proxy of the environment may come between.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclasses.dataclass(frozen=True)
class TaskChange:
    """A task instance that is in a new state."""

    task_id: str
    map_index: int
    label: str
    """What the DAG calls a mapped instance (rendered map index), else its number, else empty."""
    state: str
    try_number: int
    seconds: float | None


class NotFound(Exception):
    """The server does not know the thing that was asked for."""


class AirflowApi:
    """One Airflow and a user of it; the token is fetched when needed."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.address = address
        self._login = {"username": user, "password": password}
        self._token = ""

    def health(self) -> dict[str, Any]:
        """Return what the server says about its parts; needs no token."""
        answer: dict[str, Any] = self._send("GET", "/api/v2/monitor/health", None, {})
        return answer

    def warm_up(self) -> None:
        """Let the server build the part that tasks talk to; else the first task waits for it."""
        self._send("GET", "/execution/health", None, {})

    def wait_for_dag(self, dag_id: str, timeout: float = 60) -> None:
        """Return when the DAG is known and can run.

        Raises:
            UserError: If it is not there in time; its import error is named.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                dag = self.get(f"/dags/{_q(dag_id)}")
            except NotFound:
                dag = {"is_stale": True}
            if not dag["is_stale"]:
                return
            time.sleep(POLL_SECONDS)
        faults = self.get("/importErrors")["import_errors"]
        if faults:
            last = faults[-1]["stack_trace"].strip().splitlines()[-1]
            raise UserError(f"Airflow cannot load {faults[-1]['filename']}: {last}")
        raise UserError(
            f"Airflow does not know the DAG {dag_id} after {timeout:.0f} s: is it in dags/?"
        )

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run and return its run id."""
        body = {"logical_date": None, "conf": conf or {}}
        return str(self.post(f"/dags/{_q(dag_id)}/dagRuns", body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return a run as the server describes it."""
        return self.get(f"/dags/{_q(dag_id)}/dagRuns/{_q(run_id)}")

    def task_instances(self, dag_id: str, run_id: str) -> Iterator[dict[str, Any]]:
        """All task instances of a run, mapped ones each for itself."""
        path = f"/dags/{_q(dag_id)}/dagRuns/{_q(run_id)}/taskInstances"
        seen = 0
        while True:
            page = self.get(path, limit=PAGE, offset=seen, order_by="id")["task_instances"]
            yield from page
            seen += len(page)
            if len(page) < PAGE:
                return

    def wait(
        self,
        dag_id: str,
        run_id: str,
        on_change: Callable[[TaskChange], None] = lambda change: None,
        timeout: float | None = None,
    ) -> str:
        """Follow a run until it ends; returns ``success`` or ``failed``.

        Raises:
            UserError: If the time is over, or the scheduler that must go on with it is dead.
        """
        began = moved = time.monotonic()
        known: dict[tuple[str, int], tuple[str, int]] = {}
        while True:
            state = str(
                self.run(dag_id, run_id)["state"]
            )  # before the tasks, to miss no last change
            if self._report(dag_id, run_id, known, on_change):
                moved = time.monotonic()
            if state in FINISHED:
                return state
            if timeout is not None and time.monotonic() - began > timeout:
                raise UserError(
                    f"{dag_id} has not ended after {timeout:.0f} s (run {run_id}, {state})"
                )
            if time.monotonic() - moved > PATIENCE_SECONDS:
                self._check_scheduler(dag_id)
                moved = time.monotonic()
            time.sleep(POLL_SECONDS)

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any | None:
        """Return a value that a task left, as JSON types; None if it left none."""
        task = f"/dags/{_q(dag_id)}/dagRuns/{_q(run_id)}/taskInstances/{_q(task_id)}"
        try:
            return self.get(f"{task}/xcomEntries/{_q(key)}", map_index=map_index)["value"]
        except NotFound:
            return None

    def run_of_asset_event(
        self, dag_id: str, source_dag_id: str, source_run_id: str, timeout: float = 30
    ) -> str | None:
        """Return the run of ``dag_id`` that an asset event of another DAG's run started.

        Waits for the scheduler to start it; None if the source run left no event in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            events = self.get(
                "/assets/events",
                source_dag_id=source_dag_id,
                source_run_id=source_run_id,
                limit=PAGE,
            )["asset_events"]
            for run in (run for event in events for run in event["created_dagruns"]):
                if run["dag_id"] == dag_id:
                    return str(run["run_id"])
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Ask for something below /api/v2."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send something below /api/v2."""
        return self._ask("POST", path, body)

    def _report(
        self,
        dag_id: str,
        run_id: str,
        known: dict[tuple[str, int], tuple[str, int]],
        on_change: Callable[[TaskChange], None],
    ) -> bool:
        changed = False
        for task in self.task_instances(dag_id, run_id):
            state, attempt = task["state"] or "none", task["try_number"]
            key = (task["task_id"], task["map_index"])
            if known.get(key, ("none", attempt)) == (state, attempt):
                continue
            known[key] = (state, attempt)
            changed = True
            number = str(task["map_index"]) if task["map_index"] >= 0 else ""
            label = task["rendered_map_index"] or number
            on_change(TaskChange(*key, label, state, attempt, task["duration"]))
        return changed

    def _check_scheduler(self, dag_id: str) -> None:
        if self.health()["scheduler"]["status"] != "healthy":
            raise UserError(f"{dag_id} stands still, Airflow's scheduler is dead: run `tiers up`")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._with_token(method, f"/api/v2{path}", body)
            except urllib.error.HTTPError as error:
                if error.code < SERVER_FAULT or method != "GET":
                    raise _explained(error, method, path) from error
                if time.monotonic() > deadline:
                    raise UserError(
                        f"Airflow on {self.address} cannot work ({error.code}), its database may "
                        "be gone: run `tiers status`, `tiers up`"
                    ) from error
                time.sleep(POLL_SECONDS)
            except OSError as error:  # restarting, or gone
                if method != "GET" or time.monotonic() > deadline:
                    raise UserError(
                        f"Airflow does not answer on {self.address}: run `tiers status`, `tiers up`"
                    ) from error
                time.sleep(POLL_SECONDS)

    def _with_token(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        for may_be_old in (bool(self._token), False):
            if not self._token:
                self._token = self._send("POST", "/auth/token", self._login, {})["access_token"]
            try:
                return self._send(method, path, body, {"Authorization": f"Bearer {self._token}"})
            except urllib.error.HTTPError as error:
                if error.code != 401 or not may_be_old:
                    raise
                self._token = ""
        raise AssertionError("unreachable")

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 (our own http address)
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
        )
        with _OPENER.open(request, timeout=PATIENCE_SECONDS) as answer:
            parsed: dict[str, Any] = json.load(answer)
            return parsed


def _q(part: str) -> str:
    return quote(part, safe="")


def _explained(error: urllib.error.HTTPError, method: str, path: str) -> Exception:
    text = error.read().decode(errors="replace")
    if error.code == 404:
        return NotFound(f"{path}: {text}")
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = text[:300]
    return UserError(f"Airflow refused {method} {path} ({error.code}): {detail}")
