from __future__ import annotations

import json
import re
from urllib.parse import unquote, urlsplit

import pytest

from customer_tiers import connections
from customer_tiers.errors import UserError

SECRET = "p@ss:w/rd?#%é"
QUOTED = "p%40ss%3Aw%2Frd%3F%23%25%C3%A9"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_warehouse_uri_becomes_a_libpq_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    uri = f"{scheme}://an%20owner:{QUOTED}@db.example:6432/tiers?sslmode=require"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    expected = f"postgresql://an%20owner:{QUOTED}@db.example:6432/tiers?sslmode=require"
    assert connections.warehouse("sample") == expected


def test_a_warehouse_as_json_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {
        "conn_type": "postgres",
        "host": "db.example",
        "port": "6432",
        "login": "owner",
        "password": SECRET,
        "schema": "tiers",
        "extra": {"sslmode": "require"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))
    expected = f"postgresql://owner:{QUOTED}@db.example:6432/tiers?sslmode=require"
    assert connections.warehouse("sample") == expected
    monkeypatch.setenv(
        "AIRFLOW_CONN_WAREHOUSE", json.dumps({**fields, "extra": '{"sslmode": "require"}'})
    )
    assert connections.warehouse("sample") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("mssql+pymssql://u:p@h:1433/d?charset=utf8", "mssql+pymssql://u:p@h:1433/d?charset=utf8"),
        ("oracle+oracledb://u:p@h:1521/?service_name=X", None),
        ("sqlite:////data/erp.db", "sqlite:////data/erp.db"),
        ("duckdb:///data/erp.duckdb", "duckdb:///data/erp.duckdb"),
        ("postgresql://u:p@%2Fvar%2FRun/d", "postgresql://u:p@%2Fvar%2FRun/d"),
        ("postgresql://u:p@[::1]:5432/d", "postgresql://u:p@[::1]:5432/d"),
    ],
)
def test_a_business_system_keeps_its_dialect(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: str | None
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ERP", value)
    assert connections.system("erp", None) == (expected or value)


def test_extras_that_airflow_packs_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = "%7B%22connect_timeout%22%3A%2010%2C%20%22nested%22%3A%20%7B%7D%7D"
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"postgres://u:p@h/d?__extra__={packed}")
    assert connections.system("crm", "sample_crm") == "postgresql://u:p@h/d?connect_timeout=10"


@pytest.mark.parametrize(
    ("uri", "port", "use_ssl", "starttls"),
    [
        ("smtp://u:p@mail.example/?from_email=a%40b.example", 465, True, False),
        ("smtp://u:p@mail.example/?from_email=a%40b.example&disable_ssl=true", 587, False, True),
        (
            "smtp://u:p@mail.example:25/?from_email=a%40b.example&disable_ssl=True&disable_tls=1",
            25,
            False,
            False,
        ),
    ],
)
def test_a_mail_server_is_read_as_airflow_reads_it(
    monkeypatch: pytest.MonkeyPatch, uri: str, port: int, use_ssl: bool, starttls: bool
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP", uri + "&timeout=7")
    found = connections.smtp()
    assert found == connections.Smtp(
        "mail.example", port, "u", "p", "a@b.example", use_ssl, starttls, 7
    )
    assert "'p'" not in repr(found)


def test_a_login_that_is_an_address_is_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP", f"smtp://me%40b.example:{QUOTED}@mail.example:465")
    found = connections.smtp()
    assert (found.from_email, found.password) == ("me@b.example", SECRET)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAREHOUSE", f"owner:{SECRET}@host/db"),
        ("WAREHOUSE", "postgresql://u:sesame@host:port/db"),
        ("WAREHOUSE", "postgresql://u:sesame@[host/db"),
        ("WAREHOUSE", "postgresql://u:sesame@host"),
        ("WAREHOUSE", "mysql://u:sesame@host/db"),
        ("WAREHOUSE", '{"conn_type": "postgres", "password": "sesame"'),
        ("WAREHOUSE", '{"password": "sesame"}'),
        ("WAREHOUSE", '{"conn_type": "postgres", "port": "x", "password": "sesame"}'),
        ("WAREHOUSE", '{"conn_type": "postgres", "extra": "[]", "password": "sesame"}'),
        ("SMTP", "smtp://u:sesame@/?from_email=a%40b.example"),
        ("SMTP", "smtp://u:sesame@mail.example"),
        ("SMTP", "smtp://u:sesame@mail.example/?from_email=a%40b.example&disable_tls=perhaps"),
        ("SMTP", "smtp://u:sesame@mail.example/?from_email=a%40b.example&timeout=soon"),
    ],
)
def test_a_malformed_value_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name}", value)
    with pytest.raises(UserError, match=f"^AIRFLOW_CONN_{name} is malformed") as caught:
        connections.smtp() if name == "SMTP" else connections.warehouse("sample")
    assert not re.search(f"sesame|{re.escape(SECRET)}", str(caught.value))
    assert caught.value.__suppress_context__, "a chained error would show the value"


def test_a_system_without_connection_or_sample_says_what_to_set() -> None:
    with pytest.raises(UserError, match="AIRFLOW_CONN_ERP is not set"):
        connections.system("erp", None)


def test_the_fingerprint_follows_the_settings_and_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = connections.fingerprint()
    assert connections.fingerprint() == before
    monkeypatch.setenv("UNRELATED", "x")
    monkeypatch.setenv("CUSTOMER_TIERS_HOME", "/elsewhere")
    assert connections.fingerprint() == before
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://u:sesame@h/d")
    one = connections.fingerprint()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://u:other@h/d")
    assert len({before, one, connections.fingerprint()}) == 3
    assert re.fullmatch("[0-9a-f]{64}", one)


def test_a_password_survives_the_way_through_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    every = "".join(map(chr, range(33, 127)))
    fields = {"conn_type": "postgres", "host": "h", "login": every, "password": every}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({**fields, "schema": "d"}))
    parts = urlsplit(connections.warehouse("sample"))
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (every, every)
