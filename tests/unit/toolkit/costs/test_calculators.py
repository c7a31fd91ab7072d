"""Calculators: each part by itself, as the whole has it; and changes between projections."""

import json

import pytest

from tests.unit.toolkit.costs.specs import BOOK, at_path, price, small
from weighbridge.core.errors import Invalid
from weighbridge.costs.calculators import CALCULATORS, calculate
from weighbridge.costs.changes import changes, sentences
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec

INPUTS = {
    "training": ({"gpu_hours": "100", "usd_per_gpu_h": {"sku": "aws/us-east-1/g5.xlarge"}}, "100.60"),
    "serving": ({"requests_per_year": 1e6, "service_s": 0.01, "limit_s": 0.2, "usd_per_replica_h": 0.096}, "1681.92"),
    "managed": ({"requests_per_year": 1e6, "fee_usd": 0.0075}, "7500.00"),
    "tco": ({"development_usd": 10, "serving_usd": 5, "years": 4, "discount_rate": 0}, "30.00"),
    "energy": (
        {"device_hours": 100, "watts": 700, "pue": 1.2, "kg_per_kwh": 0.35, "usd_per_kwh": 0.25},
        "21.00",
    ),
    "lock-in": ({"code_hours": 3, "engineer_usd_per_h": 100, "termination_usd": 50}, "350.00"),
    "value": (
        {
            "recall": 0.8,
            "recall_after": 0.85,
            "extra_cost_usd": 100_000,
            "years": 1,
            "discount_rate": 0,
            "adoption": 0.5,
            "stakes": {"prevalence": 0.01, "cases_per_year": 1e7, "loss_per_false_negative_usd": 120},
        },
        "200000.00",
    ),
}


@pytest.mark.parametrize("name", CALCULATORS)
def test_each_calculator_says_what_the_hand_says(name):
    document, total = INPUTS[name]
    found = calculate(name, document, BOOK)
    assert (found["calculator"], found["total_usd"]) == (name, total)
    assert set(found["total"].values()) == {total}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_range_spreads_and_is_the_swing():
    found = calculate("training", {"gpu_hours": [80, 125], "usd_per_gpu_h": 2}, BOOK, draws=2_000)
    assert found["total_usd"] == "200.00"
    assert float(found["total"]["p10"]) < 200 < float(found["total"]["p90"])
    assert [swing["input"] for swing in found["tornado"]] == ["gpu_hours"]
    assert found["inputs"]["gpu_hours"] == [80, 125]
    assert found["above_zero_probability"] == 1.0


def test_energy_has_its_carbon_and_no_site_uses_less_than_its_machines():
    document, _ = INPUTS["energy"]
    found = calculate("energy", document, BOOK)
    assert found["quantity_levels"]["energy_kwh"]["p50"] == pytest.approx(84.0)
    assert found["quantity_levels"]["carbon_kg"]["p50"] == pytest.approx(29.4)
    for field, value in (("pue", 0.9), ("pue", [0.9, 1.5]), ("watts", 0)):
        with pytest.raises(Invalid) as refusal:
            calculate("energy", {**document, field: value}, BOOK)
        assert refusal.value.field == field


def test_prices_of_the_book_are_pinned():
    (pin,) = calculate("training", INPUTS["training"][0], BOOK)["prices"]
    assert (pin["sku"], pin["as_of"], pin["snapshot"]) == ("aws/us-east-1/g5.xlarge", "2026-07-20", BOOK.snapshot_id)


def test_more_false_alarms_take_from_the_gain():
    document, _ = INPUTS["value"]
    stakes = {**document["stakes"], "loss_per_false_positive_usd": 5}
    more = {**document, "stakes": stakes, "false_alarm_rate": 0.010, "false_alarm_rate_after": 0.012, "adoption": 1}
    found = calculate("value", more, BOOK)
    assert found["total_usd"] == "401000.00"
    assert found["quantities"]["break_even_points"] == pytest.approx(100_000 / 120_000)


@pytest.mark.parametrize(
    ("change", "total", "points"),
    [
        ({"adoption": 0}, "-100000.00", None),  # no gain is realized: no number of points pays
        ({"extra_cost_usd": -100_000}, "400000.00", 0.0),  # what is cheaper needs no gain
        ({"recall_after": 0.75}, "-400000.00", 1 / 3 * 5),
    ],
)
def test_gains_and_extra_costs_may_be_negative_or_nothing(change, total, points):
    found = calculate("value", {**INPUTS["value"][0], **change}, BOOK)
    assert found["total_usd"] == total
    assert found["quantities"]["break_even_points"] == (None if points is None else pytest.approx(points))


