"""Which tables are published, read from `meta.publish` of the marts' own properties."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from customer_tiers import settings, yaml_files
from customer_tiers.errors import UserError

MARTS = settings.DBT_PROJECT / "models" / "marts"

SCOPES = ("current", "night")
"""current: the whole table is replaced; night: the rows of one business_date."""


@dataclass(frozen=True)
class Published:
    """One table of the contract with BI."""

    name: str
    key: tuple[str, ...]
    scope: str


@cache
def published(folder: Path = MARTS) -> tuple[Published, ...]:
    """Read the published tables in alphabetical order.

    Raises:
        UserError: A mart's `meta.publish` has no key or an unknown scope.
    """
    found = []
    for path in sorted(folder.rglob("*.yml")):
        described = yaml_files.read(path, missing="the models' file is gone", holds="models")
        for model in described.get("models", []):
            meta = model.get("config", {}).get("meta", {}) or model.get("meta", {})
            spec = meta.get("publish")
            if spec is None:
                continue
            if spec.get("scope") not in SCOPES or not spec.get("key"):
                raise UserError(
                    f"{path}: model {model['name']}: meta.publish needs `key` and "
                    f"`scope` ({' or '.join(SCOPES)})"
                )
            found.append(Published(model["name"], tuple(spec["key"]), spec["scope"]))
    return tuple(sorted(found, key=lambda table: table.name))
