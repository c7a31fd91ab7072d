import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.governance.rulebook.builders import BEFORE, NOW, metric_value
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.catalog import Direction, MetricCatalog, MetricGroup
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import (
    best,
    brief_text,
    check_metric_value,
    contradictions,
    interval_text,
    is_current,
    is_sound,
    number_text,
)
from weighbridge.quality.metrics.registry import find_metric, registered_tasks

LEAD = {
    "training_gpu_hours": "gpu_h",
    "total_cost_1y_usd": "USD",
    "latency_p95_ms": "ms",
    "throughput_per_s": "1/s",
    "error_rate": "ratio",
    "model_size_mb": "MB",
    "accuracy": "ratio",
    "mae": "1",
    "ndcg": "ratio",
    "alternatives_measured": "variants",
    "business_kpi_delta": "ratio",
}


def test_the_catalog_names_units_and_directions():
    assert {name: STANDARD[name].unit for name in LEAD} == LEAD
    higher = {name for name in LEAD if STANDARD[name].direction is Direction.HIGHER}
    assert higher == {"throughput_per_s", "accuracy", "ndcg", "alternatives_measured", "business_kpi_delta"}
    assert all(kind.meaning.endswith(".") for kind in STANDARD.values())


def test_the_catalog_agrees_with_the_registry_of_quality():
    """The registry measures, the catalog names: both say the same of unit, direction and range."""
    for registered_name in registered_tasks():
        name = registered_name.removesuffix("@k")
        metric, kind = find_metric(name), STANDARD[name]
        assert (kind.group, kind.unit) == (MetricGroup.QUALITY, metric.unit), name
        assert (kind.direction is Direction.HIGHER) is metric.is_higher_better, name
        assert kind.has_parameter or registered_name == name, name
        assert Decimal("-inf" if kind.minimum is None else kind.minimum) <= Decimal(metric.bounds[0]), name
        assert Decimal("inf" if kind.maximum is None else kind.maximum) >= Decimal(metric.bounds[1]), name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("latency_p42_ms", "did you mean latency_p50_ms, latency_p95_ms, latency_p99_ms?"),
        ("accuracy@5", "did you mean accuracy"),
        ("ndcg@ten", "did you mean ndcg?"),
        ("speed", "the catalog has"),
        ("", "the catalog has"),
    ],
)
def test_an_unknown_metric_is_refused_with_names_that_exist(name, words):
    with pytest.raises(Invalid, match=re.escape(words)) as refusal:
        STANDARD.find(name, field="metric")
    assert refusal.value.field == "metric"


def test_a_metric_with_a_number_is_found_and_stands_beside_its_own():
    assert (STANDARD["ndcg@10"].name, STANDARD["ndcg@10"].unit) == ("ndcg@10", "ratio")
    assert STANDARD["ndcg@10"].title == "NDCG @ 10"
    catalog = MetricCatalog(STANDARD.definitions)
    assert catalog.in_order(["accuracy", "ndcg@5", "mine", "latency_p95_ms", "ndcg@10", "ndcg"]) == (
        *("latency_p95_ms", "accuracy", "ndcg", "ndcg@10", "ndcg@5"),
    )
    assert ("pinball@0.9" in STANDARD, "latency_p95_ms@1" in STANDARD) == (True, False)


def test_bases_rank_from_claim_to_bill():
    assert sorted(Basis, key=lambda basis: basis.rank) == [
        "declared",
        "estimated",
        "derived",
        "attested",
        "measured",
        "billed",
    ]
    assert stronger_or_equal(Basis.MEASURED) == (Basis.MEASURED, Basis.BILLED)


