"""The metrics of language models: names, units, ranges, and who may say what of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.unit.governance.rulebook.builders import metric_value
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import Direction, MetricGroup, MetricScope, Producer
from weighbridge.core.metrics.language import LANGUAGE
from weighbridge.core.metrics.standard import STANDARD, is_quality_metric
from weighbridge.core.metrics.values import check_metric_value

MEASURED = "attested measured"
METERED = "attested measured billed"
PLANNED = "estimated attested measured billed"
# Name: unit, better direction, smallest and largest value, the bases that can hold it.
EXPECTED = {
    "ttft_p99_ms": ("ms", "lower", 0, None, MEASURED),
    "tpot_p95_ms": ("ms", "lower", 0, None, MEASURED),
    "icl_p99_ms": ("ms", "lower", 0, None, MEASURED),
    "goodput_per_s": ("1/s", "higher", 0, None, MEASURED),
    "truncated_rate": ("ratio", "lower", 0, 1, MEASURED),
    "refusal_rate": ("ratio", "lower", 0, 1, MEASURED),
    "cached_token_share": ("ratio", "higher", 0, 1, METERED),
    "input_tokens_mean": ("tokens", "lower", 0, None, PLANNED),
    "output_tokens_mean": ("tokens", "lower", 0, None, PLANNED),
    "reasoning_tokens_mean": ("tokens", "lower", 0, None, PLANNED),
    "pass_rate": ("ratio", "higher", 0, 1, "declared estimated attested measured"),
    "judge_agreement": ("ratio", "higher", 0, 1, MEASURED),
    "injection_pass_rate": ("ratio", "lower", 0, 1, MEASURED),
    "context_tokens": ("tokens", "higher", 1, None, "estimated attested"),
    "parameters_total": ("1", "lower", 1, None, "estimated attested"),
    "parameters_active": ("1", "lower", 1, None, "estimated attested"),
    "weights_gb": ("GB", "lower", 0, None, "estimated attested measured"),
    "kv_bytes_per_token": ("B", "lower", 0, None, "estimated attested measured"),
    "memory_fit_gb": ("GB", "lower", 0, None, "estimated attested measured"),
    "cost_per_m_output_tokens_usd": ("USD", "lower", 0, None, PLANNED),
    "cost_per_request_usd": ("USD", "lower", 0, None, PLANNED),
    "cost_per_accepted_usd": ("USD", "lower", 0, None, PLANNED),
    "energy_per_1k_tokens_j": ("J", "lower", 0, None, "estimated attested measured"),
    "days_to_retirement": ("days", "higher", None, None, "estimated attested"),
}
BEFORE = ("ttft_p95_ms", "output_tokens_per_s", "error_rate")


def of(definition):
    better = "higher" if definition.direction is Direction.HIGHER else "lower"
    # A basis for what is computed from files may join; it can hold what an estimate can.
    bases = " ".join(basis for basis in definition.bases if basis != "derived")
    return definition.unit, better, definition.minimum, definition.maximum, bases


def test_the_catalog_has_every_metric_of_a_language_model():
    assert {each.name: of(each) for each in LANGUAGE} == EXPECTED
    assert set(BEFORE) < set(STANDARD)
    assert all(STANDARD[each.name] is each for each in LANGUAGE)
    assert all(each.meaning.endswith(".") and len(each.meaning) <= 300 for each in LANGUAGE)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("ttft_p99_ms", "TTFT p99"),
        ("tpot_p95_ms", "TPOT p95"),
        ("icl_p99_ms", "ICL p99"),
        ("goodput_per_s", "Goodput"),
        ("pass_rate", "Pass rate"),
        ("cost_per_accepted_usd", "Cost per accepted answer"),
        ("kv_bytes_per_token", "Key-value cache per token"),
    ],
)
def test_lists_name_them_in_words(name, title):
    assert STANDARD[name].title == title


def test_what_is_about_the_deployment_does_not_travel_with_the_artifact():
    artifact = {each.name for each in LANGUAGE if each.scope is MetricScope.ARTIFACT}
    assert artifact == {
        *("pass_rate", "judge_agreement", "injection_pass_rate", "parameters_total", "parameters_active"),
        *("weights_gb", "kv_bytes_per_token", "days_to_retirement"),
    }
    assert {each.name for each in LANGUAGE if each.group is MetricGroup.COST} == {
        *("cost_per_request_usd", "cost_per_m_output_tokens_usd", "cost_per_accepted_usd"),
    }
    assert [name for name in EXPECTED if is_quality_metric(name)] == [
        *("pass_rate", "judge_agreement", "injection_pass_rate"),
    ]


def test_people_state_plans_and_files_but_no_measurement():
    stated = {each.name for each in STANDARD.stated}
    assert {name for name in EXPECTED if name not in stated} == {
        *(name for name, (*_, bases) in EXPECTED.items() if bases in (MEASURED, METERED)),
        "energy_per_1k_tokens_j",
    }
    assert all(Producer.SIGNER in each.producers for each in LANGUAGE)


@pytest.mark.parametrize(
    ("name", "value", "field", "words"),
    [
        ("pass_rate", "1.01", "value", "above 1"),
        ("context_tokens", "0", "value", "below 1"),
        ("cost_per_accepted_usd", "-0.01", "value", "below 0"),
        ("goodput_per_s", "-1", "value", "below 0"),
    ],
)
def test_impossible_values_are_refused(name, value, field, words):
    wrong = metric_value(name, value, unit=STANDARD[name].unit, basis=Basis.MEASURED)
    with pytest.raises(Invalid, match=words) as refused:
        check_metric_value(wrong, catalog=STANDARD)
    assert refused.value.field == field


def test_a_model_may_be_past_its_last_day():
    late = metric_value("days_to_retirement", "-3", unit="days", basis=Basis.ESTIMATED)
    check_metric_value(late, catalog=STANDARD)
    check_metric_value(replace(late, value=Decimal(90)), catalog=STANDARD)
