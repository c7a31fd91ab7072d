import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.rulebook.domain import defaults
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.policies import Evaluation, PolicyOutcome, evaluate
from governance.rulebook.domain.metric_limits import Comparator, Statistic
from governance.rulebook.domain.policy import RuleEffect, parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import BEFORE, NOW, metric_value, p95_rule, policy, rule
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import from_document, to_document
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

FILE = {"kind": "file", "format": "onnx", "task": "classification"}
PROD = EvaluationSubject(team="vision", tier="T1", environment="prod", **FILE)
DEV = EvaluationSubject(team="vision", tier="T3", environment="dev", **FILE)


def p95(value="80", **fields):
    return metric_value("latency_p95_ms", value, **{"upper": "90", "basis": Basis.MEASURED, "n": 3000, **fields})


def only(rules, metric_values, *, subject=PROD, waived=frozenset()):
    policy_evaluation = evaluate(
        policy(*rules), subject=subject, metric_values=metric_values, now=NOW, waived=waived, catalog=STANDARD
    )
    return policy_evaluation, policy_evaluation.results[0]


def test_a_condition_that_holds_passes():
    policy_evaluation, result = only([rule()], [metric_value(source="ada")])
    assert policy_evaluation.outcome is PolicyOutcome.CLEARED
    assert (result.status, result.effect, result.observed) == (RuleStatus.PASSED, None, Decimal(120))
    assert result.reason == "Training GPU hours is 120 GPU h (declared, ada); the policy asks for at most 500 GPU h."
    assert policy_evaluation.standing() == ()


def test_a_condition_that_does_not_hold_fires():
    policy_evaluation, result = only([rule()], [metric_value(value="620")])
    assert policy_evaluation.outcome is PolicyOutcome.REVIEW_REQUIRED
    assert (result.status, result.effect, result.message) == (
        RuleStatus.FIRED,
        RuleEffect.REQUIRE_REVIEW,
        "Too many GPU hours.",
    )
    assert policy_evaluation.standing() == (result,)


def test_bounds_are_named_in_the_reason():
    _, result = only([p95_rule()], [p95(upper="120")])
    assert result.status is RuleStatus.FIRED
    assert result.reason == "The upper bound of Latency p95 is 120 ms (measured); the policy asks for at most 100 ms."
    lower = rule(id="a", metric="accuracy", unit="ratio", comparator="at_least", limit=0.8, statistic="lower")
    _, result = only([lower], [metric_value("accuracy", "0.9", lower="0.79")])
    assert (result.status, result.observed) == (RuleStatus.FIRED, Decimal("0.79"))


@pytest.mark.parametrize(
    ("metric_values", "why"),
    [
        ([], "The rule needs a measured or billed value of Latency p95; there is none at all."),
        (
            [p95(basis=Basis.DECLARED), p95(basis=Basis.ESTIMATED)],
            "The rule needs a measured or billed value of Latency p95; there is only declared and estimated.",
        ),
        ([p95(n=1999)], "The rule needs 2000 samples of Latency p95; the measured value has 1999."),
        ([p95(n=None)], "The rule needs 2000 samples of Latency p95; the measured value has none."),
        (
            [p95(upper=None)],
            "The rule compares the upper bound of Latency p95; the measured value has none.",
        ),
        (
            [p95(valid_until=BEFORE)],
            "The measured value of Latency p95 expired on 2026-10-01; provide a new one.",
        ),
        (
            [p95(), p95(unit="s")],
            "A value of Latency p95 is malformed: Latency p95 is given in ms, not in 's'; convert it.",
        ),
    ],
)
def test_what_cannot_be_told_is_indeterminate_and_means_review(metric_values, why):
    policy_evaluation, result = only([p95_rule()], metric_values)
    assert policy_evaluation.outcome is PolicyOutcome.REVIEW_REQUIRED
    assert (result.status, result.effect, result.reason) == (RuleStatus.INDETERMINATE, RuleEffect.REQUIRE_REVIEW, why)


COST_P80 = {"id": "cost", "metric": "total_cost_1y_usd", "unit": "USD", "limit": 50_000, "statistic": "p80"}


def cost(value="40000", **fields):
    return metric_value("total_cost_1y_usd", value, **{"basis": Basis.ESTIMATED, **fields})