@pytest.mark.parametrize(
    "given_metric_value",
    [
        metric_value(),
        metric_value("business_kpi_delta", "-0.02"),
        metric_value("accuracy", "1", lower="0.9", upper="1", confidence="0.95", n=0),
        metric_value(valid_until=NOW, value="0"),
        metric_value(lower="100"),
        metric_value(upper="130"),
    ],
)
def test_well_formed_metric_values_are_sound(given_metric_value):
    check_metric_value(given_metric_value, catalog=STANDARD)
    assert is_sound(given_metric_value, catalog=STANDARD) is True


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "speed"}, "name", "no metric 'speed'"),
        ({"unit": "h"}, "unit", "given in GPU h, not in 'h'"),
        ({"basis": "guessed"}, "basis", "must be one of declared, estimated, derived, attested"),
        ({"value": "NaN"}, "value", "finite number"),
        ({"value": "Infinity"}, "value", "finite number"),
        ({"value": "1e16"}, "value", "plausible"),
        ({"value": "1e-31"}, "value", "plausible"),
        ({"value": "-1"}, "value", "below 0"),
        ({"lower": "-1"}, "lower", "below 0"),
        ({"lower": "sNaN"}, "lower", "finite number"),
        ({"lower": 3.5}, "lower", "finite number"),
        ({"lower": "121"}, "lower", "above its value"),
        ({"upper": "119"}, "upper", "below its value"),
        ({"name": "accuracy", "value": "1.01"}, "value", "above 1"),
        ({"name": "error_rate", "value": "0.1", "upper": "1.5"}, "upper", "above 1"),
        ({"confidence": "1"}, "confidence", "between 0 and 1"),
        ({"confidence": "0"}, "confidence", "between 0 and 1"),
        ({"confidence": "NaN"}, "confidence", "between 0 and 1"),
        ({"confidence": 0.95}, "confidence", "between 0 and 1"),
        ({"n": -1}, "n", "whole number"),
        ({"n": 1.5}, "n", "whole number"),
        ({"observed_at": None}, "observed_at", "time zone"),
        ({"observed_at": BEFORE.replace(tzinfo=None)}, "observed_at", "time zone"),
        ({"valid_until": NOW.replace(tzinfo=None)}, "valid_until", "time zone"),
        ({"valid_until": BEFORE - timedelta(seconds=1)}, "valid_until", "expire before"),
    ],
)
def test_malformed_metric_values_are_refused_with_the_field(fields, field, words):
    bad = metric_value(**fields)
    with pytest.raises(Invalid, match=words) as refusal:
        check_metric_value(bad, catalog=STANDARD)
    assert refusal.value.field == field
    assert is_sound(bad, catalog=STANDARD) is False


def test_a_metric_value_is_current_until_its_last_moment():
    assert is_current(metric_value(), now=NOW) is True
    assert is_current(metric_value(valid_until=NOW), now=NOW) is False
    assert is_current(metric_value(valid_until=NOW), now=NOW - timedelta(microseconds=1)) is True


def test_the_strongest_basis_wins_over_a_later_weaker_one():
    declared = metric_value(value="1", observed_at=NOW)
    measured = metric_value(value="2", basis=Basis.MEASURED)
    other = metric_value("accuracy", "0.9", basis=Basis.BILLED)
    assert best([declared, measured, other], name="training_gpu_hours", catalog=STANDARD) is measured
    assert best([declared, measured], name="training_gpu_hours", accept={Basis.DECLARED}, catalog=STANDARD) is declared
    assert best([other], name="training_gpu_hours", catalog=STANDARD) is None


def test_within_a_basis_the_latest_observation_wins():
    old, new = metric_value(value="1"), metric_value(value="2", observed_at=NOW)
    assert best([new, old], name="training_gpu_hours", catalog=STANDARD) is new


def test_an_expired_measurement_is_not_replaced_by_a_claim():
    expired = metric_value(value="900", basis=Basis.MEASURED, valid_until=BEFORE)
    assert (
        best([metric_value(value="1", observed_at=NOW), expired], name="training_gpu_hours", catalog=STANDARD)
        is expired
    )


def test_between_equals_the_less_favorable_counts():
    low, high = metric_value(value="1"), metric_value(value="2")
    assert best([low, high], name="training_gpu_hours", catalog=STANDARD) is high
    bad, good = metric_value("accuracy", "0.7"), metric_value("accuracy", "0.9")
    assert best([good, bad], name="accuracy", catalog=STANDARD) is bad
    assert best([metric_value("speed", "1"), metric_value("speed", "2")], name="speed", catalog=STANDARD).value == 2


@given(
    st.permutations(
        [metric_value(value=v, basis=b, id=f"{i:02}") for i, (v, b) in enumerate([("1", b) for b in Basis] * 2)]
    )
)
def test_the_order_of_arrival_never_matters(metric_values):
    chosen = best(metric_values, name="training_gpu_hours", catalog=STANDARD)
    assert (chosen.basis, chosen.id) == (Basis.BILLED, f"{len(Basis) * 2 - 1:02}")


def measured(name="latency_p95_ms", value="12", lower="10", upper="14", **fields):
    return metric_value(name, value, **{"lower": lower, "upper": upper, "basis": Basis.MEASURED, **fields})


