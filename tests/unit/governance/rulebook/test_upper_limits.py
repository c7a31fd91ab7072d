"""The tightest limit of a metric: which of two limits is stricter, and the upper limit for the line of a chart."""

from decimal import Decimal

import pytest

from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.upper_limits import PolicyLimit, upper_limit
from governance.rulebook.domain.metric_limits import Comparator
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import p95_rule, policy, rule

SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod")
FLOOR = rule(id="floor", metric="latency_p95_ms", unit="ms", limit=1, comparator="at_least")
BOTH = {"id": "both", "effect": "require_review", "message": "Too slow."}
FAST = {"metric": "latency_p95_ms", "comparator": "at_most", "limit": 100, "unit": "ms", "accept": ["measured"]}
OTHER = {"metric": "latency_p99_ms", "comparator": "at_most", "limit": 300, "unit": "ms", "accept": ["measured"]}


@pytest.mark.parametrize(
    ("rules", "limit"),
    [
        ([], None),
        ([rule()], None),
        ([p95_rule()], 100),
        ([p95_rule(), p95_rule(id="b", limit=40), p95_rule(id="c", limit=60)], 40),
        ([p95_rule(), p95_rule(id="b", limit=40, scope={"environments": ["dev"]})], 100),
        ([p95_rule(statistic="value", comparator="below", limit=7)], 7),
        ([FLOOR], None),
        ([p95_rule(statistic="value", versus={"reference": "production", "measure": "percent"}, limit=5)], None),
        ([BOTH | {"any_of": [FAST, OTHER]}], None),
        ([BOTH | {"all_of": [FAST, OTHER]}], 100),
    ],
    ids=["none", "other", "one", "strictest", "scope", "below", "floor", "relative", "any", "all"],
)
def test_the_strictest_limit_that_binds_the_subject(rules, limit):
    found = upper_limit(policy(*rules), subject=SUBJECT, metric="latency_p95_ms")
    assert found == (None if limit is None else Decimal(limit))


def test_a_further_limit_of_a_rule_counts_too():
    both = policy(BOTH | {"all_of": [FAST, OTHER]})
    assert upper_limit(both, subject=SUBJECT, metric="latency_p99_ms") == Decimal(300)


def limit_of(comparator: Comparator, value: int) -> PolicyLimit:
    return PolicyLimit(value=Decimal(value), comparator=comparator, rule_id="r", status=RuleStatus.PASSED)


@pytest.mark.parametrize("comparator", list(Comparator))
def test_every_limit_is_tighter_than_none(comparator):
    assert limit_of(comparator, 5).is_tighter(None)


@pytest.mark.parametrize(
    ("comparator", "tighter_values"),
    [
        (Comparator.AT_MOST, [4]),
        (Comparator.BELOW, [4]),
        (Comparator.AT_LEAST, [6]),
        (Comparator.ABOVE, [6]),
    ],
)
def test_a_lower_ceiling_and_a_higher_floor_are_tighter_and_of_equal_limits_the_first_stays(comparator, tighter_values):
    found = [value for value in (4, 5, 6) if limit_of(comparator, value).is_tighter(limit_of(comparator, 5))]
    assert found == tighter_values