@pytest.mark.parametrize(
    ("metric_values", "status", "observed"),
    [
        ([cost(p80=Decimal(49_000))], RuleStatus.PASSED, Decimal(49_000)),
        ([cost(p80=Decimal(51_000))], RuleStatus.FIRED, Decimal(51_000)),
        ([cost("0", p80=Decimal(0))], RuleStatus.PASSED, Decimal(0)),
        ([cost()], RuleStatus.INDETERMINATE, None),
        ([cost(p80=Decimal(41_000)), cost("49000", basis=Basis.BILLED)], RuleStatus.PASSED, Decimal(49_000)),
        ([cost(p80=Decimal(41_000)), cost("51000", basis=Basis.BILLED)], RuleStatus.FIRED, Decimal(51_000)),
        ([cost("1000", basis=Basis.DECLARED)], RuleStatus.INDETERMINATE, None),
        ([cost("1000", basis=Basis.MEASURED)], RuleStatus.INDETERMINATE, None),
    ],
)
def test_a_rule_may_ask_for_the_p80_of_an_estimate(metric_values, status, observed):
    _, result = only([rule(**COST_P80)], metric_values)
    assert (result.status, result.observed) == (status, observed)


def test_the_reason_names_the_p80():
    _, result = only([rule(**COST_P80)], [cost(p80=Decimal(51_000))])
    assert (
        result.reason
        == "The P80 of Total cost 1 year is 51,000 USD (estimated); the policy asks for at most 50,000 USD."
    )


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        ({}, True),
        ({"environments": ["prod"]}, True),
        ({"environments": ["dev", "staging"]}, False),
        ({"teams": ["vision"], "tiers": ["T1", "T2"]}, True),
        ({"teams": ["speech"]}, False),
        ({"teams": ["vision"], "tiers": ["T3"]}, False),
    ],
)
def test_scope(scope, applies):
    policy_evaluation, result = only([rule(scope=scope)], [metric_value(value="620")])
    assert result.status is (RuleStatus.FIRED if applies else RuleStatus.NOT_APPLICABLE)
    assert policy_evaluation.outcome is (PolicyOutcome.REVIEW_REQUIRED if applies else PolicyOutcome.CLEARED)


def test_a_subject_without_a_tier_is_not_exempt_from_a_rule_about_tiers():
    _, result = only(
        [rule(scope={"tiers": ["T1"]})],
        [metric_value(value="620")],
        subject=EvaluationSubject(team="vision", tier="", environment="prod"),
    )
    assert result.status is RuleStatus.FIRED


@pytest.mark.parametrize(
    ("effects", "outcome"),
    [
        (("advise",), PolicyOutcome.ADVISED),
        (("advise", "require_review"), PolicyOutcome.REVIEW_REQUIRED),
        (("deny", "advise"), PolicyOutcome.DENIED),
    ],
)
def test_the_strictest_effect_is_the_outcome_and_all_are_listed(effects, outcome):
    rules = [rule(id=effect, effect=effect) for effect in effects]
    policy_evaluation, _ = only(rules, [metric_value(value="620")])
    assert policy_evaluation.outcome is outcome
    assert [result.rule_id for result in policy_evaluation.standing()] == sorted(
        effects, key=("deny", "require_review", "advise").index
    )


@pytest.mark.parametrize(
    ("level", "value", "status", "outcome"),
    [
        ("soft", "620", RuleStatus.WAIVED, PolicyOutcome.CLEARED),
        ("hard", "620", RuleStatus.FIRED, PolicyOutcome.REVIEW_REQUIRED),
        ("soft", "120", RuleStatus.PASSED, PolicyOutcome.CLEARED),
    ],
)
def test_only_soft_rules_that_stand_against_a_request_are_waived(level, value, status, outcome):
    policy_evaluation, result = only([rule(level=level)], [metric_value(value=value)], waived=frozenset({"gpu"}))
    assert (result.status, policy_evaluation.outcome) == (status, outcome)


def test_a_waived_rule_still_says_what_it_would_have_said():
    _, result = only([rule(level="soft")], [], waived=frozenset({"gpu"}))
    assert result.status is RuleStatus.WAIVED
    assert result.effect is None
    assert result.reason.startswith("Waived. Without the waiver: The rule needs a declared or estimated")


