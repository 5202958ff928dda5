"""Where to read and write: the user's Airflow Connections, else the embedded services.

A connection is the value of AIRFLOW_CONN_WAREHOUSE, _ERP, _CRM or _SMTP, a URI or JSON as Airflow
reads it. It is read here without importing Airflow, which takes seconds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import os
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from customer_tiers import settings
from customer_tiers.errors import UserError

if TYPE_CHECKING:
    from customer_tiers.embedded.postgres import Cluster

PREFIX = "AIRFLOW_CONN_"
"""Airflow's own prefix for connections in the environment."""

EMBEDDED_SENDER = "customer-tiers@localhost"
"""Sender of mails that only the embedded sink will ever see."""

_POSTGRES = ("postgres", "postgresql")
_TRUE = ("true", "1", "yes", "on", "t", "y")
_FALSE = ("false", "0", "no", "off", "f", "n", "", "none")
_EXAMPLES = {
    "WAREHOUSE": "postgresql://user:password@host:5432/database",
    "SMTP": "smtp://user:password@host:587/?disable_ssl=true&from_email=tiers@example.com",
}
_ANY_EXAMPLE = "postgresql://user:password@host:5432/database, mssql+pymssql://..., oracle://..."


@dataclasses.dataclass(frozen=True)
class Smtp:
    """A mail server, in the words of Airflow's smtp provider."""

    host: str
    port: int
    login: str | None
    password: str | None = dataclasses.field(repr=False)
    from_email: str
    use_ssl: bool
    starttls: bool
    timeout: float
    is_verified: bool = True


@dataclasses.dataclass(frozen=True)
class Connection:
    """The parts of one AIRFLOW_CONN_ variable."""

    variable: str
    scheme: str
    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str
    extra: dict[str, Any]


def warehouse(source: str) -> str:
    """Return the libpq URL of a source's warehouse.

    A warehouse of the user's own is one database; the embedded one has a database per source.
    """
    connection = read("WAREHOUSE")
    if connection is None:
        return _embedded(embedded_warehouse(source))
    if connection.scheme not in _POSTGRES or not connection.host or not connection.schema:
        _reject(connection.variable, "it must name a PostgreSQL server and database")
    return _url(dataclasses.replace(connection, scheme="postgresql"))


def system(connection: str, embedded_database: str | None) -> str:
    """Return the URL of a business system.

    Args:
        connection: ``erp`` or ``crm``, or another connection that a source names.
        embedded_database: Database of the embedded cluster to use when there is no connection.

    Raises:
        UserError: If the connection is malformed, or there is neither it nor an embedded database.
    """
    found = read(connection)
    if found is not None:
        scheme = "postgresql" if found.scheme == "postgres" else found.scheme
        return _url(dataclasses.replace(found, scheme=scheme))
    if embedded_database is None:
        variable = _variable(connection)
        raise UserError(
            f"{variable} is not set and this source has no sample of its own: set {variable} to a "
            f"URL such as {_ANY_EXAMPLE}"
        )
    return _embedded(embedded_database)


def login(connection: str) -> tuple[str | None, str | None]:
    """Return user and password (or token) of a connection."""
    found = read(connection)
    return (found.login, found.password) if found else (None, None)


def is_embedded(connection: str) -> bool:
    """Whether there is no connection of the user's, so that the embedded service is used."""
    return read(connection) is None


def ensure(connection: str, embedded_database: str) -> None:
    """Create an embedded database unless the user has a connection of their own in its place."""
    if is_embedded(connection):
        _cluster(embedded_database).ensure_database(embedded_database)


def embedded_warehouse(source: str) -> str:
    """Return the name of a source's embedded warehouse."""
    return f"warehouse_{source}"


def smtp() -> Smtp:
    """Return the mail server: AIRFLOW_CONN_SMTP, or the embedded sink."""
    connection = read("SMTP")
    if connection is None:
        from customer_tiers.embedded import mail_sink

        port = mail_sink.port()
        return Smtp("127.0.0.1", port, None, None, EMBEDDED_SENDER, False, False, 30)
    if not connection.host:
        _reject(connection.variable, "it names no host")
    extra = connection.extra
    use_ssl, starttls = (not _flag(connection, f"disable_{name}") for name in ("ssl", "tls"))
    login = connection.login
    sender = extra.get("from_email") or (login if login and "@" in login else None)
    if not sender:
        _reject(connection.variable, "it has no from_email, the address that mails come from")
    return Smtp(
        host=connection.host,
        port=connection.port or (465 if use_ssl else 587),
        login=login,
        password=connection.password,
        from_email=str(sender),
        use_ssl=use_ssl,
        # The provider's hook also asks a TLS connection for STARTTLS, which every server refuses.
        starttls=starttls and not use_ssl,
        timeout=_seconds(connection),
        is_verified=_is_verified(connection),
    )


