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

PATIENCE_SECONDS = 8
"""How long a process may take to end by itself before it is killed."""

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
    if noted and noted.is_alive() and files.answers(mail_sink.port()):
        return
    processes.stop(run, ["mail"], PATIENCE_SECONDS)
    port = files.choose_port(run / "mail.port", mail_sink.PREFERRED_PORT)
    module = "customer_tiers.embedded.mail_sink"
    folder = str(settings.MAIL_FOLDER)
    noted = processes.launch(
        run,
        "mail",
        [sys.executable, "-P", "-m", module, "--port", str(port), "--folder", folder],
        log=logs / "mail.log",
        environment={**os.environ, "CUSTOMER_TIERS_HOME": str(settings.HOME)},
        address=f"{files.LOOPBACK}:{port}",
    )
    _wait_for([noted], lambda: files.answers(port), logs)
    progress(f"mail sink on {noted.address}, mails in {folder}")


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
    missing = set(airflow.COMPONENTS) - (set() if changed else alive)
    processes.stop(run, sorted(missing), PATIENCE_SECONDS)
    cluster.ensure_database(airflow.DATABASE)
    port = _api_port(run, missing)
    environment = airflow.environment(cluster, port)
    if airflow.migrate(cluster, environment, logs / "airflow.log"):
        progress("Airflow's own tables are ready")
    began = datetime.now(UTC)
    for name in (name for name in airflow.COMPONENTS if name in missing):
        processes.launch(
            run,
            name,
            [*airflow.program(), *airflow.COMPONENTS[name]],
            log=logs / f"{name}.log",
            environment=environment,
            address=airflow.url(port) if name == "api-server" else "",
        )
    _wait_for_airflow(run, logs, missing, began)
    marks.write_text(mark)
    progress(f"Airflow on {airflow.url(port)}, user {airflow.USER}")


def _api_port(run: Path, missing: set[str]) -> int:
    """The port of a server that stays up, else a free one; the others must be told the same."""
    noted = processes.find(run, "api-server")
    if noted and "api-server" not in missing:
        return int(noted.address.rpartition(":")[2])
    return files.choose_port(run / "airflow.port", airflow.PREFERRED_PORT)


def _wait_for_airflow(run: Path, logs: Path, missing: set[str], began: datetime) -> None:
    noted = [found for name in airflow.COMPONENTS if (found := processes.find(run, name))]
    client = api()

    def is_ready() -> bool:
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
            if name in missing
        )

    _wait_for(noted, is_ready, logs)


def _is_after(heartbeat: str | None, began: datetime) -> bool:
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= began


def _wait_for(noted: Sequence[processes.Running], is_ready: Callable[[], bool], logs: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        for process in noted:
            if not process.is_alive():
                raise UserError(
                    f"{process.name} ended while starting: see {logs}/{process.name}.log"
                )
        if time.monotonic() > deadline:
            names = ", ".join(process.name for process in noted)
            raise UserError(f"{names}: not ready after {READY_SECONDS} s, see the logs in {logs}")
        time.sleep(processes.POLL_SECONDS)