def test_the_policy_evaluation_is_a_document_that_reads_back_the_same():
    policy_evaluation, _ = only(
        [p95_rule(), rule(), rule(id="acc", metric="accuracy", unit="ratio")],
        [p95(confidence="0.95"), metric_value(valid_until=NOW)],
    )
    document = json.loads(json.dumps(to_document(policy_evaluation)))
    assert document["outcome"] == "review_required"
    assert [item["status"] for item in document["results"]] == ["passed", "indeterminate", "indeterminate"]
    assert document["results"][0]["observed"] == "90"
    assert document["results"][0]["metric_value"]["observed_at"] == "2026-10-01T12:00:00Z"
    assert document["policy_digest"] == policy_evaluation.policy_digest
    assert from_document(Evaluation, document, name="policy_evaluation") == policy_evaluation


def test_outcomes_rank_from_permissive_to_strict():
    assert [
        PolicyOutcome.CLEARED.rank,
        PolicyOutcome.ADVISED.rank,
        PolicyOutcome.REVIEW_REQUIRED.rank,
        PolicyOutcome.DENIED.rank,
    ] == [
        0,
        1,
        2,
        3,
    ]


# Properties ----------------------------------------------------------------------------------------------------------

decimals = st.decimals(min_value=0, max_value=1, places=3)
NAMES = ["accuracy", "error_rate", "f1_macro"]


@st.composite
def rules(draw, name=None):
    comparator = draw(st.sampled_from(Comparator))
    kind = draw(st.sampled_from([Statistic.VALUE, Statistic.UPPER if comparator.is_ceiling else Statistic.LOWER]))
    effect = draw(st.sampled_from(RuleEffect))
    stricter = [each for each in RuleEffect if each.rank >= effect.rank]
    return rule(
        id=draw(st.uuids().map(str)),
        metric=name or draw(st.sampled_from(NAMES)),
        unit="ratio",
        comparator=comparator.value,
        limit=str(draw(decimals)),
        statistic=kind.value,
        accept=[draw(st.sampled_from(Basis)).value],
        min_n=draw(st.sampled_from([0, 10, 100])),
        effect=effect.value,
        on_indeterminate=draw(st.sampled_from(stricter)).value,
        level=draw(st.sampled_from(["soft", "hard"])),
        scope=draw(st.sampled_from([{}, {"environments": ["prod"]}, {"environments": ["dev"]}])),
    )


@st.composite
def sound_metric_values(draw, name):
    lower, value, upper = sorted(draw(st.tuples(decimals, decimals, decimals)))
    return metric_value(
        name,
        str(value),
        lower=draw(st.sampled_from([None, lower])),
        upper=draw(st.sampled_from([None, upper])),
        basis=draw(st.sampled_from(Basis)),
        n=draw(st.sampled_from([None, 0, 10, 99, 100])),
        valid_until=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])),
    )


def weaker(draw, strong):
    """The metric value with one property of its evidence made worse; its value stays."""
    way = draw(st.sampled_from(["basis", "n", "lower", "upper", "no lower", "no upper", "expire", "malform"]))
    match way:
        case "basis":
            return replace(strong, basis=draw(st.sampled_from([b for b in Basis if b.rank <= strong.basis.rank])))
        case "n":
            return replace(strong, n=draw(st.sampled_from([None, *range(strong.n or 0)])))
        case "lower" if strong.lower is not None:
            return replace(strong, lower=draw(st.decimals(0, strong.lower, places=3)))
        case "upper" if strong.upper is not None:
            return replace(strong, upper=draw(st.decimals(strong.upper, 1, places=3)))
        case "no lower":
            return replace(strong, lower=None)
        case "no upper":
            return replace(strong, upper=None)
        case "malform":
            return replace(strong, unit="furlong")
    return replace(strong, valid_until=draw(st.sampled_from([BEFORE, NOW])))


