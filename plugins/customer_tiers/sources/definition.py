"""A source: the folder `sources/<name>/` with its `source.yml` and one SELECT per entity."""

from __future__ import annotations

import codecs
import csv
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customer_tiers import settings, yaml_files
from customer_tiers.contract import SYSTEMS, Contract
from customer_tiers.errors import UserError

WRITTEN = {"delimiter", "encoding", "quote", "header_row", "footer_rows"}
"""The fields that say how a file is written, for all files of a system or for those of a table."""

KINDS = {
    "sql": {"connection", "embedded_database"},
    "files": {"path", "decimal", "done_suffix", "archive", "tables"} | WRITTEN,
    "rest": {"connection", "decimal", "headers", "requests_per_second", "tables"},
}
"""Kind of a system -> the fields its block in source.yml may have besides those of all."""

COMMON = {"kind", "reconcile_days"}
"""The fields that a block of every kind may have."""

TABLES = {
    "files": {"files", "sheet", "decimal"} | WRITTEN,
    "rest": {"path", "records", "parameters", "paging", "columns", "since", "decimal"},
}
"""Kind of a system -> the fields of each of its `tables`."""

NEEDED = {"files": "files", "rest": "path"}
"""Kind of a system -> the field that each of its tables must have."""


BASE_CURRENCY = "$base_currency"
"""What a SELECT writes, within quotes, for the `base_currency` of source.yml."""


@dataclass(frozen=True)
class System:
    """One business system of a source and how it is reached."""

    source: str
    name: str
    kind: str
    options: dict[str, Any]

    @property
    def connection(self) -> str:
        """The Airflow connection that leads to it (kind sql)."""
        return str(self.options.get("connection", self.name))

    @property
    def reconcile_days(self) -> int:
        """How many days may lie between two comparisons by month; 0 for one in each load."""
        return int(self.options.get("reconcile_days", 0))

    def decimal(self, table: str) -> str | None:
        """What separates the decimals in a table, or in a sheet of it: `,`, `.` or not said."""
        own = [
            (name, block["decimal"])
            for name, block in self.options.get("tables", {}).items()
            if "decimal" in block and f"{table}_".lower().startswith(f"{name}_".lower())
        ]
        said = max(own, key=lambda one: len(one[0]))[1] if own else self.options.get("decimal")
        return None if said is None else str(said)

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
    """One company as described by its folder.

    `policy` is the one that leads there; None = the one that leads by its role in the seed.
    `rounding` is when its books round an amount, one of ROUNDINGS.
    """

    name: str
    base_currency: str
    policy: str | None
    rounding: str
    systems: dict[str, System]
    queries: dict[str, Path]

    def query(self, entity: str) -> str | None:
        """Return the SELECT of an entity, or None if the source does not deliver it.

        `$base_currency` in it stands for the source's.
        """
        path = self.queries.get(entity)
        if path is None:
            return None
        query = path.read_text(encoding="utf-8").strip().rstrip(";")
        return query.replace(BASE_CURRENCY, self.base_currency.replace("'", "''"))


ROUNDINGS = ("month", "document", "line")
"""When the books round: not before lines are summed, the total of each document, or each line."""

TEMPLATE = "template"
"""The folder that `tiers source new` copies; it is no source itself."""


def names() -> list[str]:
    """The names of all sources there are."""
    folders = (path.parent.name for path in settings.SOURCES.glob("*/source.yml"))
    return sorted(name for name in folders if name != TEMPLATE)


