"""Options by the cost of an accepted answer: which is cheapest, with what probability, and from which failure cost."""

import numpy as np
import pytest

from tests.unit.toolkit.costs.specs import TODAY
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.value.accepted_options import accepted_document
from weighbridge.costs.value.pass_rates import ItemRuns, RepeatedRuns

BOOK = shipped_book(TODAY)
DEAR = {"usd_per_try": 0.00384, "pass_rate": 0.92}
CHEAP = {"usd_per_try": 0.00062, "pass_rate": 0.80}
SMALL = {"usd_per_try": 0.0001, "pass_rate": 0.55}


def document(options, **asked):
    return accepted_document({"options": options}, BOOK, **{"draws": 400, **asked})


def runs_of(passed, clusters=60):
    items = (ItemRuns(passed=passed(place), runs=5, cluster=str(place % clusters)) for place in range(120))
    return RepeatedRuns(tuple(items))


def test_the_worked_options():
    asked = {"fallback_usd": 0.4}
    found = document({name: {**each, **asked} for name, each in (("dear", DEAR), ("cheap", CHEAP), ("small", SMALL))})
    costs = {each["name"]: each["metrics"]["cost_per_accepted_usd"]["middle"] for each in found["options"]}
    assert costs == {"dear": "0.0358400000", "cheap": "0.0806200000", "small": "0.1801000000"}
    assert found["cheapest"] == {"dear": 1.0, "cheap": 0.0, "small": 0.0}
    above = {
        (each["option"], each["cheaper_than"]): each["above_failure_usd"]["middle"] for each in found["thresholds"]
    }
    assert above == {
        ("dear", "cheap"): pytest.approx(0.0268333, abs=1e-7),
        ("dear", "small"): pytest.approx(0.00374 / 0.37),
        ("cheap", "small"): pytest.approx(0.00052 / 0.25),
    }
    first, *_, last = found["failure_costs"]
    assert (first["failure_usd"], first["cheapest"]["small"], last["cheapest"]["dear"]) == (0.0, 1.0, 1.0)


def test_the_judged_tries_of_the_worked_example():
    found = document({"mini": {**CHEAP, "tries": 3, "judge_usd": 0.00031, "fallback_usd": 0.4}})
    (mini,) = found["options"]
    assert mini["metrics"]["cost_per_accepted_usd"]["middle"] == "0.0043532000"
    assert (mini["parts"]["tries_usd"]["middle"], mini["parts"]["fallback_usd"]["middle"]) == (
        *("0.0011532000", "0.0032000000"),
    )
    assert (round(mini["attempts"]["middle"], 9), round(mini["accepted_share"]["middle"], 9)) == (1.24, 0.992)
    (alone,) = document({"mini": {**CHEAP, "tries": 3, "judge_usd": 0.00031}})["options"]
    assert alone["metrics"]["cost_per_accepted_usd"]["middle"] == "0.0011625000"
    assert found["cheapest"] == {"mini": 1.0}
    assert [each["failure_usd"] for each in found["failure_costs"]] == [0.0]


def test_a_small_test_leaves_the_choice_open():
    few = {"dear": {"usd_per_try": 0.00384, "passed": 18, "items": 20}, "cheap": {**CHEAP}}
    many = {**few, "dear": {"usd_per_try": 0.00384, "passed": 1_800, "items": 2_000}}
    shares = [
        document(options, failure_usd=[0.04], draws=4_000)["failure_costs"][0]["cheapest"]["dear"]
        for options in (few, many)
    ]
    # At 0.90 the threshold is 0.0322, so 0.04 is above it: surely after 2,000 items, probably after 20.
    assert 0.5 < shares[0] < 0.9 < 0.99 < shares[1]
    (threshold,) = document(few, draws=4_000)["thresholds"]
    assert threshold["above_failure_usd"]["middle"] == pytest.approx(0.0322)
    assert threshold["above_failure_usd"]["p10"] < 0.0322 < threshold["above_failure_usd"]["p90"]
    assert 0.8 < threshold["probability"] < 1.0  # in the other draws the dear one passes less often


