"""The suites are read strictly: whatever GX would drop or ignore is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.quality import suites
from customer_tiers.quality.rules import QUARANTINE, REPORT, STOP

HEAD = """
name: erp.orders
meta: {table: stage.erp_orders, owner: finance systems}
expectations:
"""
GOOD = """
  - type: expect_column_values_to_not_be_null
    severity: critical
    kwargs: {column: order_id}
    meta: {on_failure: quarantine, notes: an order without a number}
"""


def load(folder: Path, text: str) -> suites.Suite:
    path = folder / "erp" / "orders.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return suites.load(path)


def test_a_good_suite_says_what_happens_to_its_rows(tmp_path):
    text = HEAD + GOOD.replace("notes", "limit_share: 0.2, limit_rows: 3, notes")
    text += GOOD.replace("order_id", "customer_id").replace("on_failure: quarantine, ", "")
    text += (
        GOOD.replace("order_id", "channel")
        .replace("on_failure: quarantine, ", "")
        .replace("critical", "warning")
    )
    first, second, third = load(tmp_path, text).rules
    assert (first.on_failure, first.limit_share, first.limit_rows) == (QUARANTINE, 0.2, 3)
    assert (second.on_failure, third.on_failure) == (STOP, REPORT)
    assert first.name == "order_id.not_be_null"
    assert first.reason == "an order without a number"


FAULTS = {
    "unknown type": ("expect_column_values_to_not_be_null", "expect_nonsense", "no such type"),
    "misspelt type": ("to_not_be_null", "to_not_be_nul", "no such type"),
    "unknown argument": ("{column: order_id}", "{column: order_id, colour: red}", "colour: extra"),
    "missing argument": ("{column: order_id}", "{}", "column: field required"),
    "unknown column": ("order_id", "order_number", "order_number is not in the contract"),
    "missing reason": (", notes: an order without a number", "", "notes is missing"),
    "empty reason": ("notes: an order without a number", "notes: ' '", "notes is missing"),
    "bad severity": ("severity: critical", "severity: fatal", "severity is 'fatal'"),
    "missing severity": ("    severity: critical\n", "", "severity is None"),
    "unknown key": ("    severity: critical", "    weight: 3\n    severity: critical", "weight"),
    "unknown meta key": ("notes:", "note: x, notes:", "'note'"),
    "unknown failure": ("quarantine", "ignore", "on_failure is 'ignore'"),
    "warning that quarantines": ("severity: critical", "severity: warning", "make it critical"),
    "share beyond one": ("notes:", "limit_share: 5, notes:", "limit_share is 5"),
    "share in words": ("notes:", "limit_share: few, notes:", "limit_share is 'few'"),
    "quarantine of a share": ("{column: order_id}", "{column: order_id, mostly: 0.9}", "mostly"),
    "quarantine without SQL": (
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_json_parseable",
        "no SQL that finds the rows",
    ),
    "unknown parameter": (
        "expect_column_values_to_not_be_null\n    severity: critical\n"
        "    kwargs: {column: order_id}",
        "expect_column_values_to_be_between\n    severity: critical\n"
        "    kwargs: {column: order_date, max_value: {$PARAMETER: tomorrow}}",
        "parameter tomorrow is unknown",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_an_expectation_is_refused_with_file_number_and_type(tmp_path, fault):
    old, new, message = FAULTS[fault]
    assert old in GOOD
    with pytest.raises(UserError) as refused:
        load(tmp_path, HEAD + GOOD.replace("order_id", "channel") + GOOD.replace(old, new, 1))
    text = str(refused.value)
    assert message in text
    assert "erp/orders.yml: expectation 2 (" in text
    assert "\n" not in text


QUERY = """
  - type: unexpected_rows_expectation
    severity: critical
    kwargs: {unexpected_rows_query: "select 1 from {batch} where subselect.channel = 'fax'"}
    meta: {on_failure: quarantine, rule: no_fax, rejects: {channel: fax}, notes: nobody sends one}