def create(name: str) -> Path:
    """Lay out the folder of a new source from the template, and return it.

    Raises:
        UserError: The name cannot be a folder and a database, or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or name == TEMPLATE:
        raise UserError(
            f"source {name!r}: a name is lower case letters, digits and underscores, at most 40"
        )
    folder = settings.SOURCES / name
    if folder.exists():
        raise UserError(f"source {name}: {folder} is there already; choose another name")
    shutil.copytree(settings.SOURCES / TEMPLATE, folder)
    described = folder / "source.yml"
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace(f"name: {TEMPLATE}", f"name: {name}", 1), encoding="utf-8")
    return folder


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
    spec = yaml_files.read(where, missing="there is no source.yml; write it", holds="`systems:`")
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
    rounding = spec.get("rounding", ROUNDINGS[0])
    if rounding not in ROUNDINGS:
        raise UserError(
            f"{where}: `rounding` {rounding!r} is unknown; use one of {', '.join(ROUNDINGS)}, "
            "as the books round"
        )
    policy = _policy(where, spec)
    return Source(name, str(spec["base_currency"]), policy, rounding, systems, queries)


def _policy(where: Path, spec: dict[str, Any]) -> str | None:
    named = spec.get("policy")
    if named is None:
        return None
    with (settings.DBT_PROJECT / "seeds" / "tier_policies.csv").open(encoding="utf-8") as stream:
        known = [row["policy_id"] for row in csv.DictReader(stream)]
    if named not in known:
        raise UserError(f"{where}: `policy` {named!r} is unknown; use one of {', '.join(known)}")
    return str(named)


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
            raise UserError(f"{where}: system {name}: `kind` must be one of {', '.join(KINDS)}")
        known = COMMON | KINDS[kind]
        if unknown := sorted(set(options) - known):
            raise UserError(
                f"{where}: system {name}: unknown field {unknown[0]!r}; "
                f"use {', '.join(sorted(known))}"
            )
        days = options.get("reconcile_days", 0)
        if not isinstance(days, int) or days < 0:
            raise UserError(
                f"{where}: system {name}: `reconcile_days` must be a number of days; 0 compares "
                "the months in every night"
            )
        _check_decimal(f"{where}: system {name}", options)
        if kind == "files":
            _check_text(f"{where}: system {name}", options)
        _check_tables(f"{where}: system {name}", kind, options.get("tables"))
        systems[name] = System(source, name, kind, options)
    return systems


def _check_tables(where: str, kind: str, tables: Any) -> None:
    if tables is None and kind != "rest":
        return
    if not isinstance(tables, dict) or not tables:
        raise UserError(f"{where}: `tables` must name at least one table")
    for table, options in tables.items():
        place = f"{where}, table {table}"
        if not isinstance(options, dict) or not isinstance(options.get(NEEDED[kind]), str):
            raise UserError(f"{place}: must be a block with `{NEEDED[kind]}`")
        if unknown := sorted(set(options) - TABLES[kind]):
            raise UserError(
                f"{place}: unknown field {unknown[0]!r}; use {', '.join(sorted(TABLES[kind]))}"
            )
        _check_decimal(place, options)
        if kind == "rest":
            _check_endpoint(place, options)
        else:
            _check_text(place, options)


def _check_decimal(place: str, options: dict[str, Any]) -> None:
    """Check what separates the decimals of a system's, or a table's, numbers."""
    if options.get("decimal", ",") not in (",", "."):
        raise UserError(f'{place}: `decimal` must be "," or "."')


def _check_text(place: str, options: dict[str, Any]) -> None:
    """Check how a folder, or a table of it, says that its files are written."""
    try:
        codecs.lookup(options.get("encoding", "utf-8"))
    except (LookupError, TypeError):
        raise UserError(
            f"{place}: encoding {options['encoding']!r} is unknown; use utf-8, gbk, latin-1, ..."
        ) from None
    delimiter = options.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise UserError(f"{place}: `delimiter` must be one character, in quotes")
    quote = options.get("quote", "none")
    if quote != "none" and (not isinstance(quote, str) or len(quote) != 1 or not quote.isascii()):
        raise UserError(f"{place}: `quote` must be none, or one character in quotes")
    if quote == delimiter:
        raise UserError(f"{place}: `quote` and `delimiter` must differ")
    footer = options.get("footer_rows", 0)
    if type(footer) is not int or footer < 0:
        raise UserError(f"{place}: `footer_rows` must be a number of lines, from 0")
    row = options.get("header_row", 1)
    if type(row) is not int or row < 1:
        raise UserError(f"{place}: `header_row` must be the number of a row, from 1")


def _check_endpoint(place: str, options: dict[str, Any]) -> None:
    """Check how an endpoint is paged and asked for changes: a slip would read one page only."""
    paging = options.get("paging", {"kind": "none"})
    kinds = ("page", "offset", "cursor", "next_link", "none")
    kind = paging.get("kind") if isinstance(paging, dict) else None
    if kind not in kinds:
        raise UserError(f"{place}: the `kind` of `paging` must be {', '.join(kinds)}")
    if unknown := sorted(set(paging) - {"kind", "parameter", "first", "size", "next"}):
        raise UserError(f"{place}: `paging` has no field {unknown[0]!r}")
    if kind == "cursor" and not {"parameter", "next"} <= set(paging):
        raise UserError(f"{place}: `paging` by cursor needs `parameter` and `next`")
    if "since" in options:
        since = options["since"]
        if not isinstance(since, dict) or "parameter" not in since:
            raise UserError(f"{place}: `since` must be a block with `parameter`")
        if not options.get("columns"):
            raise UserError(f"{place}: `since` needs `columns`: no change means no record")
