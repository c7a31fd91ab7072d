from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.people.domain.roles import Role
from governance.rulebook.domain import defaults
from governance.rulebook.domain.benchmark_plans import (
    AlternativesPlan,
    BenchmarkPlan,
    HardwareClass,
    ScenarioName,
    VariantName,
)
from governance.rulebook.domain.metric_limits import Comparator, Statistic
from governance.rulebook.domain.policy import AuthorizationTerms, PolicyRule, RuleEffect, WaiverLevel, parse_policy
from governance.rulebook.domain.scopes import Scope
from governance.rulebook.domain.stages import Stage
from tests.unit.governance.rulebook.builders import document, p95_rule, policy, rule
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis


def test_a_document_becomes_a_policy():
    source = document(p95_rule(scope={"teams": ["vision"], "tiers": ["T1"], "environments": ["prod"]}, level="soft"))
    parsed = parse_policy(source)
    assert parsed.rules == (
        PolicyRule(
            id="p95",
            metric="latency_p95_ms",
            comparator=Comparator.AT_MOST,
            limit=Decimal(100),
            unit="ms",
            accept=(Basis.MEASURED, Basis.BILLED),
            effect=RuleEffect.REQUIRE_REVIEW,
            message="Too slow.",
            statistic=Statistic.UPPER,
            min_n=2000,
            scope=Scope(teams=("vision",), tiers=("T1",), environments=("prod",)),
            level=WaiverLevel.SOFT,
            on_indeterminate=RuleEffect.REQUIRE_REVIEW,
        ),
    )
    assert parsed.stages == (
        Stage("technical", "Technical review", Role.REVIEWER, 2),
        Stage("budget", "GPU budget", Role.PLATFORM_LEAD, 1),
    )
    assert parsed.benchmarks == (BenchmarkPlan(ScenarioName.SINGLE_STREAM, 3000, True),)
    assert parsed.authorization == AuthorizationTerms(365, 30)
    assert (parsed.name, parsed.title, parsed.checklist) == ("default", "Default policy", "standard")
    assert (parsed.deadline_days, parsed.description, parsed.separation_of_duties) == (30, "", True)
    assert parsed.digest == digest_of(source)


def test_conditions_read_like_sentences():
    assert policy(p95_rule()).rules[0].condition == "Latency p95 (upper) at most 100 ms"
    assert policy(rule(limit=0.5)).rules[0].condition == "Training GPU hours at most 0.5 GPU h"


def test_accepting_a_basis_accepts_every_stronger_one():
    assert policy(rule(accept=["estimated"])).rules[0].accept == (
        *(Basis.ESTIMATED, Basis.DERIVED, Basis.ATTESTED, Basis.MEASURED, Basis.BILLED),
    )


