"""Rules of several limits, limits relative to a reference, and the stages that take part in a review."""

from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain import defaults
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import evaluate, stages_of
from governance.rulebook.domain.metric_limits import Reference
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import NOW, metric_value, policy, rule
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", format="onnx", task="ranking")
BASE = {"id": "r", "effect": "require_review", "message": "No."}
FAST = {"metric": "latency_p95_ms", "comparator": "at_most", "limit": 100, "unit": "ms", "accept": ["declared"]}
GOOD = {"metric": "accuracy", "comparator": "at_least", "limit": 0.8, "unit": "ratio", "accept": ["declared"]}
P, F, U = RuleStatus.PASSED, RuleStatus.FIRED, RuleStatus.INDETERMINATE
LATENCY = {P: [metric_value("latency_p95_ms", "90")], F: [metric_value("latency_p95_ms", "110")], U: []}
ACCURACY = {P: [metric_value("accuracy", "0.9")], F: [metric_value("accuracy", "0.7")], U: []}


def result(one_rule, values, **references):
    found = {(Reference(name), "latency_p95_ms"): Decimal(number) for name, number in references.items()}
    evaluation = evaluate(
        policy(one_rule), subject=SUBJECT, metric_values=values, catalog=STANDARD, now=NOW, references=found
    )
    return evaluation.results[0]


@pytest.mark.parametrize("latency", [P, F, U])
@pytest.mark.parametrize("accuracy", [P, F, U])
def test_all_and_any_of_two_limits(latency, accuracy):
    values = [*LATENCY[latency], *ACCURACY[accuracy]]
    both = {latency, accuracy}
    every = F if F in both else U if U in both else P
    some = P if P in both else U if U in both else F
    assert result(BASE | {"all_of": [FAST, GOOD]}, values).status is every
    assert result(BASE | {"any_of": [FAST, GOOD]}, values).status is some


def test_a_rule_of_several_limits_says_all_of_them():
    said = result(BASE | {"any_of": [FAST, GOOD]}, [*LATENCY[F], *ACCURACY[F]])
    assert said.condition == "Latency p95 at most 100 ms or Accuracy at least 0.8"
    assert "Latency p95 is 110 ms" in said.reason
    assert "Accuracy is 0.7 (declared)" in said.reason
    said = result(BASE | {"all_of": [FAST, GOOD]}, [*LATENCY[P], *ACCURACY[F]])
    assert (said.metric, said.observed) == ("accuracy", Decimal("0.7"))


@given(st.sampled_from(["all_of", "any_of"]), st.sampled_from([P, F, U]), st.sampled_from([P, F, U]), st.booleans())
def test_taking_evidence_away_never_helps(key, latency, accuracy, takes_first):
    order = {P: 0, U: 1, F: 1}
    whole = result(BASE | {key: [FAST, GOOD]}, [*LATENCY[latency], *ACCURACY[accuracy]])
    less = [*([] if takes_first else LATENCY[latency]), *(ACCURACY[accuracy] if takes_first else [])]
    assert order[result(BASE | {key: [FAST, GOOD]}, less).status] >= order[whole.status]


@pytest.mark.parametrize(
    ("measure", "limit", "value", "production", "status"),
    [
        ("difference", 5, "104", "100", P),
        ("difference", 5, "106", "100", F),
        ("percent", 5, "105", "100", P),
        ("percent", 5, "106", "100", F),
        ("percent", 5, "1", "0", U),  # no percent of nothing
        ("difference", -1, "99", "100", P),
    ],
)
def test_a_limit_relative_to_production(measure, limit, value, production, status):
    relative = rule(**FAST | {"limit": limit, "versus": {"reference": "production", "measure": measure}})
    said = result(relative, [metric_value("latency_p95_ms", value)], production=production)
    assert said.status is status
    assert said.observed == Decimal(value)


def test_without_the_value_of_the_reference_nobody_can_tell():
    relative = rule(**FAST | {"versus": {"reference": "peers", "measure": "percent"}})
    said = result(relative, LATENCY[P], production="1")
    assert (said.status, said.effect) == (U, "require_review")
    assert "the median of the authorized models of the same task" in said.reason


def test_a_relative_reason_says_both_numbers():
    relative = rule(**FAST | {"limit": 5, "versus": {"reference": "production", "measure": "percent"}})
    said = result(relative, [metric_value("latency_p95_ms", "110")], production="100")
    assert said.reason == (
        "Latency p95 is 110 ms (declared), which is 10 percent; the policy asks for at most 5 percent relative to "
        "the version that is authorized now."
    )


