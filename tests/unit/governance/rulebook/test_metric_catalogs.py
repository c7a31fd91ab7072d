"""The documents of metric catalogs, and what a new version may change."""

from copy import deepcopy
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.metric_catalogs import catalog_document, check_successor, parse_catalog
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import Direction, MetricGroup, MetricScope, Producer, WeightedPart
from weighbridge.core.metrics.standard import STANDARD

WAPE = {
    "name": "wape",
    "unit": "ratio",
    "better": "lower",
    "group": "quality",
    "meaning": "Sum of |error| / sum of |truth|.",
    "minimum": 0,
    "bases": ["measured", "declared"],
    "producers": ["person", "signer"],
    "label": "WAPE",
}
H200_HOURS = {"name": "training_hours_h200", "weight": 1}
FIRST = catalog_document(STANDARD)


def with_metrics(*metrics):
    return {**FIRST, "metrics": [*FIRST["metrics"], *metrics]}


def changed(name, **fields):
    document = deepcopy(FIRST)
    entry = next(entry for entry in document["metrics"] if entry["name"] == name)
    for key, value in fields.items():
        entry.pop(key, None)
        if value is not ...:
            entry[key] = value
    return parse_catalog(document)


def test_the_first_version_is_the_catalog_of_the_toolkit():
    again = parse_catalog(yaml.safe_load(yaml.safe_dump(FIRST)))
    assert again.definitions == STANDARD.definitions
    assert (again.title, again.digest[:7]) == (STANDARD.title, "sha256:")


def test_a_metric_is_added_by_an_entry():
    wape = parse_catalog(with_metrics(WAPE))["wape"]
    assert (wape.title, wape.unit, wape.direction, wape.group) == (
        *("WAPE", "ratio", Direction.LOWER, MetricGroup.QUALITY),
    )
    assert (wape.minimum, wape.maximum, wape.scope) == (Decimal(0), None, MetricScope.ARTIFACT)
    assert wape.bases == (Basis.DECLARED, Basis.MEASURED)
    assert wape.producers == (Producer.PERSON, Producer.SIGNER)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "Wape"}, "name", "lowercase letters"),
        ({"name": "w" * 49}, "name", "1 to 48"),
        ({"name": "wape@5"}, "name", "lowercase letters"),
        ({"name": "accuracy"}, "name", "repeats"),
        ({"unit": "per cent"}, "unit", "without spaces"),
        ({"better": "up"}, "better", "lower, higher"),
        ({"group": "speed"}, "group", "must be one of"),
        ({"maximum": 0}, "maximum", "above the minimum"),
        ({"meaning": "m" * 301}, "meaning", "300 characters"),
        ({"label": "m" * 61}, "label", "60 characters"),
        ({"bases": ["rumored"]}, "bases", "may list only"),
        ({"producers": ["oracle"]}, "producers", "may list only"),
        ({"parts": ["latency_p95_ms"]}, "parts", "in ratio without parts"),
        ({"unit": "USD", "parts": ["total_cost_1y_usd"]}, "parts", "without parts"),
        ({"unit": "USD", "parts": ["training_cost_usd"], "better": "higher"}, "parts", "lower is better"),
        ({"unit": "USD", "parts": ["training_cost_usd"], "minimum": None}, "parts", "0 or more"),
        ({"weighted_parts": [{"name": "wape", "weight": 1}]}, "weighted_parts", "without parts"),
        ({"weighted_parts": [{"name": "training_gpu_hours", "weight": 1}]}, "weighted_parts", "without parts"),
        ({"weighted_parts": [{"name": "r2", "weight": 1}]}, "weighted_parts", "0 or more"),
        ({"weighted_parts": [H200_HOURS, H200_HOURS]}, "weighted_parts[1].name", "repeats"),
        ({"weighted_parts": [H200_HOURS], "parts": ["ece"]}, "weighted_parts", "exclude each other"),
        ({"weighted_parts": [H200_HOURS], "better": "higher"}, "parts", "lower is better"),
        ({"weighted_parts": [H200_HOURS | {"weight": 0}]}, "weighted_parts[0].weight", "above 0"),
        ({"weighted_parts": [H200_HOURS], "converts": "training_gpu_hours"}, "converts", "the same weighted parts"),
        ({"converts": "accuracy"}, "converts", "the same weighted parts"),
        ({"converts": "wape"}, "converts", "an earlier metric"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_a_faulty_entry_is_refused_with_its_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        parse_catalog(with_metrics({**WAPE, **fields}))
    assert refusal.value.field == f"metrics[{len(FIRST['metrics'])}].{field}"


def test_a_catalog_has_metrics_and_its_own_name():
    for wrong, field in (({"metrics": []}, "metrics"), ({"name": "mine"}, "name"), ({"kind": "Catalog"}, "kind")):
        with pytest.raises(Invalid) as refusal:
            parse_catalog(FIRST | wrong)
        assert refusal.value.field == field


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("latency_p95_ms", {"unit": "s"}, "unit"),
        ("latency_p95_ms", {"better": "higher"}, "better"),
        ("total_cost_1y_usd", {"parts": ["training_cost_usd"]}, "parts"),
        ("total_cost_1y_usd", {"parts": ...}, "parts"),
        ("error_rate", {"scope": "artifact"}, "scope"),
        ("ndcg", {"has_parameter": False}, "has_parameter"),
        ("training_h100_hours", {"converts": ...}, "converts"),
        ("accuracy", {"maximum": "0.9"}, ""),
        ("latency_p95_ms", {"minimum": 1}, ""),
        ("latency_p95_ms", {"maximum": 1_000_000}, ""),
        ("business_kpi_delta", {"minimum": -1}, ""),
    ],
)
def test_a_name_keeps_its_meaning(name, fields, field):
    after = changed(name, **fields)
    place = f"metrics[{list(STANDARD).index(name)}]"
    with pytest.raises(Invalid, match=name) as refusal:
        check_successor(STANDARD, after)
    assert refusal.value.field == (f"{place}.{field}" if field else place)