@pytest.mark.parametrize(
    ("effect", "expected"),
    [("advise", RuleEffect.REQUIRE_REVIEW), ("require_review", RuleEffect.REQUIRE_REVIEW), ("deny", RuleEffect.DENY)],
)
def test_silence_means_review_unless_the_effect_is_stricter(effect, expected):
    assert policy(rule(effect=effect)).rules[0].on_indeterminate is expected


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"limit": "many"}, "rules[0].limit", "must be a number"),
        ({"comparator": "<"}, "rules[0].comparator", "must be one of at_most"),
        ({"accept": []}, "rules[0].accept", "at least one of declared"),
        ({"accept": ["rumored"]}, "rules[0].accept", "may list only"),
        ({"statistic": "lower"}, "rules[0].statistic", "wider interval would pass more easily"),
        ({"comparator": "below", "statistic": "lower"}, "rules[0].statistic", "wider interval"),
        ({"comparator": "at_least", "statistic": "upper"}, "rules[0].statistic", "wider interval"),
        ({"comparator": "above", "statistic": "upper"}, "rules[0].statistic", "wider interval"),
        ({"comparator": "at_least", "statistic": "p80"}, "rules[0].statistic", "wider interval"),
        ({"on_indeterminate": "advise"}, "rules[0].on_indeterminate", "at least as strict as the effect"),
        ({"scope": {"team": ["x"]}}, "rules[0].scope.team", "unknown"),
        ({"limits": 5}, "rules[0].limits", "unknown"),
        ({"message": None}, "rules[0].message", "is missing"),
    ],
)
def test_faulty_rules_are_refused_with_their_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        policy(rule(**fields))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"apiVersion": "weighbridge/v2"}, "apiVersion", "must be weighbridge/v1"),
        ({"kind": "Policy"}, "kind", "must be ReviewPolicy"),
        ({"separation_of_duties": False}, "separation_of_duties", "must be true"),
        ({"rules": []}, "rules", "would clear all requests"),
        ({"stages": []}, "stages", "a review could not end"),
        ({"rules": [rule(), rule()]}, "rules[1].id", "repeats 'gpu'"),
        ({"stages": [{"id": "a", "title": "A", "role": "boss"}]}, "stages[0].role", "must be one of requester"),
        ({"stages": [{"id": "a", "title": "A", "role": "admin", "quorum": 0}]}, "stages[0].quorum", "1 or more"),
        ({"stages": [{"id": "a", "title": "A", "role": "admin"}] * 2}, "stages[1].id", "repeats"),
        (
            {"stages": [{"id": "a", "title": "A", "role": "reviewer", "quorum": 2, "outside_team": 3}]},
            "stages[0].outside_team",
            "must be 1 to 2 for the role reviewer",
        ),
        (
            {"stages": [{"id": "a", "title": "A", "role": "platform_lead", "quorum": 2, "outside_team": 1}]},
            "stages[0].outside_team",
            "must be 2 for the role platform_lead",
        ),
        ({"benchmarks": [{"scenario": "Poisson", "min_samples": 1}]}, "benchmarks[0].scenario", "SingleStream"),
        ({"benchmarks": [{"scenario": "Server", "min_samples": 1}]}, "benchmarks[0].settings", "must set rate_per_s"),
        (
            {"benchmarks": [{"scenario": "Server", "min_samples": 1, "settings": {"rate_per_s": 0}}]},
            "benchmarks[0].settings.rate_per_s",
            "must be a positive number",
        ),
        (
            {"benchmarks": [{"scenario": "Offline", "min_samples": 1, "settings": {"batch": 1.5}}]},
            "benchmarks[0].settings.batch",
            "a whole number if it is a count",
        ),
        (
            {"benchmarks": [{"scenario": "Offline", "min_samples": 1, "settings": {"rate_per_s": 1}}]},
            "benchmarks[0].settings.rate_per_s",
            "unknown",
        ),
        (
            {"benchmarks": [{"scenario": "SingleStream", "min_samples": 1, "metrics": ["accuracy", "latency_p95_ms"]}]},
            "benchmarks[0].metrics",
            "contains 'latency_p95_ms'; a benchmark can measure accuracy",
        ),
        ({"benchmarks": [{"scenario": "SingleStream", "min_samples": 1}] * 2}, "benchmarks[1].scenario", "repeats"),
        (
            {"benchmarks": [{"scenario": "SingleStream", "min_samples": 1, "hardware": "tpu"}]},
            "benchmarks[0].hardware",
            "cpu, gpu",
        ),
        ({"alternatives": {"variants": []}}, "alternatives.variants", "at least one of graph-optimized"),
        ({"alternatives": {"variants": ["int4"]}}, "alternatives.variants", "at least one of graph-optimized"),
        ({"alternatives": {"variants": ["fp16"]}}, "alternatives.max_quality_drop", "is missing"),
        (
            {"alternatives": {"variants": ["fp16"], "max_quality_drop": 1}},
            "alternatives.max_quality_drop",
            "one percentage point",
        ),
        ({"alternatives": {"variants": ["fp16"], "max_quality_drop": 0.1, "x": 1}}, "alternatives.x", "unknown"),
        ({"authorization": {"valid_days": 30, "warn_days": 30}}, "authorization.warn_days", "smaller than valid_days"),
        ({"authorization": {"valid_days": 30, "warn": 3}}, "authorization.warn", "unknown"),
        ({"deadline_days": 0}, "deadline_days", "1 or more"),
        ({"when": "always"}, "when", "unknown"),
    ],
)
def test_faulty_documents_are_refused_with_their_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        policy(**fields)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("comparator", "below", "at", "above"),
    [
        (Comparator.AT_MOST, True, True, False),
        (Comparator.AT_LEAST, False, True, True),
        (Comparator.BELOW, True, False, False),
        (Comparator.ABOVE, False, False, True),
    ],
)
def test_comparators(comparator, below, at, above):
    limit = Decimal("10.0")
    answers = tuple(comparator.holds(Decimal(number), limit) for number in ("9.99", "10", "10.01"))
    assert answers == (below, at, above)