def test_a_value_that_is_computed_says_from_what():
    def needed(metric, unit):
        return result(rule(**FAST | {"metric": metric, "unit": unit}), []).reason

    converted = "Training hours in H100 hours is converted from Training GPU hours; state all of these by accelerator."
    assert converted in needed("training_h100_hours", "gpu_h")
    assert "Total cost 1 year is computed from" in needed("total_cost_1y_usd", "USD")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        (BASE | {"any_of": [FAST]}, "rules[0].any_of", "two limits or more"),
        (BASE | {"all_of": []}, "rules[0].all_of", "two limits or more"),
        (BASE | {"any_of": [FAST, GOOD | {"limit": "x"}]}, "rules[0].any_of[1].limit", "must be a number"),
        (BASE | {"any_of": [FAST, GOOD], "metric": "accuracy"}, "rules[0].metric", "unknown"),
        (rule(versus={"reference": "moon", "measure": "percent"}), "rules[0].versus.reference", "production, budget"),
        (rule(versus={"reference": "peers"}), "rules[0].versus.measure", "is missing"),
    ],
)
def test_faulty_limits_are_refused_with_their_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        policy(fields)
    assert refusal.value.field == field


WHEN = {"metric": "total_cost_1y_usd", "comparator": "above", "limit": 250000, "unit": "USD", "accept": ["declared"]}


def staged(*stages):
    return policy(rule(), stages=[{"title": each["id"], "role": "reviewer", **each} for each in stages])


def names(judged, *values, **changes):
    subject = replace(SUBJECT, **changes)
    found = stages_of(judged, subject=subject, index=index_values(values, catalog=STANDARD), now=NOW)
    return {stage.id: set(stage.after) for stage in found}


@pytest.mark.parametrize(("cost", "takes_part"), [("250000", False), ("250001", True), (None, True)])
def test_a_stage_by_amount_takes_part_unless_the_amount_is_known_to_be_small(cost, takes_part):
    judged = staged({"id": "technical"}, {"id": "finance", "role": "finance", "when": WHEN})
    values = [metric_value("total_cost_1y_usd", cost, basis=Basis.ESTIMATED)] if cost else []
    assert ("finance" in names(judged, *values)) is takes_part


def test_a_stage_by_kind_and_the_order_around_a_stage_that_takes_no_part():
    judged = staged(
        {"id": "technical"},
        {"id": "security", "scope": {"kinds": ["managed"]}},
        {"id": "budget", "after": ["security"]},
        {"id": "legal", "after": []},
    )
    assert names(judged) == {"technical": set(), "budget": {"technical"}, "legal": set()}
    assert names(judged, kind="managed") == {
        "technical": set(),
        "security": {"technical"},
        "budget": {"security"},
        "legal": set(),
    }


@pytest.mark.parametrize(
    ("stage", "field", "words"),
    [
        ({"id": "b", "after": ["c"]}, "stages[1].after", "listed before it"),
        ({"id": "b", "after": ["b"]}, "stages[1].after", "listed before it"),
        ({"id": "b", "when": WHEN | {"unit": 3}}, "stages[1].when.unit", "must be text"),
        (
            {"id": "b", "when": WHEN | {"versus": {"reference": "budget", "measure": "difference"}}},
            "stages[1].when.versus",
            "for rules",
        ),
    ],
)
def test_faulty_stages_are_refused_with_their_path(stage, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        staged({"id": "a"}, stage)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("limit", "unit", "message", "is_doubtful"),
    [
        (200, "gpu_h", "Training beyond 200 GPU hours needs a review.", False),
        (500, "gpu_h", "Training beyond 200 GPU hours needs a review.", True),
        (10_000, "USD", "More than 10,000 USD, or 2 more years, need a review.", False),
        (20_000, "USD", "More than 10,000 USD needs a review.", True),
        (100, "ms", "The 95th percentile, p95 and R2 must stay low.", False),
        (2_000, "ms", "95 of 100 answers must begin within two seconds.", False),
        (2_000, "ms", "Answers must begin within 2 s.", False),
        (3_000, "ms", "95 of 100 answers must begin within 2 s.", True),
        ("0.7", "ratio", "70 of 100 answers must be right.", False),
        ("0.8", "ratio", "70 of 100 answers must be right.", True),
        ("-0.01", "ratio", "Accuracy falls by 1 percent or more.", False),
        ("0.05", "ratio", "Accuracy must reach 0.80.", True),
    ],
)
def test_a_message_that_names_another_number_is_doubtful(limit, unit, message, is_doubtful):
    (found,) = policy(rule(limit=limit, unit=unit, message=message)).rules
    assert found.is_message_doubtful is is_doubtful


def test_a_message_may_name_any_of_several_limits():
    rules = [{"any_of": [FAST, GOOD], "message": f"It must reach {words}."} for words in ("0.80", "100 ms", "7")]
    assert [policy(BASE | each).rules[0].is_message_doubtful for each in rules] == [False, False, True]


@pytest.mark.parametrize("name", defaults.names_of("policies"))
def test_no_message_of_the_policies_of_the_house_is_doubtful(name):
    rules = parse_policy(yaml.safe_load(defaults.text_of(name))).rules
    assert [each.id for each in rules if each.is_message_doubtful] == []
