"""Read the suites in `expectations/` and refuse every fault in them.

A suite is GX's own serialised form: `name`, `meta`, `suite_parameters` and `expectations`, each
with `type`, `severity`, `kwargs` and `meta`. Of `meta` we read:

    notes        why the rule is there, in plain words; it is shown to whoever must act (required)
    rule         the rule's short name, unique in the suite; made from column and type if left out,
                 required for a query
    on_failure   `quarantine`: only for critical rules about rows of an entity. The rows that break
                 the rule are set aside, the others go on. Without it a critical rule stops the run
                 at its first bad row; a warning is reported and its rows go on.
    limit_share  share of the extract's rows above which a quarantine stops the run (0.05)
    limit_rows   so many quarantined rows never stop the run, however small the extract (10)
    rejects      for a query: values of columns that make a row bad, so that a test can try it
    shows        columns whose values of the bad row stand behind its key in the line that is shown

In the suite's own `meta`: `table`, `owner` (who mends the data), and for a published table its
`key`. In a query, `{batch}` is the checked table and `subselect` its alias (GX's choice),
`$known(erp.customers)` the entity's rows in raw or in tonight's stage, `$schema` the schema of the
checked table, `$latest_date` a parameter. A query whose rows can be set aside has the form
`select 1 from {batch} where <the row is bad>`.

GX itself only logs an expectation type that it does not know, and then passes the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from customer_tiers import contract, settings, yaml_files
from customer_tiers.contract import Entity
from customer_tiers.errors import UserError
from customer_tiers.quality import engine
from customer_tiers.quality.predicates import can_find_rows
from customer_tiers.quality.rules import (
    CRITICAL,
    LIMIT_ROWS,
    LIMIT_SHARE,
    QUARANTINE,
    QUERY_TYPE,
    REPORT,
    STOP,
    WARNING,
    Rule,
)

SUITE_FIELDS = {"name", "meta", "suite_parameters", "expectations"}
SUITE_META = {"table", "owner", "key", "notes"}
RULE_FIELDS = {"type", "severity", "kwargs", "meta"}
RULE_META = {"notes", "rule", "on_failure", "limit_share", "limit_rows", "rejects", "shows"}
SEVERITIES = (CRITICAL, WARNING)

RUN_PARAMETERS = frozenset({"latest_date", "latest_plan_date"})
"""Parameters that every run passes: the last plausible day of a fact, and of a plan."""


@dataclass(frozen=True)
class Suite:
    """The rules of one table; `entity` is None for a published table."""

    name: str
    path: Path
    table: str
    key: tuple[str, ...]
    entity: Entity | None
    rules: tuple[Rule, ...]
    parameters: dict[str, Any] = field(default_factory=dict)


def of_entity(entity: Entity) -> Suite:
    """Load the suite of an entity: `expectations/erp/customers.yml` for erp.customers."""
    return load(settings.EXPECTATIONS / f"{entity.name.replace('.', '/')}.yml")


@cache
def owner_of(entity: Entity) -> str:
    """Who mends an entity's data, without checking its suite."""
    path = settings.EXPECTATIONS / f"{entity.name.replace('.', '/')}.yml"
    return str((_read(path).get("meta") or {}).get("owner") or "nobody")


def _read(path: Path) -> dict[str, Any]:
    return yaml_files.read(
        path,
        missing="there is no such suite; every table that is checked needs one",
        holds="name, meta and expectations",
    )


def published() -> list[Suite]:
    """Load the suites of the published tables, by name."""
    return [load(path) for path in sorted((settings.EXPECTATIONS / "bi").glob("*.yml"))]


