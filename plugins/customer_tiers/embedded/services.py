"""All embedded services together: bring them up, take them down, say how they are.

``up`` may be called at any time: it starts what is missing, replaces what died and leaves the rest
alone. The database and the mail sink know nothing of the user's connections; the Airflow processes
got them when they started and are started again when they changed.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from customer_tiers import connections, settings
from customer_tiers.embedded import airflow, files, mail_sink, postgres, processes
from customer_tiers.embedded.airflow_api import AirflowApi
from customer_tiers.errors import UserError

READY_SECONDS = 180
"""A slow machine compiles all of Airflow's modules at its first start."""

PORTS_TO_TRY = 5
"""Each was free when we looked, so losing this many in a row is no accident."""

PATIENCE_SECONDS = 4
"""Airflow writes its last words within a second; then its interpreter takes long to go."""

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class ServiceStatus:
    """One row of ``status``."""

    name: str
    state: str
    pid: int | None
    address: str


def up(progress: Progress = lambda text: None) -> None:
    """Start every service that does not run, and return when all are ready.

    Raises:
        UserError: If a service does not start.
    """
    run, logs = _folders()
    with files.locked(run / "lock"):
        _start_cluster(progress)
        _start_mail_sink(run, logs, progress)
        _start_airflow(run, logs, progress)


def down(progress: Progress = lambda text: None) -> None:
    """Stop every service and all that it started; the data stays."""
    run = settings.HOME / "run"
    if not run.is_dir():
        return
    with files.locked(run / "lock"):
        names = [*airflow.COMPONENTS, "mail"]
        stopped = processes.stop(run, names, PATIENCE_SECONDS)
        if stopped:
            progress(f"stopped {', '.join(stopped)}")
        if postgres.stop():
            progress("stopped postgres")


def status() -> list[ServiceStatus]:
    """Return one row per service, whether it runs or not."""
    run = settings.HOME / "run"
    cluster = postgres.running()
    rows = [
        ServiceStatus("postgres", "running", cluster.pid, f"{cluster.host}:{cluster.port}")
        if cluster
        else ServiceStatus("postgres", "stopped", None, "")
    ]
    for name in ("mail", *airflow.COMPONENTS):
        noted = processes.find(run, name)
        if noted is None:
            rows.append(ServiceStatus(name, "stopped", None, ""))
        elif noted.is_alive():
            rows.append(ServiceStatus(name, "running", noted.pid, noted.address))
        else:
            rows.append(ServiceStatus(name, "dead", None, noted.address))
    return rows


def api() -> AirflowApi:
    """Return a client of the embedded Airflow.

    Raises:
        UserError: If it does not run.
    """
    noted = processes.find(settings.HOME / "run", "api-server")
    if noted is None or not noted.is_alive():
        raise UserError("the embedded Airflow is not running: run `tiers up`")
    return AirflowApi(noted.address, airflow.USER, airflow.password())


def _folders() -> tuple[Path, Path]:
    files.make_folder(settings.HOME, 0o755)
    return files.make_folder(settings.HOME / "run"), files.make_folder(settings.HOME / "logs")


def _start_cluster(progress: Progress) -> None:
    if postgres.running() is None:
        cluster = postgres.start()
        progress(f"PostgreSQL {cluster.server_version()} on {cluster.host}:{cluster.port}")


def _start_mail_sink(run: Path, logs: Path, progress: Progress) -> None:
    noted = processes.find(run, "mail")
    if noted and noted.is_alive():
        return
    processes.stop(run, ["mail"], PATIENCE_SECONDS)
    module = "customer_tiers.embedded.mail_sink"
    folder = str(settings.MAIL_FOLDER)

    def start(port: int) -> None:
        noted = processes.launch(
            run,
            "mail",
            [sys.executable, "-P", "-m", module, "--port", str(port), "--folder", folder],
            log=logs / "mail.log",
            environment={**os.environ, "CUSTOMER_TIERS_HOME": str(settings.HOME)},
            address=f"{files.LOOPBACK}:{port}",
        )
        _wait_for([noted], lambda: processes.listens(noted, port), logs)
        progress(f"mail sink on {noted.address}, mails in {folder}")

    _on_free_port(run / "mail.port", mail_sink.PREFERRED_PORT, start)


