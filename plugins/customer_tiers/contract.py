"""The contract: the canonical entities that every source system is read into.

`sources/contract.yml` is read once and checked whole, so that everything behind it can trust it.
A fault names the file, the entity and the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customer_tiers import settings, yaml_files
from customer_tiers.errors import UserError

CONTRACT_FILE = settings.SOURCES / "contract.yml"

SQL_TYPES = {
    "text": "text",
    "integer": "bigint",
    "numeric": "numeric",
    "date": "date",
    "timestamp": "timestamptz",
    "boolean": "boolean",
}
"""Type of the contract -> type of the warehouse column."""

SYSTEMS = ("erp", "crm")
"""The business systems a company is read from; entities are named `<system>.<name>`."""

ENTITY_FIELDS = {"description", "required", "key", "cursor", "period", "sum", "columns"}
COLUMN_FIELDS = {"type", "nullable", "unit", "description", "no_value"}

NO_VALUE_TYPES = ("date", "timestamp", "numeric")
"""Types of which some values mean none; only a column that may be empty can read them so."""

NO_VALUE = re.compile(r"-?infinity|\d{4}-\d{2}-\d{2}", re.I)
NO_NUMBER = re.compile(r"NaN|-?infinity|-?\d+", re.I)
"""How the contract writes them."""

UNKNOWN = "_unknown"
"""The column of each table in stage and raw that keeps, as JSON, the columns of its source which
the contract does not know; it is empty where there are none."""


@dataclass(frozen=True)
class Column:
    """One column of an entity; `no_value` are the values that are read as empty."""

    name: str
    type: str
    nullable: bool
    unit: str | None
    description: str
    no_value: tuple[str, ...] = ()

    @property
    def sql_type(self) -> str:
        """The column's type in the warehouse."""
        return SQL_TYPES[self.type]


@dataclass(frozen=True)
class Entity:
    """One canonical table; `erp.invoice_lines` lands in `raw.erp_invoice_lines`."""

    name: str
    description: str
    required: bool
    key: tuple[str, ...]
    cursor: str | None
    period: str | None
    sum: str | None
    columns: tuple[Column, ...]

    @property
    def system(self) -> str:
        """The system it is read from: erp or crm."""
        return self.name.split(".")[0]

    @property
    def table(self) -> str:
        """Its table name in the schemas `stage` and `raw`."""
        return self.name.replace(".", "_")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Its columns in the contract's order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name; a KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Contract:
    """All entities in the order of the file, which is the order they are loaded in."""

    entities: dict[str, Entity]

    def of_system(self, system: str) -> Iterator[Entity]:
        """Yield the entities of one system."""
        return (entity for entity in self.entities.values() if entity.system == system)


def load(path: Path = CONTRACT_FILE) -> Contract:
    """Read and check the contract.

    Raises:
        UserError: The file is missing, is no YAML, or an entity or column is described wrongly.
    """
    holds = "`entities:` with one block per entity"
    document = yaml_files.read(path, missing="there is no contract; restore the file", holds=holds)
    if not isinstance(document.get("entities"), dict):
        raise UserError(f"{path}: must hold {holds}")
    if document.get("version") != 1:
        raise UserError(
            f"{path}: version {document.get('version')!r} is unknown; this release reads 1"
        )
    no_value = document.get("no_value", {})
    _only_known(f"{path}: `no_value`", no_value, set(NO_VALUE_TYPES))
    return Contract(
        {name: _entity(path, name, spec, no_value) for name, spec in document["entities"].items()}
    )