def test_a_service_that_may_be_too_slow_has_a_swing_without_end():
    document = {"requests_per_year": 1e6, "service_s": [0.03, 0.12], "limit_s": 0.2, "usd_per_replica_h": 0.096}
    (swing,) = calculate("serving", document, BOOK, draws=200)["tornado"]
    assert swing == {"input": "replicas.service_s", "at_p10_usd": "1681.92", "at_p90_usd": None}


@pytest.mark.parametrize(
    ("name", "document", "field"),
    [
        ("training", {"gpu_hours": 5}, "usd_per_gpu_h"),
        ("training", {"gpu_hours": 5, "usd_per_gpu_h": -1}, "usd_per_gpu_h"),
        ("serving", {"service_s": 0.1}, "requests_per_year"),
        ("value", {**INPUTS["value"][0], "stakes": {"prevalence": 0.1}}, "stakes.cases_per_year"),
        ("value", {**INPUTS["value"][0], "false_alarm_rate_after": -1}, "false_alarm_rate_after"),
    ],
)
def test_what_cannot_be_calculated_is_refused_with_its_input(name, document, field):
    with pytest.raises(Invalid) as refused:
        calculate(name, document, BOOK)
    assert refused.value.field == field


def projected(document, book=BOOK):
    return as_document(project(read_spec(document, book)))


def test_todays_prices_say_what_moved():
    import dataclasses
    from datetime import date

    before = projected(small())
    newer = dataclasses.replace(price("aws/us-east-1/m5.large", "0.048"), as_of=date(2026, 11, 1))
    found = changes(before, projected(small(), BOOK.with_prices([newer])))
    assert found["prices"] == [
        {
            "item": "aws/us-east-1/m5.large",
            "before": "0.096",
            "after": "0.048",
            "unit": "instance_h",
            "before_as_of": "2026-07-20",
            "after_as_of": "2026-11-01",
            "ratio": 0.5,
        }
    ]
    assert found["metrics"]["own"]["inference_cost_1y_usd"]["p50"] == {
        "before": "840.96",
        "after": "420.48",
        "ratio": 0.5,
    }
    assert found["metrics"]["api"]["training_cost_usd"]["p50"]["ratio"] is None
    assert sentences(found) == [
        "own: total_cost_1y_usd (P50) 840.96 -> 420.48 (-50.0%)",
        "own: serving.usd_per_replica_h: 0.096 -> 0.048",
        "price of aws/us-east-1/m5.large: 0.096 (2026-07-20) -> 0.048 (2026-11-01) (-50.0%)",
    ]


def test_a_measured_time_in_the_place_of_an_assumed_one_is_named():
    slow = projected(at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12]))
    found = changes(slow, projected(small(load={"requests_per_year": 2_000_000})))
    assert found["inputs"] == [
        {"input": "requests_per_year", "before": 1_000_000, "after": 2_000_000},
        {"input": "own: serving.service_s", "before": [0.03, 0.12], "after": 0.01},
    ]
    assert found["metrics"]["own"]["tco_usd"]["p90"]["before"] is None
    assert "own: total_cost_1y_usd (P90)" not in sentences(found)[0]


def test_options_come_and_go():
    one = small()
    one["options"] = one["options"][:1]
    found = changes(projected(one), projected(small()))
    assert (found["added"], found["removed"]) == (["own"], [])
    back = changes(projected(small()), projected(one))
    assert sentences(back) == ["option removed: own"]
    assert sentences(changes(projected(one), projected(one))) == ["Nothing moved."]
    assert found["prices"] == []
    with pytest.raises(Invalid, match=r"before must be weighbridge.projection/1") as refused:
        changes({}, projected(one))
    assert refused.value.field == "before"
    endless = {
        **found,
        "metrics": {"own": {"total_cost_1y_usd": {"p50": {"before": None, "after": "1.00", "ratio": None}}}},
    }
    assert sentences(endless)[0] == "own: total_cost_1y_usd (P50) no end -> 1.00"
