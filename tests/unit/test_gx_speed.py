"""What GX is spared changes none of its answers, and is gone when the check is over."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from customer_tiers.quality import gx_speed

VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.sampled_from("01a")
ARGUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES | st.lists(VALUES, max_size=2))


def parts():
    from great_expectations.core.id_dict import IDDict
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return IDDict, Expectation, ExpectationConfiguration


@settings(deadline=None)  # the first one imports GX
@given(st.lists(ARGUMENTS, max_size=8))
def test_identities_are_those_of_gx(arguments):
    id_dict, *_ = parts()
    own = [
        (id_dict(each).to_id(), id_dict(each).to_id(id_keys={"a"} & set(each)))
        for each in arguments
    ]
    with gx_speed.remembered():
        remembered = [
            (id_dict(each).to_id(), id_dict(each).to_id(id_keys={"a"} & set(each)))
            for each in arguments
        ]
    assert remembered == own


def test_an_expectation_is_made_once_per_configuration_while_a_suite_runs_and_not_after():
    configuration = parts()[2]
    rule = configuration(type="expect_column_values_to_not_be_null", kwargs={"column": "name"})
    before = [dict(vars(each)) for each in parts()]
    with gx_speed.remembered():
        made = rule.to_domain_obj()
        assert rule.to_domain_obj() is made
        assert made.configuration is made.configuration
        assert made.configuration.kwargs == {"column": "name"}
        other = configuration(type=rule.type, kwargs={"column": "city"}).to_domain_obj()
        assert other.configuration.kwargs == {"column": "city"}
    assert [dict(vars(each)) for each in parts()] == before
    assert rule.to_domain_obj() is not made