@given(st.data())
def test_weakening_or_removing_evidence_never_makes_the_outcome_more_permissive(data):
    judged = policy(*data.draw(st.lists(rules(), min_size=1, max_size=4)))
    metric_values = {name: data.draw(sound_metric_values(name)) for name in NAMES}
    before = evaluate(judged, subject=PROD, metric_values=list(metric_values.values()), now=NOW, catalog=STANDARD)
    name = data.draw(st.sampled_from(NAMES))
    without = [each for each in metric_values.values() if each.name != name]
    weakened = [*without, weaker(data.draw, metric_values[name])]
    for fewer in (without, weakened):
        after = evaluate(judged, subject=PROD, metric_values=fewer, now=NOW, catalog=STANDARD)
        assert after.outcome.rank >= before.outcome.rank
        for old, new in zip(before.results, after.results, strict=True):
            assert new.severity[0] >= old.severity[0]


@given(st.data())
def test_removing_every_metric_value_of_a_fact_never_helps_however_many_there_were(data):
    judged = policy(*data.draw(st.lists(rules(), min_size=1, max_size=3)))
    metric_values = data.draw(st.lists(st.sampled_from(NAMES).flatmap(sound_metric_values), max_size=6))
    name = data.draw(st.sampled_from(NAMES))
    before = evaluate(judged, subject=PROD, metric_values=metric_values, now=NOW, catalog=STANDARD)
    after = evaluate(
        judged,
        subject=PROD,
        metric_values=[each for each in metric_values if each.name != name],
        now=NOW,
        catalog=STANDARD,
    )
    assert after.outcome.rank >= before.outcome.rank


@given(st.data())
def test_the_order_of_metric_values_and_rules_never_matters(data):
    chosen = data.draw(st.lists(rules(), min_size=1, max_size=4, unique_by=lambda each: each["id"]))
    metric_values = data.draw(st.lists(st.sampled_from(NAMES).flatmap(sound_metric_values), max_size=6))
    metric_values.append(
        data.draw(
            st.sampled_from([metric_value("accuracy", "2"), metric_value("accuracy", "0", unit="x"), metric_values[:1]])
        )
    )
    metric_values = [each for each in metric_values if not isinstance(each, list)]
    first = evaluate(policy(*chosen), subject=PROD, metric_values=metric_values, now=NOW, catalog=STANDARD)
    second = evaluate(
        policy(*data.draw(st.permutations(chosen))),
        subject=PROD,
        metric_values=data.draw(st.permutations(metric_values)),
        now=NOW,
        catalog=STANDARD,
    )
    assert first.outcome is second.outcome
    assert {each.rule_id: each for each in first.results} == {each.rule_id: each for each in second.results}


@given(st.data())
def test_hard_rules_ignore_waivers(data):
    judged = policy(*(each | {"level": "hard"} for each in data.draw(st.lists(rules(), min_size=1, max_size=4))))
    metric_values = data.draw(st.lists(st.sampled_from(NAMES).flatmap(sound_metric_values), max_size=4))
    waived = frozenset(each.id for each in judged.rules)
    assert evaluate(
        judged, subject=PROD, metric_values=metric_values, now=NOW, waived=waived, catalog=STANDARD
    ) == evaluate(judged, subject=PROD, metric_values=metric_values, now=NOW, catalog=STANDARD)