def test_every_scenario_can_be_planned_with_its_own_settings():
    plans = [
        {"scenario": "MultiStream", "min_samples": 700, "settings": {"samples_per_query": 4}},
        {"scenario": "Offline", "min_samples": 400, "settings": {"batch": 8, "concurrency": 2}, "hardware": "gpu"},
        {"scenario": "Server", "min_samples": 700, "settings": {"rate_per_s": 2.5, "limit_ms": 100}},
    ]
    multi, offline, server = policy(benchmarks=plans).benchmarks
    assert (multi.scenario, multi.settings) == (ScenarioName.MULTI_STREAM, (("samples_per_query", Decimal(4)),))
    assert (offline.settings_words, offline.hardware) == ("batch 8, concurrency 2", HardwareClass.GPU)
    assert server.settings_words == "rate_per_s 2.5, limit_ms 100"


def test_alternatives_are_planned_with_their_margin():
    assert policy().alternatives is None
    given = {"variants": ["int8-dynamic", "fp16"], "max_quality_drop": 0.02, "calibration_rows": 100, "hardware": "gpu"}
    plan = policy(alternatives=given).alternatives
    assert plan == AlternativesPlan(
        (VariantName.INT8_DYNAMIC, VariantName.FP16), Decimal("0.02"), 100, HardwareClass.GPU
    )
    assert plan.words == "int8-dynamic, fp16, with a quality loss of at most 0.02"


def test_effects_rank_by_strictness():
    assert [effect.rank for effect in (RuleEffect.ADVISE, RuleEffect.REQUIRE_REVIEW, RuleEffect.DENY)] == [1, 2, 3]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from(
        ["rules", "stages", "benchmarks", "alternatives", "authorization", "checklist", "name", "deadline_days", "x"]
    ),
)
def test_whatever_stands_in_a_document_only_invalid_is_raised(value, key):
    try:
        parse_policy(document(**{key: value}))
    except Invalid as refusal:
        assert refusal.reason  # noqa: PT017 -- most documents are refused, some are policies


def test_the_default_policy_is_well_formed_and_says_what_ships():
    parsed = parse_policy(yaml.safe_load(defaults.text_of(defaults.POLICY)))
    assert {each.id: (each.condition, each.scope.environments, each.min_n) for each in parsed.rules} == {
        "training-gpu-hours": ("Training GPU hours at most 200 GPU h", (), 0),
        "training-cost": ("Training cost at most 10,000 USD", (), 0),
        "total-cost-1y": ("Total cost 1 year at most 50,000 USD", (), 0),
        "latency-p95-prod": ("Latency p95 (upper) at most 100 ms", ("prod",), 2000),
        "latency-p95-prod-elsewhere": ("Latency p95 at most 100 ms", ("prod",), 0),
        "accuracy-floor-prod": ("Accuracy (lower) at least 0.8", ("prod",), 500),
        "business-gain-prod": ("Business KPI delta above 0", ("prod",), 0),
        "cheaper-alternatives-prod": ("Alternatives measured at least 1 variants", ("prod",), 0),
    }
    assert [(stage.id, stage.role, stage.quorum) for stage in parsed.stages] == [
        ("technical", Role.REVIEWER, 2),
        ("gpu-budget", Role.PLATFORM_LEAD, 1),
        ("finance", Role.FINANCE, 1),
    ]
    assert parsed.benchmarks == (BenchmarkPlan(ScenarioName.SINGLE_STREAM, 3000, True),)
    variants = (VariantName.GRAPH_OPTIMIZED, VariantName.INT8_STATIC_PER_CHANNEL, VariantName.INT8_DYNAMIC)
    assert parsed.alternatives == AlternativesPlan(variants, Decimal("0.01"), 512, HardwareClass.CPU)
    assert (parsed.checklist, parsed.authorization, parsed.deadline_days) == (
        "standard",
        AuthorizationTerms(365, 30),
        30,
    )


def test_a_model_without_a_snapshot_has_shorter_terms():
    for days, expected in ((10, (10, 5)), (30, (30, 15)), (1, (1, 0))):
        terms = AuthorizationTerms(365, 20, alias_days=days).for_alias
        assert (terms.valid_days, terms.warn_days) == expected
    assert AuthorizationTerms(7, 2, alias_days=30).for_alias == AuthorizationTerms(7, 2, alias_days=30)
    section = {"valid_days": 365, "warn_days": 30, "alias_days": 30}
    assert policy(authorization=section).authorization == AuthorizationTerms(365, 30, 30)
    with pytest.raises(Invalid, match="alias_days") as refusal:
        policy(authorization=section | {"alias_days": 31})
    assert refusal.value.field == "authorization.alias_days"