def load(path: Path) -> Suite:
    """Read one suite; its name follows from its path.

    Raises:
        UserError: Names the file, the expectation (counted from 1) and its type, for: no YAML, a
            key twice, an unknown key, type, argument or column, a wrong severity, a missing
            reason, the same expectation or rule name twice, a quarantine without SQL for it.
    """
    document = _read(path)
    _only(f"{path}", document, SUITE_FIELDS)
    name = f"{path.parent.name}.{path.stem}"
    if document.get("name") != name:
        raise UserError(f"{path}: name is {document.get('name')!r}; by its place it is {name!r}")
    entities = known_entities()
    entity = None if path.parent.name == "bi" else _entity(path, name, entities)
    meta = document.get("meta") or {}
    _only(f"{path}: meta", meta, SUITE_META)
    parameters = document.get("suite_parameters") or {}
    items = document.get("expectations")
    if not isinstance(items, list) or not items:
        raise UserError(f"{path}: `expectations` must list at least one expectation")
    rules = tuple(_rule(path, number, item, entity) for number, item in enumerate(items, 1))
    _check_known(path, rules, entities)
    _check_parameters(path, rules, RUN_PARAMETERS | set(parameters))
    _check_twice(path, rules)
    engine.check_arguments(path, rules)
    return Suite(
        name=name,
        path=path,
        table=_table(path, name, entity, meta),
        key=_key(path, entity, meta),
        entity=entity,
        rules=rules,
        parameters=parameters,
    )