def test_an_accelerator_is_added_with_its_weight_and_never_weighs_less():
    totals = ("training_gpu_hours", "training_h100_hours")

    def weighing(**weights):
        document = deepcopy(FIRST)
        document["metrics"].append({**WAPE, "name": "training_hours_x", "unit": "gpu_h", "bases": ["declared"]})
        for entry in document["metrics"]:
            if entry["name"] in totals:
                entry["weighted_parts"].append({"name": "training_hours_x", "weight": 3})
                for part in entry["weighted_parts"]:
                    part["weight"] = weights.get(part["name"], part["weight"])
        return parse_catalog(document)

    # The total stands before its new part, which the catalog lists last.
    grown = weighing()
    check_successor(STANDARD, grown)
    assert grown["training_h100_hours"].weighted_parts[-1] == WeightedPart("training_hours_x", Decimal(3))
    for before, after in ((STANDARD, weighing(training_hours_h200="0.1")), (grown, STANDARD)):
        with pytest.raises(Invalid):
            check_successor(before, after)


def test_a_metric_is_retired_and_never_removed():
    document = {**FIRST, "metrics": [entry for entry in FIRST["metrics"] if entry["name"] != "wer"]}
    with pytest.raises(Invalid, match="retired: true"):
        check_successor(STANDARD, parse_catalog(document))
    retired = changed("wer", retired=True)
    check_successor(STANDARD, retired)
    assert "wer" in retired
    assert "wer" not in {definition.name for definition in retired.stated}


@given(
    label=st.text(st.characters(codec="ascii", categories=("L",)), min_size=1, max_size=60),
    maximum=st.decimals("0.000001", "1000000", places=6).map(str),
    bases=st.sets(st.sampled_from(Basis), min_size=1),
)
def test_what_does_not_touch_values_on_record_may_change(label, maximum, bases):
    wider = str(1 + Decimal(maximum))
    after = changed("accuracy", label=label, maximum=wider, bases=sorted(bases), meaning="Said better.")
    check_successor(STANDARD, after)
    with pytest.raises(Invalid):
        check_successor(after, STANDARD)
