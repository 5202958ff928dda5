"""The contract is checked when it is loaded: a bad file names file, entity and column."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from customer_tiers import contract
from customer_tiers.errors import UserError

GOOD = {
    "version": 1,
    "entities": {
        "erp.customers": {
            "description": "One row per customer.",
            "required": True,
            "key": ["customer_id"],
            "cursor": "updated_at",
            "columns": {
                "customer_id": {"type": "text", "nullable": False, "description": "Number."},
                "credit_limit": {"type": "numeric", "description": "Limit."},
                "updated_at": {"type": "timestamp", "description": "Last change."},
            },
        }
    },
}

ENTITIES_OF_THE_DESIGN = {
    *("erp.customers", "erp.products", "erp.product_costs", "erp.invoice_lines", "erp.orders"),
    *("erp.receivables", "erp.fx_rates", "erp.gl_controls", "crm.accounts", "crm.owners"),
    *("crm.activities", "crm.cases", "crm.surveys", "crm.opportunities"),
}


def load(tmp_path: Path, document: object) -> contract.Contract:
    path = tmp_path / "contract.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return contract.load(path)


def test_the_projects_own_contract_holds_every_entity():
    entities = contract.load().entities
    assert set(entities) == ENTITIES_OF_THE_DESIGN
    required = {name for name, entity in entities.items() if entity.required}
    assert required == {"erp.customers", "erp.products", "erp.invoice_lines"}


def test_a_good_file_is_read(tmp_path):
    entity = load(tmp_path, GOOD).entities["erp.customers"]
    assert entity.table == "erp_customers"
    assert entity.column("credit_limit").sql_type == "numeric"
    assert entity.column("credit_limit").nullable


def broken(path: str, value: object) -> dict:
    """GOOD with the field at a /-separated path below the entity replaced (or removed by None)."""
    document = copy.deepcopy(GOOD)
    target = document["entities"]["erp.customers"]
    *parents, last = path.split("/")
    for parent in parents:
        target = target[parent]
    if value is None:
        target.pop(last)
    else:
        target[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("columns/credit_limit/type", "money", ["column credit_limit", "'money'"]),
        ("columns/credit_limit/typ", "text", ["column credit_limit", "'typ'"]),
        ("columns/credit_limit/nullable", "no", ["column credit_limit", "nullable"]),
        ("columns/credit_limit/description", None, ["column credit_limit", "description"]),
        ("columns/credit_limit", "numeric", ["column credit_limit"]),
        ("columns/Credit Limit", {"type": "text"}, ["column Credit Limit"]),
        ("columns", {}, ["columns"]),
        ("key", ["number"], ["column number", "key"]),
        ("key", [], ["key"]),
        ("key", ["credit_limit"], ["column credit_limit", "nullable"]),
        ("cursor", "credit_limit", ["column credit_limit", "cursor", "timestamp"]),
        ("sum", "customer_id", ["column customer_id", "sum", "numeric"]),
        ("period", "nowhere", ["column nowhere", "period"]),
        ("colums", {}, ["'colums'"]),
    ],
)
def test_a_bad_field_names_file_entity_and_column(tmp_path, path, value, words):
    with pytest.raises(UserError) as caught:
        load(tmp_path, broken(path, value))
    line = str(caught.value)
    assert "\n" not in line
    for word in ["contract.yml", "erp.customers", *words]:
        assert word in line


@pytest.mark.parametrize(
    "text", ["", "entities: []", "entities: {a: 1", "version: 2\nentities: {}", "\x00"]
)
def test_a_file_that_is_no_contract_is_refused_by_name(tmp_path, text):
    path = tmp_path / "contract.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"contract\.yml"):
        contract.load(path)


def test_an_entity_of_an_unknown_system_is_refused(tmp_path):
    document = {"version": 1, "entities": {"hr.people": GOOD["entities"]["erp.customers"]}}
    with pytest.raises(UserError, match=r"hr\.people"):
        load(tmp_path, document)


def test_a_column_reads_its_own_values_as_empty_or_else_those_of_its_type(tmp_path):
    document = broken("columns/updated_at", {"type": "timestamp", "description": "Last change."})
    document["no_value"] = {"numeric": ["NaN", "infinity"], "timestamp": ["1753-01-01"]}
    document["entities"]["erp.customers"]["columns"]["credit_limit"]["no_value"] = ["-infinity"]
    entity = load(tmp_path, document).entities["erp.customers"]
    assert entity.column("credit_limit").no_value == ("-infinity",)
    assert entity.column("updated_at").no_value == ("1753-01-01",)
    assert entity.column("customer_id").no_value == ()


@pytest.mark.parametrize(
    ("column", "literal"),
    [
        ("credit_limit", ["1753-01-01"]),
        ("credit_limit", ["1.5"]),
        ("credit_limit", "NaN"),
        ("updated_at", ["NaN"]),
        ("updated_at", ["01.01.1753"]),
        ("updated_at", [None]),
    ],
)
def test_a_literal_that_no_value_cannot_hold_is_refused(tmp_path, column, literal):
    with pytest.raises(
        UserError, match=rf"erp\.customers, column {column}: `no_value` must"
    ) as told:
        load(tmp_path, broken(f"columns/{column}/no_value", literal))
    assert "\n" not in str(told.value)


def test_no_value_is_refused_for_a_column_that_cannot_be_empty_or_for_text(tmp_path):
    for nullable in (True, False):
        document = broken("columns/customer_id/nullable", nullable)
        document["entities"]["erp.customers"]["columns"]["customer_id"]["no_value"] = ["n/a"]
        with pytest.raises(UserError, match="column customer_id: `no_value` is for a") as told:
            load(tmp_path, document)
        assert "\n" not in str(told.value)


def test_no_value_of_an_unknown_type_or_for_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"contract\.yml: `no_value`.*'money'") as told:
        load(tmp_path, {**GOOD, "no_value": {"money": ["NaN"]}})
    assert "\n" not in str(told.value)
    unknown = {"no_value": ["1753-01-01"]}
    with pytest.raises(UserError, match="column born_on: type None is unknown") as told:
        load(tmp_path, broken("columns/born_on", unknown))
    assert "\n" not in str(told.value)
