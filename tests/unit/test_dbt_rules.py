"""Rules over all dbt models, read from the manifest."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from customer_tiers import settings, transform

PREFIXES = {"staging": ("stg_",), "intermediate": ("int_", "fct_"), "marts": ()}
"""Folder -> prefixes of its models; marts carry the names of the published tables."""

SOURCE_READERS = {
    "int_days_dirty": "ops",
    "int_days_rebuilt": "ops",
    "int_returns_dirty": "ops",
}
"""Models outside staging that may read a source: the dirty days are a list of work, not data."""

KEY_TESTS = {"is_key", "unique_combination"}

FORBIDDEN = {
    r"\bfloat\b|\breal\b|double precision|::": "no float, no PostgreSQL cast",
    r"\bnow\(\)|current_date|current_timestamp": "no clock",
    r"\bntile\b": "no NTILE",
    r"\bserial\b|\bjsonb?\b|\barray\[": "no type of PostgreSQL alone",
}


@pytest.fixture(scope="module")
def manifest() -> Any:
    outcome = transform.parse()
    assert outcome.success, outcome.exception
    return outcome.result


@pytest.fixture(scope="module")
def models(manifest: Any) -> list[Any]:
    return [n for n in manifest.nodes.values() if n.resource_type == "model"]


def layer(model: Any) -> str:
    return model.original_file_path.split("/")[1]


def test_folder_follows_from_the_name(models: list[Any]) -> None:
    for model in models:
        prefixes = PREFIXES[layer(model)]
        if prefixes:
            assert model.name.startswith(prefixes), model.name
        else:
            assert not model.name.startswith(("stg_", "int_", "fct_", "dim_")), model.name
        if layer(model) == "staging":
            assert model.name.startswith(f"stg_{Path(model.original_file_path).parent.name}__")


def test_every_model_says_its_grain(models: list[Any]) -> None:
    for model in models:
        assert model.description.startswith("One row"), model.name


def test_every_model_has_a_key(models: list[Any], manifest: Any) -> None:
    tested = {
        node.attached_node
        for node in manifest.nodes.values()
        if node.resource_type == "test"
        and getattr(node, "test_metadata", None)
        and node.test_metadata.name in KEY_TESTS
    }
    for model in models:
        meta = model.config.meta
        holds_it = "key" in meta or "key" in meta.get("publish", {})
        is_held = holds_it and model.config.materialized in ("table", "incremental")
        is_tested = model.unique_id in tested
        assert is_held or is_tested or meta.get("key_held_by"), model.name
        assert not (is_held and is_tested), f"{model.name}: its key is held when it is made"


def test_kept_tables_come_after_the_decision_what_is_kept(models: list[Any], manifest: Any) -> None:
    """Else one asks before it, the other after, and the two halves of a table do not fit."""
    parents = {model.unique_id: model.depends_on.nodes for model in models}

    def ancestors(name: str) -> set[str]:
        return {name}.union(*(ancestors(parent) for parent in parents.get(name, ())))

    decision = "model.customer_tiers.int_customers_touched"
    asking = {"macro.customer_tiers.follows_changes"}
    for _ in range(3):  # macros that ask by way of others
        asking |= {
            name
            for name, macro in manifest.macros.items()
            if asking & set(macro.depends_on.macros)
            and name != "macro.customer_tiers.materialization_incremental_default"
        }
    kept = {model.unique_id for model in models if "kept_by" in model.config.meta}
    asks = {model.unique_id for model in models if asking & set(model.depends_on.macros)}
    assert len(kept) > 10
    assert asks - kept, "views of what is touched ask, too"
    for model in models:
        if model.unique_id in kept:
            assert model.config.materialized == "incremental", model.name
            assert model.config.meta["kept_by"] in ("customers", "months", "receivables")
        if model.unique_id in kept | asks:
            assert decision in ancestors(model.unique_id), model.name
        if "model.customer_tiers.int_nights_compared" in model.depends_on.nodes:
            assert model.unique_id in ancestors(decision), f"{model.name}: the night before is gone"


def test_keys_held_by_raw_are_those_of_the_contract(models: list[Any]) -> None:
    contract = yaml.safe_load((settings.SOURCES / "contract.yml").read_text())["entities"]
    renamed = {"valid_from": "valid_from_date", "period": "month_start_date"}
    checked = 0
    for model in models:
        system, _, entity = model.name.removeprefix("stg_").partition("__")
        if f"{system}.{entity}" in contract:
            key = [renamed.get(c, c) for c in contract[f"{system}.{entity}"]["key"]]
            assert model.config.meta["key"] == key, model.name
            checked += 1
    assert checked == len(contract)


def test_marts_have_contracts_and_describe_every_column(models: list[Any]) -> None:
    for model in models:
        if layer(model) == "marts":
            assert model.config.contract.enforced, model.name
            for column in model.columns.values():
                assert column.description, f"{model.name}.{column.name}"
                assert column.data_type, f"{model.name}.{column.name}"


def test_published_marts_say_how(models: list[Any]) -> None:
    scopes = {
        m.name: m.config.meta["publish"]["scope"] for m in models if "publish" in m.config.meta
    }
    assert scopes == {
        **dict.fromkeys(
            (
                *("customer_tier", "customer_class", "customer_contribution", "customer_loyalty"),
                *("ledger_reconciliation", "early_warning", "risk_customers", "risk_evidence"),
                *("customer_identity", "match_review", "customer_group", "customer_360", "tier"),
                "contribution_bridge",
            ),
            "current",
        ),
        **dict.fromkeys(
            (
                *("tier_decision", "tier_decision_beside", "tier_change", "tier_migration"),
                *("pyramid_health", "policy_health", "window_rate", "customer_rollforward"),
                *("contact_capacity", "policy"),
            ),
            "night",
        ),
    }
    for model in models:
        if "publish" in model.config.meta:
            assert set(model.config.meta["publish"]["key"]) <= set(model.columns), model.name


def test_only_staging_reads_sources(models: list[Any], manifest: Any) -> None:
    for model in models:
        read = {
            manifest.sources[s].source_name for s in model.depends_on.nodes if s[:6] == "source"
        }
        if layer(model) != "staging":
            assert read <= {SOURCE_READERS.get(model.name)}, model.name


def test_facts_do_not_wait_for_tiers(models: list[Any], manifest: Any) -> None:
    tags = {n.unique_id: set(n.tags) & {"facts", "tiers"} for n in manifest.nodes.values()}
    for model in models:
        assert len(tags[model.unique_id]) == 1, model.name
        if tags[model.unique_id] == {"facts"}:
            for parent in model.depends_on.nodes:
                assert tags.get(parent, {"facts"}) == {"facts"}, f"{model.name} reads {parent}"


def test_models_keep_to_portable_sql_without_a_clock(models: list[Any]) -> None:
    for model in models:
        for pattern, rule in FORBIDDEN.items():
            assert not re.search(pattern, model.raw_code, re.IGNORECASE), f"{model.name}: {rule}"
        for column in model.columns.values():
            assert column.data_type not in ("float", "real", "jsonb"), model.name


def test_money_is_numeric_and_rates_are_typed(manifest: Any) -> None:
    for node in manifest.nodes.values():
        if node.resource_type == "seed":
            types = node.config.column_types
            assert set(types) == set(node.columns), f"{node.name}: every column has its type"
            assert not set(types.values()) & {"float", "real", "double precision"}, node.name


def class_codes() -> set[str]:
    """Codes of customer_class: those of its seeds, whatever their rows are."""
    codes: set[str] = set()
    for seed, columns in {
        "abc_cuts": ["abc_class"],
        "star_cuts": ["star_level"],
        "potential_bands": ["potential_class"],
        "behaviour_rules": ["segment"],
        "cell_actions": ["action"],
        "industry_codes": ["industry_code"],
    }.items():
        with (settings.DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8") as stream:
            codes |= {row[column] for row in csv.DictReader(stream) for column in columns}
    assert len(codes) >= 3 + 5 + 3 + 7 + 3 + 20
    return codes


def test_readme_lists_every_code_that_bi_may_meet(manifest: Any) -> None:
    readme = (settings.DBT_PROJECT / "README.md").read_text(encoding="utf-8")
    known = {
        node.name.removesuffix("_is_known"): node.test_metadata.kwargs["values"]
        for node in manifest.nodes.values()
        if node.name.endswith("_is_known") and getattr(node, "test_metadata", None)
    }
    causes = known["tier_decision_cause"]
    warnings = [*known["early_warning_signal"], *known["early_warning_cause"]]
    found = next(n for n in manifest.nodes.values() if n.name == "int_profit_lines_found")
    lines = re.findall(r"\('([a-z_.]+)', (?:none|'has_\w+')\)", found.raw_code)
    ledger = next(n for n in manifest.nodes.values() if n.name == "ledger_reconciliation")
    verdicts = re.findall(r"(?:then|else) '(\w+)'", ledger.raw_code)
    assert len(causes) == 10
    assert len(lines) == 16
    assert len(verdicts) == 7
    assert len(warnings) == 13
    for code in [*causes, *lines, *verdicts, *warnings, *class_codes()]:
        part = code.replace("cost_to_serve.", ".")
        assert f"`{code}`" in readme or f"`{part}`" in readme, code