def test_a_try_is_a_call_or_a_request_to_an_own_server():
    options = {
        "api": {
            "call": {"prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 600, "output_tokens": 200},
            "judge": {"prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 600, "output_tokens": 10},
            "pass_rate": [0.75, 0.85],
        },
        "own": {"own": {"usd_per_replica_h": 2.5, "goodput_per_s": 2.4, "utilization": 0.35}, "pass_rate": 0.8},
    }
    api, own = document(options)["options"]
    assert api["metrics"]["cost_per_request_usd"]["middle"] == "0.0005500000"
    assert float(api["parts"]["tries_usd"]["middle"]) == pytest.approx(0.00055 + 0.00017)
    assert own["metrics"]["cost_per_request_usd"]["middle"] == "0.0008267196"
    assert {price["sku"] for price in api["prices"]} == {"openai/gpt-5-mini"}
    assert api["laws"] == {"pass_rate": "lognormal, at most 1"}
    assert [each["kind"] for each in api["remarks"]] == ["ending model", "left out"]


def test_repeated_runs_take_the_place_of_the_rate():
    options = {name: {"usd_per_try": 0.001, "tries": 3, "fallback_usd": 0.4} for name in ("stuck", "lucky")}
    runs = {"stuck": runs_of(lambda place: 5 * (place % 2)), "lucky": runs_of(lambda place: 2 + place % 2)}
    stuck, lucky = document(options, runs=runs)["options"]
    assert stuck["runs"] == {"items": 120, "clusters": 60, "pass_at": {"1": 0.5, "2": 0.5, "3": 0.5}}
    assert lucky["runs"]["pass_at"]["1"] == 0.5 < lucky["runs"]["pass_at"]["3"]
    assert float(stuck["parts"]["task_usd"]["middle"]) == pytest.approx(0.002 + 0.2)
    assert (stuck["remarks"], stuck["accepted_share"]["middle"]) == ([], 0.5)
    assert stuck["accepted_share"]["p10"] < 0.5 < stuck["accepted_share"]["p90"]


def test_options_of_the_same_clusters_are_compared_in_pairs():
    """One option passes one run more of each item: it is better in every draw, though the ranges overlap."""
    options = {name: {"usd_per_try": 0.001} for name in ("more", "less")}
    runs = {"more": runs_of(lambda place: place % 4 + 1), "less": runs_of(lambda place: place % 4)}
    found = document(options, runs=runs)
    more, less = (each["accepted_share"] for each in found["options"])
    assert more["p10"] > less["p90"] or found["cheapest"] == {"more": 1.0, "less": 0.0}
    assert found["cheapest"] == {"more": 1.0, "less": 0.0}


def test_what_the_figures_assume_is_said():
    few = runs_of(lambda place: place % 5, clusters=12)
    options = {"a": {**CHEAP, "tries": 2}, "b": {"usd_per_try": 0.001}, "c": {"usd_per_try": 0.001, "items": 9}}
    texts = [[each["text"] for each in option["remarks"]] for option in document(options, runs={"b": few})["options"]]
    assert texts == [
        [
            "The tries are taken as independent. At temperature 0 a repeated try fails again: give repeated runs.",
            "The pass rate is one number without the size of its test; its uncertainty is not in the ranges.",
        ],
        ["The runs are of 12 clusters; below 30 the ranges are too narrow."],
        [],
    ]


def test_what_is_never_accepted_has_no_cost_but_a_document():
    found = document({"none": {"usd_per_try": 0.001, "pass_rate": 0.0}, "some": CHEAP})
    none, _ = found["options"]
    assert none["metrics"]["cost_per_accepted_usd"] == dict.fromkeys(("middle", "p10", "p50", "p80", "p90"))
    assert found["cheapest"] == {"none": 0.0, "some": 1.0}


def test_the_same_seed_gives_the_same_document():
    options = {"a": {"usd_per_try": 0.001, "passed": 40, "items": 50}}
    assert document(options) == document(options)
    assert document(options, seed=2) != document(options)
    assert np.isclose(document(options)["options"][0]["accepted_share"]["middle"], 0.8)


@pytest.mark.parametrize(
    ("options", "asked", "field", "words"),
    [
        ({}, {}, "options", "1 to 12 options, not 0"),
        ({str(place): CHEAP for place in range(13)}, {}, "options", "not 13"),
        ({"a": 5}, {}, "options.a", "must be a mapping"),
        ({"a": {"pass_rate": 0.5}}, {}, "options.a.usd_per_try", "one of usd_per_try, call and own"),
        ({"a": {**CHEAP, "call": {"fee_usd": 1}}}, {}, "options.a.usd_per_try", "one of usd_per_try"),
        ({"a": {"usd_per_try": 0.1}}, {}, "options.a.pass_rate", "either pass_rate"),
        ({"a": {**CHEAP, "tries": 11}}, {}, "options.a.tries", "1 to 10"),
        ({"a": {**CHEAP, "prob": 1}}, {}, "options.a.prob", "is unknown"),
        ({"a": CHEAP}, {"runs": {"b": runs_of(lambda _: 1)}}, "runs", "There are runs of 'b', which is no option"),
        ({"a": CHEAP}, {"runs": {"a": runs_of(lambda _: 1)}}, "options.a", "has a pass rate and repeated runs"),
        ({"a": CHEAP}, {"failure_usd": [-1.0]}, "failure_usd", "each 0 or more"),
        ({"a": CHEAP}, {"failure_usd": [float("inf")]}, "failure_usd", "each 0 or more"),
        ({"a": CHEAP}, {"failure_usd": [1.0] * 65}, "failure_usd", "at most 64"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_path(options, asked, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        document(options, **asked)
    assert refused.value.field == field


@pytest.mark.parametrize("asked", [{"draws": 0}, {"draws": 100_001}, {"seed": -1}])
def test_draws_are_bounded(asked):
    with pytest.raises(Invalid, match="Give 1 to 100,000 draws and a seed of zero or more") as refused:
        document({"a": CHEAP}, **asked)
    assert refused.value.field == "draws"


def test_tries_beyond_the_runs_are_refused():
    with pytest.raises(Invalid, match="6 tries need 6 runs of each item, and one has 5"):
        document({"a": {"usd_per_try": 0.1, "tries": 6}}, runs={"a": runs_of(lambda _: 1)})
