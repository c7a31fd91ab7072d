"""Rules of a policy as a form has them: there and back without a change of meaning."""

import pytest
import yaml

from governance.rulebook.domain import defaults
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.policy_diff import diff
from governance.rulebook.domain.policy_form import document_with, place_of, rows_of
from tests.unit.governance.rulebook.builders import document, p95_rule, rule
from weighbridge.core.metrics.standard import STANDARD


@pytest.mark.parametrize(
    "original",
    [
        yaml.safe_load(defaults.text_of(defaults.POLICY)),
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


@pytest.mark.parametrize(
    ("field", "place"),
    [("rules[2].limit", (2, "limit")), ("rules[0]", (0, "")), ("rules", None), ("stages[0].id", None), (None, None)],
)
def test_a_fault_is_found_where_it_is(field, place):
    assert place_of(field) == place
