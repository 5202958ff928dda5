"""docker-compose.yml as text: no container engine is needed, and none has run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml

from customer_tiers import settings

FILE = settings.PROJECT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
AIRFLOW = {
    "airflow-api-server": "api-server",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag-processor",
    "airflow-triggerer": "triggerer",
}


def test_the_production_shape_is_complete():
    assert {"postgres", "mail", *AIRFLOW} <= set(SERVICES)


@pytest.mark.parametrize("name", ["postgres", "mail", *AIRFLOW])
def test_every_lasting_service_has_a_health_check_and_restarts(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize(("name", "component"), AIRFLOW.items())
def test_airflow_services_run_their_part_after_the_database_is_migrated(name, component):
    assert SERVICES[name]["command"][:2] == ["airflow", component]
    waits = SERVICES[name]["depends_on"]
    assert waits["postgres"] == {"condition": "service_healthy"}
    assert waits["airflow-init"] == {"condition": "service_completed_successfully"}


def test_images_are_pinned():
    for name, service in SERVICES.items():
        if "build" not in service:
            assert re.search(r":v?\d", service["image"]), name


def test_nothing_listens_beyond_loopback():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_no_password_is_written_down():
    text = FILE.read_text(encoding="utf-8")
    for name in ("POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET"):
        assert f"${{{name}:?" in text


def test_airflow_can_load_its_settings_from_the_environment_of_each_service(tmp_path):
    """Airflow builds its database engines when it is imported; that needs no database."""
    environments = {
        tuple(
            (key, str(value).replace("${POSTGRES_PASSWORD}", "secret"))
            for key, value in sorted(SERVICES[name]["environment"].items())
            if key.startswith("AIRFLOW__")
        )
        for name in AIRFLOW
    }
    script = "import airflow.settings as s; s.initialize(); assert s.async_engine is not None"
    for given in environments:
        own = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__FERNET_KEY": ""}
        ran = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], **dict(given), **own},
        )
        assert ran.returncode == 0, ran.stderr[-2000:]


def test_telemetry_is_off():
    for name in AIRFLOW:
        environment = SERVICES[name]["environment"]
        assert environment["DO_NOT_TRACK"] == "1"
        assert environment["GX_ANALYTICS_ENABLED"] == "false"
        assert environment["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "false"


def test_every_variable_that_must_be_set_is_in_the_example():
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", FILE.read_text(encoding="utf-8")))
    example = (settings.PROJECT / ".env.example").read_text(encoding="utf-8")
    assert needed <= set(re.findall(r"^#? ?([A-Z_]+)=", example, re.M))