def _start_airflow(run: Path, logs: Path, progress: Progress) -> None:
    cluster = postgres.start()
    marks = run / "airflow_settings"
    # The server's pid is part of it: Airflow does not survive every loss of its database.
    mark = f"{connections.fingerprint()} {airflow.dags_folder()} {cluster.pid}"
    noted = {name: processes.find(run, name) for name in airflow.COMPONENTS}
    alive = {name for name, found in noted.items() if found and found.is_alive()}
    changed = not marks.exists() or marks.read_text() != mark
    if alive == set(airflow.COMPONENTS) and not changed:
        return
    if changed and alive:
        progress("connections or settings changed, Airflow starts again")
        alive = set()
    processes.stop(run, sorted(set(airflow.COMPONENTS) - alive), PATIENCE_SECONDS)
    cluster.ensure_database(airflow.DATABASE)
    server = noted["api-server"]
    old_port = int(server.address.rpartition(":")[2]) if server else None

    def start(port: int) -> None:
        # All processes talk to the server, so all start again when its port is another.
        missing = set(airflow.COMPONENTS) - (alive if port == old_port else set())
        processes.stop(run, sorted(missing), PATIENCE_SECONDS)
        environment = airflow.environment(cluster, port)
        if airflow.migrate(cluster, environment, logs / "airflow.log"):
            progress("Airflow's own tables are ready")
        _launch_airflow(run, logs, missing, environment, port)
        progress(f"Airflow on {airflow.url(port)}, user {airflow.USER}")

    if "api-server" in alive and old_port:
        start(old_port)
    else:
        _on_free_port(run / "airflow.port", airflow.PREFERRED_PORT, start)
    marks.write_text(mark)


def _launch_airflow(
    run: Path, logs: Path, names: set[str], environment: dict[str, str], port: int
) -> None:
    began = datetime.now(UTC)
    for name in (name for name in airflow.COMPONENTS if name in names):
        processes.launch(
            run,
            name,
            [*airflow.program(), *airflow.COMPONENTS[name]],
            log=logs / f"{name}.log",
            environment=environment,
            address=airflow.url(port) if name == "api-server" else "",
        )
    noted = [found for name in airflow.COMPONENTS if (found := processes.find(run, name))]
    client = api()

    def is_ready() -> bool:
        # Somebody else's server may answer on the port until ours finds it taken.
        if not processes.listens(noted[0], port):
            return False
        try:
            client.warm_up()
            health = client.health()
        except OSError:
            return False
        parts = {"scheduler": health["scheduler"], "dag-processor": health["dag_processor"] or {}}
        return all(
            # A heartbeat may be one of the process that died before.
            _is_after(part.get(f"latest_{name.replace('-', '_')}_heartbeat"), began)
            for name, part in parts.items()
            if name in names
        )

    _wait_for(noted, is_ready, logs)


def _is_after(heartbeat: str | None, began: datetime) -> bool:
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= began


class _PortTaken(Exception):
    """Somebody took a port between our look at it and the start of our server."""


def _on_free_port(kept: Path, preferred: int, start: Callable[[int], None]) -> None:
    taken: set[int] = set()
    while True:
        port = files.choose_port(kept, preferred, taken)
        try:
            return start(port)
        except _PortTaken as error:
            taken.add(port)
            if len(taken) == PORTS_TO_TRY:
                ports = ", ".join(map(str, sorted(taken)))
                raise UserError(f"the ports {ports} were all taken by others, try again") from error


def _wait_for(noted: Sequence[processes.Running], is_ready: Callable[[], bool], logs: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        for process in noted:
            if not process.is_alive():
                port = process.address.rpartition(":")[2]
                if port and not files.is_free(int(port)):
                    raise _PortTaken
                raise UserError(
                    f"{process.name} ended while starting: see {logs}/{process.name}.log"
                )
        if time.monotonic() > deadline:
            names = ", ".join(process.name for process in noted)
            raise UserError(f"{names}: not ready after {READY_SECONDS} s, see the logs in {logs}")
        time.sleep(processes.POLL_SECONDS)