@pytest.mark.parametrize(
    ("name", "claim", "bounds", "expected"),
    [
        ("latency_p95_ms", "9.9", ("12", "10", "14"), "worse"),
        ("latency_p95_ms", "14.1", ("12", "10", "14"), "better"),
        ("latency_p95_ms", "10", ("12", "10", "14"), None),
        ("latency_p95_ms", "14", ("12", "10", "14"), None),
        ("latency_p95_ms", "1", ("12", None, "14"), None),
        ("latency_p95_ms", "20", ("12", "10", None), None),
        ("latency_p95_ms", "1", ("12", None, None), None),
        ("accuracy", "0.95", ("0.9", "0.88", "0.92"), "worse"),
        ("accuracy", "0.85", ("0.9", "0.88", "0.92"), "better"),
    ],
)
def test_a_claim_outside_the_measured_interval_is_contradicted(name, claim, bounds, expected):
    claimed, found = metric_value(name, claim), measured(name, *bounds)
    answer = contradictions([found, claimed], now=NOW, catalog=STANDARD)
    if expected is None:
        assert answer == ()
        return
    (item,) = answer
    assert (item.name, item.claimed, item.measured) == (name, claimed, found)
    assert item.is_worse is (expected == "worse")
    assert f"{expected} than claimed" in item.message


def test_the_message_of_a_contradiction_says_both_sides():
    (item,) = contradictions([metric_value("latency_p95_ms", "5"), measured()], now=NOW, catalog=STANDARD)
    assert item.message == (
        "Latency p95 was declared as 5 ms, but is measured as 12 ms (10 to 14): worse than claimed. "
        "Correct the claim or explain the difference."
    )


def test_the_latest_claim_is_the_one_held_against_the_measurement():
    first = metric_value("latency_p95_ms", "5", basis=Basis.ESTIMATED)
    corrected = metric_value("latency_p95_ms", "12", observed_at=NOW)
    assert contradictions([corrected, first, measured()], now=NOW, catalog=STANDARD) == ()
    assert contradictions([first, measured()], now=NOW, catalog=STANDARD)[0].claimed is first


def test_expired_or_malformed_metric_values_contradict_nothing():
    claim = metric_value("latency_p95_ms", "5")
    assert contradictions([claim, measured(valid_until=BEFORE)], now=NOW, catalog=STANDARD) == ()
    assert contradictions([claim, measured(unit="s")], now=NOW, catalog=STANDARD) == ()
    assert contradictions([measured(), metric_value("latency_p95_ms", "NaN")], now=NOW, catalog=STANDARD) == ()


def test_numbers_and_intervals_in_words():
    assert number_text(Decimal("1.20E+2")) == "120"
    assert number_text(Decimal("0E-9")) == "0"
    assert interval_text(measured(upper=None)) == " (at least 10)"
    assert interval_text(measured(lower=None)) == " (at most 14)"
    assert interval_text(metric_value()) == ""


def test_naive_datetimes_never_get_as_far_as_a_comparison():
    assert is_sound(metric_value(observed_at=datetime(2026, 1, 1)), catalog=STANDARD) is False  # noqa: DTZ001 -- naive on purpose


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0.853468824", "0.853469"),
        ("0.0001234567891", "0.000123457"),
        ("1234567.891", "1234568"),
        ("100", "100"),
        ("0", "0"),
        ("-2.50", "-2.5"),
        ("12.3456789", "12.3457"),
        ("1234567", "1234567"),
    ],
)
def test_sentences_carry_six_digits_and_whole_numbers_all_of_theirs(number: str, words: str) -> None:
    assert brief_text(Decimal(number)) == words


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"basis": Basis.DECLARED, "p80": Decimal(200)}, "Only an estimate of Training GPU hours has a P80"),
        ({"basis": Basis.BILLED, "p80": Decimal(200)}, "Only an estimate of Training GPU hours has a P80"),
        ({"basis": Basis.ESTIMATED, "p80": Decimal(119)}, "The P80 of Training GPU hours is below its value"),
        ({"basis": Basis.ESTIMATED, "p80": Decimal("NaN")}, "The P80 of Training GPU hours must be a finite number"),
    ],
)
def test_a_p80_belongs_to_an_estimate_and_lies_above_its_middle(fields, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        check_metric_value(metric_value(**fields), catalog=STANDARD)
    assert refused.value.field == "p80"


def test_an_estimate_may_have_a_p80():
    check_metric_value(metric_value(basis=Basis.ESTIMATED, p80=Decimal(120)), catalog=STANDARD)


ABBREVIATIONS = {"cpu", "gpu", "icl", "kpi", "tpot", "ttft", "usd"}


def test_titles_of_standard_metrics_differ_and_write_abbreviations_in_capitals() -> None:
    titles = [STANDARD[name].title for name in STANDARD]
    wrong = [
        word for title in titles for word in title.split() if word.lower() in ABBREVIATIONS and word != word.upper()
    ]
    assert (wrong, len(set(titles))) == ([], len(titles))