odd_numbers = st.sampled_from(
    [None, "0", 1.5, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e999999")]
)


@given(st.data())
def test_evaluation_is_total_and_odd_evidence_never_passes(data):
    judged = policy(data.draw(rules("accuracy")))
    odd = replace(
        data.draw(sound_metric_values("accuracy")),
        **{data.draw(st.sampled_from(["value", "lower", "upper", "confidence"])): data.draw(odd_numbers)},
        n=data.draw(st.sampled_from([None, -1, "many", 1.5, 3])),
        basis=data.draw(st.sampled_from(["hearsay", None, *Basis])),
        observed_at=data.draw(st.sampled_from([None, BEFORE.replace(tzinfo=None), NOW, "today"])),
        valid_until=data.draw(st.sampled_from([None, NOW.replace(tzinfo=None), "later"])),
        unit=data.draw(st.sampled_from(["ratio", "", None])),
    )
    assume(odd.observed_at is not NOW or odd.unit != "ratio")
    (result,) = evaluate(judged, subject=PROD, metric_values=[odd], now=NOW, catalog=STANDARD).results
    assert result.status in {RuleStatus.INDETERMINATE, RuleStatus.NOT_APPLICABLE}


# The default policy --------------------------------------------------------------------------------------------------

DEFAULT = parse_policy(yaml.safe_load(defaults.text_of(defaults.POLICY)))


def declared(**values):
    return [metric_value(name, value) for name, value in values.items()]


SMALL = {"training_gpu_hours": "12", "training_cost_usd": "300", "total_cost_1y_usd": "4000"}


def test_a_small_request_outside_production_is_cleared_on_declared_costs():
    policy_evaluation = evaluate(DEFAULT, subject=DEV, metric_values=declared(**SMALL), now=NOW, catalog=STANDARD)
    assert policy_evaluation.outcome is PolicyOutcome.CLEARED


@pytest.mark.parametrize(
    ("name", "value", "rule_id"),
    [
        ("training_gpu_hours", "200.01", "training-gpu-hours"),
        ("training_cost_usd", "10000.01", "training-cost"),
        ("total_cost_1y_usd", "50000.01", "total-cost-1y"),
    ],
)
def test_each_cost_limit_of_the_default_policy_asks_for_review(name, value, rule_id):
    policy_evaluation = evaluate(
        DEFAULT, subject=DEV, metric_values=declared(**SMALL | {name: value}), now=NOW, catalog=STANDARD
    )
    assert policy_evaluation.outcome is PolicyOutcome.REVIEW_REQUIRED
    assert [result.rule_id for result in policy_evaluation.standing()] == [rule_id]


def test_production_is_reviewed_until_it_is_measured():
    claims = declared(**SMALL, latency_p95_ms="20", accuracy="0.95", business_kpi_delta="0.02")
    before = evaluate(DEFAULT, subject=PROD, metric_values=claims, now=NOW, catalog=STANDARD)
    assert before.outcome is PolicyOutcome.REVIEW_REQUIRED
    assert {result.rule_id: result.status for result in before.standing()} == {
        "latency-p95-prod": RuleStatus.INDETERMINATE,
        "accuracy-floor-prod": RuleStatus.INDETERMINATE,
        "cheaper-alternatives-prod": RuleStatus.INDETERMINATE,
    }
    cheaper = metric_value("alternatives_measured", "3", basis=Basis.MEASURED)
    quality = metric_value("accuracy", "0.85", lower="0.83", upper="0.87", basis=Basis.MEASURED, n=2000)
    after = evaluate(DEFAULT, subject=PROD, metric_values=[*claims, p95(), quality, cheaper], now=NOW, catalog=STANDARD)
    assert after.outcome is PolicyOutcome.CLEARED


def test_every_fact_of_the_default_policy_is_in_the_catalog():
    assert {each.metric for each in DEFAULT.rules} <= set(STANDARD)


def test_rounding_never_prints_the_limit_for_what_is_beyond_it():
    _, result = only([rule()], [metric_value(value="500.00000004", source="ada")])
    assert result.status is RuleStatus.FIRED
    assert result.reason.startswith("Training GPU hours is 500.00000004 GPU h")
    _, rounded = only([rule()], [metric_value(value="499.123456789", source="ada")])
    assert rounded.reason.startswith("Training GPU hours is 499.123 GPU h")


def test_a_recorded_p80_is_read_back_and_no_document_names_one_that_is_not_there():
    policy_evaluation, _ = only([rule(**COST_P80), rule(id="gpu")], [cost(p80=Decimal(49_000)), metric_value()])
    document = json.loads(json.dumps(to_document(policy_evaluation)))
    with_one, without = (result["metric_value"] for result in document["results"])
    assert with_one["p80"] == "49000"
    assert "p80" not in without
    assert from_document(Evaluation, document, name="policy_evaluation") == policy_evaluation


def test_the_digest_of_a_recorded_policy_evaluation_never_changes():
    policy_evaluation, _ = only(
        [rule(**COST_P80), rule(id="gpu"), p95_rule(), rule(id="acc", metric="accuracy", unit="ratio")],
        [cost(p80=Decimal(49_000)), metric_value(value="320.50"), p95(confidence="0.95")],
    )
    assert (
        digest_of(to_document(policy_evaluation))
        == "sha256:b541d70a626c0b67d084214737081bd614f544c19d44f8445b30dd31477543e1"
    )
