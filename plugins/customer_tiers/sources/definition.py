"""A source: the folder `sources/<name>/` with its `source.yml` and one SELECT per entity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from customer_tiers import settings
from customer_tiers.contract import SYSTEMS, Contract
from customer_tiers.errors import UserError

KINDS = {
    "sql": {"kind", "connection", "embedded_database"},
    "files": {"kind", "path", "delimiter"},
}
"""Kind of a system -> the fields its block in source.yml may have."""


@dataclass(frozen=True)
class System:
    """One business system of a source and how it is reached."""

    source: str
    name: str
    kind: str
    options: dict[str, str]

    @property
    def connection(self) -> str:
        """The Airflow connection that leads to it (kind sql)."""
        return self.options.get("connection", self.name)

    def folder(self, override: str | None) -> Path:
        """The folder of its files (kind files); a path in source.yml is relative to the project."""
        path = Path(override) if override else settings.PROJECT / self.options.get("path", ".")
        if not path.is_dir():
            raise UserError(
                f"source {self.source}, system {self.name}: there is no folder {path}; "
                "name the right one with --path"
            )
        return path.resolve()


@dataclass(frozen=True)
class Source:
    """One company as described by its folder."""

    name: str
    base_currency: str
    systems: dict[str, System]
    queries: dict[str, Path]

    def query(self, entity: str) -> str | None:
        """Return the SELECT of an entity, or None if the source does not deliver it."""
        path = self.queries.get(entity)
        return None if path is None else path.read_text(encoding="utf-8").strip().rstrip(";")


def names() -> list[str]:
    """The names of all sources there are."""
    return sorted(path.parent.name for path in settings.SOURCES.glob("*/source.yml"))


def unknown(name: str) -> UserError:
    """The fault of a name that is no source."""
    return UserError(f"source {name!r} is unknown; there are: {', '.join(names())}")


def load(name: str, contract: Contract) -> Source:
    """Read a source's folder.

    Raises:
        UserError: There is no such source, its source.yml is wrong, a SELECT has no entity, or a
            required entity has no SELECT.
    """
    if name not in names():
        raise unknown(name)
    folder = settings.SOURCES / name
    where = folder / "source.yml"
    try:
        spec = yaml.safe_load(where.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{where}: not readable as YAML: {error}") from None
    systems = _systems(where, name, spec)
    queries = {
        f"{system}.{path.stem}": path
        for system in systems
        for path in sorted((folder / system).glob("*.sql"))
    }
    for read, file in queries.items():
        if read not in contract.entities:
            raise UserError(f"{file}: the contract has no entity {read}; rename the file")
    for entity in contract.entities.values():
        if entity.required and entity.name not in queries:
            raise UserError(
                f"source {name}: required entity {entity.name} has no SELECT; "
                f"write {folder / entity.system / entity.name.split('.')[1]}.sql"
            )
    return Source(name, str(spec["base_currency"]), systems, queries)


def _systems(where: Path, source: str, spec: Any) -> dict[str, System]:
    if not isinstance(spec, dict) or not isinstance(spec.get("systems"), dict):
        raise UserError(
            f"{where}: must hold `systems:` with a block for erp, and crm if there is one"
        )
    if not isinstance(spec.get("base_currency"), str):
        raise UserError(f"{where}: `base_currency` is missing, for example base_currency: EUR")
    systems = {}
    for name, options in spec["systems"].items():
        if name not in SYSTEMS:
            raise UserError(f"{where}: system {name!r} is unknown; use {' or '.join(SYSTEMS)}")
        kind = options.get("kind") if isinstance(options, dict) else None
        if kind not in KINDS:
            raise UserError(f"{where}: system {name}: `kind` must be {' or '.join(KINDS)}")
        unknown = sorted(set(options) - KINDS[kind])
        if unknown:
            raise UserError(
                f"{where}: system {name}: unknown field {unknown[0]!r}; "
                f"use {', '.join(sorted(KINDS[kind]))}"
            )
        systems[name] = System(source, name, kind, options)
    return systems