def _entity(path: Path, name: str, spec: Any, no_value: Mapping[str, Any]) -> Entity:
    where = f"{path}: entity {name}"
    if not isinstance(name, str) or name.count(".") != 1 or name.split(".")[0] not in SYSTEMS:
        raise UserError(
            f"{where}: a name is <system>.<entity> with system one of {', '.join(SYSTEMS)}"
        )
    _only_known(where, spec, ENTITY_FIELDS)
    columns = spec.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise UserError(f"{where}: `columns` must list the entity's columns")
    entity = Entity(
        name=name,
        description=_text(where, spec, "description"),
        required=_flag(where, spec, "required", default=False),
        key=tuple(_names(where, spec.get("key"))),
        cursor=spec.get("cursor"),
        period=spec.get("period"),
        sum=spec.get("sum"),
        columns=tuple(_column(where, column, value, no_value) for column, value in columns.items()),
    )
    _check_roles(where, entity)
    return entity


def _column(where: str, name: Any, spec: Any, no_value: Mapping[str, Any]) -> Column:
    where = f"{where}, column {name}"
    if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
        raise UserError(f"{where}: a column name is lower case letters, digits and underscores")
    _only_known(where, spec, COLUMN_FIELDS)
    kind = spec.get("type")
    if kind not in SQL_TYPES:
        raise UserError(f"{where}: type {kind!r} is unknown; use one of {', '.join(SQL_TYPES)}")
    return Column(
        name=name,
        type=kind,
        nullable=_flag(where, spec, "nullable", default=True),
        unit=spec.get("unit"),
        description=_text(where, spec, "description"),
        no_value=_no_value(where, spec, no_value),
    )


def _no_value(where: str, spec: dict[str, Any], by_type: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that the column reads as empty: its own, else those of its type."""
    kind, is_nullable = spec["type"], spec.get("nullable", True)
    if "no_value" in spec and (not is_nullable or kind not in NO_VALUE_TYPES):
        raise UserError(
            f"{where}: `no_value` is for a {', '.join(NO_VALUE_TYPES)} that may be empty"
        )
    listed = spec.get("no_value", by_type.get(kind, []) if is_nullable else [])
    pattern = NO_NUMBER if kind == "numeric" else NO_VALUE
    if not isinstance(listed, list) or not all(pattern.fullmatch(str(v)) for v in listed):
        raise UserError(
            f"{where}: `no_value` must list days (YYYY-MM-DD), infinity, -infinity or, for a "
            "number, NaN"
        )
    return tuple(map(str, listed))


def _check_roles(where: str, entity: Entity) -> None:
    """Key, cursor, period and sum must name columns that can play the part."""
    types = {column.name: column.type for column in entity.columns}
    for role, names, allowed in (
        ("key", entity.key, set(SQL_TYPES)),
        ("cursor", [entity.cursor], {"timestamp"}),
        ("period", [entity.period], {"date", "timestamp"}),
        ("sum", [entity.sum], {"numeric"}),
    ):
        for name in names:
            if name is None:
                continue
            if name not in types:
                raise UserError(f"{where}, column {name}: named as {role} but not in `columns`")
            if types[name] not in allowed:
                raise UserError(
                    f"{where}, column {name}: a {role} must be of type "
                    f"{' or '.join(sorted(allowed))}, not {types[name]}"
                )
    for name in entity.key:
        if entity.column(name).nullable:
            raise UserError(
                f"{where}, column {name}: part of the key, so it needs `nullable: false`"
            )


def _only_known(where: str, spec: Any, known: set[str]) -> None:
    if not isinstance(spec, dict):
        raise UserError(f"{where}: must be a block of {', '.join(sorted(known))}")
    unknown = sorted(str(field) for field in set(spec) - known)
    if unknown:
        raise UserError(f"{where}: unknown field {unknown[0]!r}; use {', '.join(sorted(known))}")


def _text(where: str, spec: dict[str, Any], field: str) -> str:
    value = spec.get(field)
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{where}: `{field}` is missing; say what one row or value is")
    return value


def _flag(where: str, spec: dict[str, Any], field: str, *, default: bool) -> bool:
    value = spec.get(field, default)
    if not isinstance(value, bool):
        raise UserError(f"{where}: `{field}` must be true or false, not {value!r}")
    return value


def _names(where: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise UserError(f"{where}: `key` must list at least one column")
    return value
