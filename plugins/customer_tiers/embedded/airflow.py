"""How the embedded Airflow is set up: everything through environment variables, nothing installed.

The metadata is in the embedded PostgreSQL, all servers listen on loopback, all secrets are in
files of HOME/secrets that only their owner can read. What is set here wins over AIRFLOW__*
variables of the user; other variables, such as AIRFLOW_CONN_*, reach the tasks as they are.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from customer_tiers import settings
from customer_tiers.embedded import files
from customer_tiers.embedded.cluster import Cluster
from customer_tiers.errors import UserError

DATABASE = "airflow"
"""Name of the metadata database."""

USER = "admin"
"""The one user of the embedded Airflow."""

PREFERRED_PORT = 8080
"""Where people expect Airflow."""

PARALLELISM = 4
"""Task processes; Airflow starts them all in advance, 32 unless told otherwise."""

COMPONENTS: dict[str, list[str]] = {
    "api-server": ["api-server", "--workers", "1"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
}
"""What runs in the background. No DAG waits in a trigger, so there is no triggerer."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "SCARF_ANALYTICS": "false",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}
"""Nothing about the user's data or habits leaves the machine."""


def home() -> Path:
    """AIRFLOW_HOME of the embedded Airflow."""
    return settings.HOME / "airflow"


def password() -> str:
    """Password of the user ``admin``, made at first use."""
    return files.secret(_secrets() / "airflow_password")


def url(port: int) -> str:
    """Address of the API server and its pages."""
    return f"http://{files.LOOPBACK}:{port}"


def dags_folder() -> Path:
    """Folder of the DAGs: CUSTOMER_TIERS_DAGS or the project's."""
    return Path(os.environ.get("CUSTOMER_TIERS_DAGS") or settings.DAGS).resolve()


def program() -> list[str]:
    """The command line of Airflow in this environment."""
    return [sys.executable, "-P", "-m", "airflow"]


def environment(cluster: Cluster, port: int) -> dict[str, str]:
    """The environment of all Airflow processes, and so of all tasks."""
    files.make_folder(home())
    ours = {**QUIET, **_places(), **_database(cluster), **_api(port), **_pace()}
    ours["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ours["CUSTOMER_TIERS_HOME"] = str(settings.HOME)
    ours["CUSTOMER_TIERS_PROJECT"] = str(settings.PROJECT)
    for name in ("NO_PROXY", "no_proxy"):  # a proxy of the machine must not see our own traffic
        others = os.environ.get(name)
        ours[name] = ",".join([files.LOOPBACK, "localhost", *([others] if others else [])])
    inherited = dict(os.environ)
    # Without compiled modules every process of Airflow takes twice as long to start.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**inherited, **ours}


def migrate(cluster: Cluster, environment: dict[str, str], log: Path) -> bool:
    """Bring the metadata database to this version of Airflow; returns whether there was need.

    Raises:
        UserError: If Airflow could not do it.
    """
    stamp = settings.HOME / "run" / "airflow_database"
    version = f"{importlib.metadata.version('apache-airflow-core')} {_identity(cluster)}"
    if stamp.exists() and stamp.read_text() == version:
        return False
    with log.open("ab") as output:
        done = subprocess.run(
            [*program(), "db", "migrate"],
            env=environment,
            cwd=home(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    if done.returncode != 0:
        raise UserError(f"`airflow db migrate` failed (exit code {done.returncode}): see {log}")
    stamp.write_text(version)
    return True


def _identity(cluster: Cluster) -> str:
    """Names this very database: a new one below the same HOME must be migrated again."""
    import psycopg

    statement = "select oid::text from pg_database where datname = current_database()"
    with psycopg.connect(cluster.url(DATABASE)) as connection:
        row = connection.execute(
            f"select system_identifier || '-' || ({statement}) from pg_control_system()"  # noqa: S608
        ).fetchone()
    return str(row[0]) if row else ""


def _secrets() -> Path:
    return files.make_folder(settings.HOME / "secrets")


def _places() -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home()),
        "AIRFLOW_CONFIG": str(home() / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.PLUGINS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.HOME / "logs" / "airflow"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home() / "bundles"),
    }


def _database(cluster: Cluster) -> dict[str, str]:
    address = cluster.url(DATABASE).partition("://")[2]
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg_async://{address}",
        "AIRFLOW__CORE__FERNET_KEY": files.secret(
            _secrets() / "fernet_key",
            new=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        ),
    }


def _api(port: int) -> dict[str, str]:
    passwords = _secrets() / "airflow_users.json"
    files.write_private(passwords, json.dumps({USER: password()}) + "\n")
    return {
        "AIRFLOW__API__HOST": files.LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": files.secret(_secrets() / "api_key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": files.secret(_secrets() / "jwt_key"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url(port)}/execution/",
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }


def _pace() -> dict[str, str]:
    """Settings for one machine with little load: short waits, few processes."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    }