"""
QUERY_FAULTS = {
    "no name": ("rule: no_fax, ", "", "meta.rule is missing"),
    "no bad row": ("rejects: {channel: fax}, ", "", "meta.rejects is missing"),
    "unknown column": ("subselect.channel", "subselect.fax", "column fax is not in the contract"),
    "unknown column in rejects": ("{channel: fax}", "{fax: 1}", "column fax is not"),
    "not of rows": ("where", "where true having", "must have the form"),
    "another form": ("select 1", "select order_id", "must have the form"),
    "unknown entity": ("= 'fax'", "in (select 1 from $known(erp.faxes))", "no such entity"),
    "unknown parameter": ("'fax'", "$fax", "parameter fax is unknown"),
    "stray brace": ("'fax'", "'fax}'", "brace"),
}


@pytest.mark.parametrize("fault", QUERY_FAULTS)
def test_a_fault_in_a_query_is_refused(tmp_path, fault):
    old, new, message = QUERY_FAULTS[fault]
    assert load(tmp_path, HEAD + QUERY).rules[0].name == "no_fax"
    assert old in QUERY
    with pytest.raises(UserError, match="expectation 1 ") as refused:
        load(tmp_path, HEAD + QUERY.replace(old, new, 1))
    assert message in str(refused.value)


FILE_FAULTS = {
    "broken YAML": (HEAD + "  - {", "not readable as YAML"),
    "a key twice": (HEAD + GOOD + "name: erp.orders\n", "is there twice"),
    "an argument twice": (
        HEAD + GOOD.replace("{column: order_id}", "{column: order_id, column: status}"),
        "is there twice",
    ),
    "no block": ("- 1", "must hold name"),
    "no expectation": (HEAD, "at least one expectation"),
    "unknown top key": (HEAD + GOOD + "owner: me\n", "unknown key 'owner'"),
    "name of another": (HEAD.replace("erp.orders", "erp.order") + GOOD, "by its place it is"),
    "table of another": (HEAD.replace("stage.erp_orders", "raw.orders") + GOOD, "table is"),
    "no owner": (HEAD.replace(", owner: finance systems", "") + GOOD, "owner is missing"),
    "the same twice": (HEAD + GOOD + GOOD, "the same as expectation 1"),
    "one name twice": (
        HEAD
        + GOOD.replace("notes", "rule: a, notes")
        + GOOD.replace("notes", "rule: a, notes").replace("order_id", "status"),
        "is named a like expectation 1",
    ),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_a_fault_of_the_file_is_refused(tmp_path, fault):
    text, message = FILE_FAULTS[fault]
    with pytest.raises(UserError) as refused:
        load(tmp_path, text)
    assert message in str(refused.value)
    assert "erp/orders.yml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_suite_and_a_suite_of_no_entity_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such suite"):
        suites.load(tmp_path / "erp" / "orders.yml")
    path = tmp_path / "erp" / "faxes.yml"
    path.parent.mkdir()
    path.write_text(HEAD.replace("erp.orders", "erp.faxes") + GOOD)
    with pytest.raises(UserError, match=r"erp\.faxes is no entity"):
        suites.load(path)


def test_a_published_table_needs_a_key_and_cannot_quarantine(tmp_path):
    path = tmp_path / "bi" / "thing.yml"
    path.parent.mkdir()
    head = "name: bi.thing\nmeta: {table: bi.thing, owner: us%s}\nexpectations:\n"
    path.write_text(head % "" + GOOD.replace("on_failure: quarantine, ", ""))
    with pytest.raises(UserError, match="key is missing"):
        suites.load(path)
    path.write_text(head % ", key: [order_id]" + GOOD)
    with pytest.raises(UserError, match="cannot be quarantined"):
        suites.load(path)


@pytest.mark.parametrize("entity", contract.load().entities.values(), ids=lambda e: e.name)
def test_every_suite_holds_what_the_contract_promises(entity):
    rules = suites.of_entity(entity).rules
    quarantined = {(r.type, r.column) for r in rules if r.on_failure == QUARANTINE}
    for column in entity.columns:
        if not column.nullable:
            assert ("expect_column_values_to_not_be_null", column.name) in quarantined
        if column.type == "text":
            assert ("expect_column_value_lengths_to_be_between", column.name) in quarantined
    assert any(
        kind.endswith("_to_be_unique") and columns == ", ".join(entity.key)
        for kind, columns in quarantined
    )
