"""Candidates of a simulation as a DAG hands them over: ids, names of files, or their texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from customer_tiers import settings, simulation
from customer_tiers.errors import UserError
from customer_tiers.simulation import candidate

WEIGHTS = "policy_id,component,weight\nmine,contribution,1.0\n"
GRACES = "policy_id,warning_code,nights\nmine,owner_change,5"


def test_texts_become_files_for_a_while() -> None:
    with simulation.as_files([WEIGHTS, GRACES]) as names:
        assert candidate.read(names) == {
            "score_weights": [{"policy_id": "mine", "component": "contribution", "weight": "1.0"}],
            "grace_rules": [{"policy_id": "mine", "warning_code": "owner_change", "nights": "5"}],
        }
    assert not any(Path(name).exists() for name in names)


def test_an_id_and_the_name_of_a_file_stay_as_they_are() -> None:
    with simulation.as_files(["key_accounts", "/some/cuts.csv"]) as names:
        assert names == ["key_accounts", "/some/cuts.csv"]


def test_a_header_without_rows_is_refused() -> None:
    with (
        simulation.as_files(["policy_id,component,weight\n \n"]) as names,
        pytest.raises(UserError),
    ):
        candidate.read(names)


def test_two_files_of_one_seed_are_refused_rather_than_one_forgotten() -> None:
    other = WEIGHTS.replace("contribution", "orders")
    with (
        simulation.as_files([WEIGHTS, other]) as names,
        pytest.raises(UserError, match="the second file of score_weights"),
    ):
        candidate.read(names)


def test_a_flap_has_the_same_days_in_nights_mails_and_simulations() -> None:
    macros = (settings.DBT_PROJECT / "macros" / "holding.sql").read_text(encoding="utf-8")
    assert re.findall(r"macro flap_days\(\) -%\}\s+(\d+)", macros) == [str(settings.FLAP_DAYS)]