def fingerprint() -> str:
    """Return a value that changes when a connection or a setting of ours changes.

    It is keyed with a random secret of this installation, so nothing can be guessed from it.
    """
    from customer_tiers.embedded import files

    folder = files.make_folder(settings.HOME / "secrets")
    key = files.secret(folder / "fingerprint_key").encode()
    ours = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith((PREFIX, "CUSTOMER_TIERS_")) and name != "CUSTOMER_TIERS_HOME"
    )
    return hmac.new(key, json.dumps(ours).encode(), hashlib.sha256).hexdigest()


def _embedded(database: str) -> str:
    return _cluster(database).url(database)


def _cluster(database: str) -> Cluster:
    from customer_tiers.embedded import postgres

    cluster = postgres.running()
    if cluster is None:
        raise UserError(
            f"the embedded database is not running, {database} cannot be reached: run `tiers up`, "
            f"or name your own server in {PREFIX}WAREHOUSE"
        )
    return cluster


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def read(name: str) -> Connection | None:
    """Return a connection of the user's, or None if there is none of that name."""
    variable = _variable(name)
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    return _from_json(variable, value) if value.startswith("{") else _from_uri(variable, value)


def _from_uri(variable: str, value: str) -> Connection:
    try:
        parts = urlsplit(value)
        port = parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        _reject(variable, "its host or port cannot be read; percent-encode the password")
    if not parts.scheme or "://" not in value:
        _reject(variable, "it is neither a URI nor JSON")
    packed = query.pop("__extra__", None)  # how Airflow writes extras that are no flat strings
    extra = {**query, **(_object(variable, packed) if packed else {})}
    return Connection(
        variable,
        parts.scheme.lower(),
        _host(parts.netloc, parts.hostname),
        port,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        unquote(parts.path[1:]),
        extra,
    )


def _host(netloc: str, lowered: str | None) -> str | None:
    if not lowered:
        return None
    address = netloc.rpartition("@")[2]
    at = address.lower().find(lowered.lower())  # the case of a socket's path matters
    return unquote(address[at : at + len(lowered)])


def _from_json(variable: str, value: str) -> Connection:
    fields = _object(variable, value)
    extra = fields.get("extra") or {}
    extra = _object(variable, extra) if isinstance(extra, str) else extra
    kind = fields.get("conn_type")
    if not kind or not isinstance(extra, dict):
        _reject(variable, "the JSON needs a conn_type, and its extra must be an object")
    try:
        port = int(fields["port"]) if fields.get("port") else None
    except (TypeError, ValueError):
        _reject(variable, "its port is no number")
    return Connection(
        variable,
        str(kind).lower(),
        fields.get("host") or None,
        port,
        fields.get("login") or None,
        fields.get("password") or None,
        str(fields.get("schema") or ""),
        extra,
    )


def _object(variable: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        _reject(variable, "its JSON cannot be read")
    if not isinstance(value, dict):
        _reject(variable, "its JSON is no object")
    return value


def _url(connection: Connection) -> str:
    user = quote(connection.login or "", safe="")
    if connection.password is not None:
        user += ":" + quote(connection.password, safe="")
    host = connection.host or ""
    address = f"[{host}]" if ":" in host else quote(host, safe="\\")
    if connection.port:
        address += f":{connection.port}"
    at = "@" if user else ""
    flat = {key: value for key, value in connection.extra.items() if isinstance(value, str | int)}
    query = "?" + urlencode(flat, quote_via=quote) if flat else ""
    path = quote(connection.schema, safe="/:\\")
    return f"{connection.scheme}://{user}{at}{address}/{path}{query}"


def _flag(connection: Connection, name: str) -> bool:
    text = str(connection.extra.get(name, "false")).strip().lower()
    if text not in _TRUE + _FALSE:
        _reject(connection.variable, f"its {name} is neither true nor false")
    return text in _TRUE


def _is_verified(connection: Connection) -> bool:
    wanted = connection.extra.get("ssl_context") or "default"
    if wanted not in ("default", "none"):
        _reject(connection.variable, "its ssl_context is neither default nor none")
    return bool(wanted == "default")


def _seconds(connection: Connection) -> float:
    try:
        return float(connection.extra.get("timeout") or 30)
    except (TypeError, ValueError):
        _reject(connection.variable, "its timeout is no number of seconds")


def _reject(variable: str, fault: str) -> NoReturn:
    example = _EXAMPLES.get(variable.removeprefix(PREFIX), _ANY_EXAMPLE)
    raise UserError(f"{variable} is malformed, {fault}: write it as {example}") from None
