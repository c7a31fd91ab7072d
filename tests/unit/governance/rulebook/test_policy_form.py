"""Rules of a policy as a form has them: there and back without a change of meaning."""

import pytest
import yaml

from governance.rulebook.domain import defaults
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.policy_diff import diff
from governance.rulebook.domain.policy_form import document_with, kept_rules, place_of, rows_of
from tests.unit.governance.rulebook.builders import document, p95_rule, rule
from weighbridge.core.metrics.standard import STANDARD

LIMIT = ("metric", "comparator", "limit", "unit", "accept", "statistic", "min_n")


@pytest.mark.parametrize(
    "original",
    [
        *(yaml.safe_load(defaults.text_of(name)) for name in defaults.names_of("policies")),
        document(rule(), p95_rule(scope={"teams": ["search", "ads"], "tiers": ["T1"]}, level="soft", limit="0.5")),
    ],
)
def test_a_policy_comes_back_as_it_was(original):
    again = document_with(original, rows=rows_of(original), catalog=STANDARD)
    assert diff(parse_policy(original), parse_policy(again)) == ()


def test_a_changed_row_changes_its_rule_alone():
    original = document(rule(), p95_rule())
    first, second = rows_of(original)
    assert second["accept"] == "measured"
    changed = document_with(
        original, rows=[first | {"limit": "250", "min_n": "7", "environments": "prod, , dev"}, second], catalog=STANDARD
    )
    assert (
        changed["rules"][0] | {"limit": 250, "min_n": 7, "scope": {"environments": ["prod", "dev"]}}
        == changed["rules"][0]
    )
    assert {each.path for each in diff(parse_policy(original), parse_policy(changed))} == {
        "rules[gpu].limit",
        "rules[gpu].min_n",
        "rules[gpu].scope.environments",
    }
    assert document_with(original, rows=[second], catalog=STANDARD)["rules"][0]["id"] == "p95"


def test_rules_that_a_form_cannot_hold_stay_as_they_are():
    limits = [{key: value for key, value in part.items() if key in LIMIT} for part in (rule(), p95_rule())]
    joined = {key: value for key, value in rule(id="either").items() if key not in LIMIT} | {"any_of": limits}
    compared = rule(id="worse", versus={"reference": "production", "measure": "percent"})
    original = document(joined, rule(), compared)
    assert [row["id"] for row in rows_of(original)] == ["gpu"]
    assert [kept["id"] for kept in kept_rules(original)] == ["either", "worse"]
    again = document_with(original, rows=rows_of(original), catalog=STANDARD)
    assert again["rules"][1:] == [joined, compared]
    assert diff(parse_policy(original), parse_policy(again)) == ()


@pytest.mark.parametrize(
    ("field", "place"),
    [("rules[2].limit", (2, "limit")), ("rules[0]", (0, "")), ("rules", None), ("stages[0].id", None), (None, None)],
)
def test_a_fault_is_found_where_it_is(field, place):
    assert place_of(field) == place