def known_entities() -> dict[str, Entity]:
    """Return the contract's entities; the file is read again only when it has changed."""
    return _entities(contract.CONTRACT_FILE.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _entities(changed_at: int) -> dict[str, Entity]:
    return contract.load().entities


def _entity(path: Path, name: str, entities: dict[str, Entity]) -> Entity:
    if name not in entities:
        raise UserError(f"{path}: {name} is no entity of sources/contract.yml; rename the file")
    return entities[name]


def _table(path: Path, name: str, entity: Entity | None, meta: dict[str, Any]) -> str:
    table = f"stage.{entity.table}" if entity else name
    if meta.get("table") != table:
        raise UserError(f"{path}: meta: table is {meta.get('table')!r}; it must be {table!r}")
    if not meta.get("owner"):
        raise UserError(f"{path}: meta: owner is missing; say who mends the data")
    return table


def _key(path: Path, entity: Entity | None, meta: dict[str, Any]) -> tuple[str, ...]:
    if entity is not None:
        return entity.key
    if not isinstance(meta.get("key"), list) or not meta["key"]:
        raise UserError(f"{path}: meta: key is missing; list the columns that identify a row")
    return tuple(meta["key"])


def _rule(path: Path, number: int, item: Any, entity: Entity | None) -> Rule:
    kind = item.get("type") if isinstance(item, dict) else None
    where = f"{path}: expectation {number} ({kind})"
    _only(where, item, RULE_FIELDS)
    if not isinstance(kind, str) or not engine.is_known(kind):
        raise UserError(f"{where}: GX knows no such type; correct the spelling")
    if item.get("severity") not in SEVERITIES:
        raise UserError(
            f"{where}: severity is {item.get('severity')!r}; use {' or '.join(SEVERITIES)}"
        )
    kwargs, meta = item.get("kwargs") or {}, item.get("meta") or {}
    if not isinstance(kwargs, dict):
        raise UserError(f"{where}: kwargs must be a block of arguments")
    _only(f"{where}: meta", meta, RULE_META)
    if not isinstance(meta.get("notes"), str) or not meta["notes"].strip():
        raise UserError(f"{where}: meta.notes is missing; say why the rule is there")
    rule = Rule(
        name=_name(where, kind, kwargs, meta),
        position=number,
        type=kind,
        severity=item["severity"],
        kwargs=kwargs,
        reason=" ".join(meta["notes"].split()),
        on_failure=_on_failure(where, item["severity"], meta, entity),
        limit_share=_number(where, meta, "limit_share", LIMIT_SHARE, 1),
        limit_rows=int(_number(where, meta, "limit_rows", LIMIT_ROWS, 1_000_000)),
        rejects=meta.get("rejects") or {},
        shows=_shows(where, meta),
    )
    _check_columns(where, rule, entity)
    _check_rows(where, rule)
    return rule


def _name(where: str, kind: str, kwargs: dict[str, Any], meta: dict[str, Any]) -> str:
    if isinstance(meta.get("rule"), str):
        return str(meta["rule"])
    if kind == QUERY_TYPE or "rule" in meta:
        raise UserError(f"{where}: meta.rule is missing; give the query a short name")
    short = kind.removeprefix("expect_")
    for prefix in ("column_values_to_", "column_", "compound_columns_to_", "table_"):
        short = short.removeprefix(prefix)
    columns = kwargs.get("column") or "_".join(kwargs.get("column_list") or ())
    return f"{columns}.{short}" if columns else short


def _on_failure(where: str, severity: str, meta: dict[str, Any], entity: Entity | None) -> str:
    wanted = meta.get("on_failure")
    if wanted is None:
        return STOP if severity == CRITICAL else REPORT
    if wanted != QUARANTINE:
        raise UserError(f"{where}: on_failure is {wanted!r}; use quarantine or leave it out")
    if severity != CRITICAL:
        raise UserError(f"{where}: a warning lets rows pass; make it critical to quarantine them")
    if entity is None:
        raise UserError(f"{where}: rows of a published table cannot be quarantined; leave it out")
    return QUARANTINE


def _shows(where: str, meta: dict[str, Any]) -> tuple[str, ...]:
    names = meta.get("shows", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{where}: shows is {names!r}; it must be a list of columns")
    return tuple(names)


def _number(where: str, meta: dict[str, Any], name: str, default: float, most: float) -> float:
    value = meta.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise UserError(f"{where}: {name} is {value!r}; it must be a number from 0 to {most}")
    return value


def _check_columns(where: str, rule: Rule, entity: Entity | None) -> None:
    for column in (*rule.columns, *rule.rejects, *rule.shows):
        if entity is not None and column not in entity.column_names:
            raise UserError(f"{where}: column {column} is not in the contract of {entity.name}")


def _check_rows(where: str, rule: Rule) -> None:
    if rule.on_failure == QUARANTINE and (fault := can_find_rows(rule)):
        raise UserError(f"{where}: cannot quarantine: {fault}")
    if rule.type == QUERY_TYPE and not rule.rejects:
        raise UserError(f"{where}: meta.rejects is missing; name values that make a row bad")


def _check_known(path: Path, rules: tuple[Rule, ...], entities: dict[str, Entity]) -> None:
    for rule in rules:
        for name in rule.entities():
            if name not in entities:
                raise UserError(
                    f"{path}: expectation {rule.position} ({rule.type}): $known({name}): "
                    "no such entity in the contract"
                )


def _check_parameters(
    path: Path, rules: tuple[Rule, ...], given: set[str] | frozenset[str]
) -> None:
    for rule in rules:
        for name in sorted(rule.parameters - given):
            raise UserError(
                f"{path}: expectation {rule.position} ({rule.type}): parameter {name} is unknown; "
                f"use {', '.join(sorted(given))} or add it to suite_parameters"
            )


def _check_twice(path: Path, rules: tuple[Rule, ...]) -> None:
    names: dict[str, int] = {}
    bodies: dict[str, int] = {}
    for rule in rules:
        where = f"{path}: expectation {rule.position} ({rule.type})"
        body = f"{rule.type} {sorted(rule.kwargs.items(), key=str)}"
        if body in bodies:
            raise UserError(f"{where}: the same as expectation {bodies[body]}; delete one")
        if rule.name in names:
            raise UserError(
                f"{where}: is named {rule.name} like expectation {names[rule.name]}; "
                "give one of them another meta.rule"
            )
        names[rule.name] = bodies[body] = rule.position


def _only(where: str, value: Any, known: set[str]) -> None:
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be a block of {', '.join(sorted(known))}")
    unknown = sorted(str(key) for key in set(value) - known)
    if unknown:
        raise UserError(f"{where}: unknown key {unknown[0]!r}; use {', '.join(sorted(known))}")
