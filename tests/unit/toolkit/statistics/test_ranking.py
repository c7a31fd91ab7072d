"""Where models stand after interleaved rounds."""

import numpy as np
import pytest

from weighbridge.measure.blocks import Blocks
from weighbridge.statistics.ranking import compare_speed, comparison_reasons, median_latency, quality_drops, ranks_of

SETTINGS = {"margin": 0.05, "confidence": 0.95, "resamples": 200, "seed": 1}


def blocks_of(*, failures=None, is_complete=True, **rounds):
    held = {
        name: [np.full(9, value, dtype=np.int64) if value else np.empty(0, dtype=np.int64) for value in values]
        for name, values in rounds.items()
    }
    return Blocks(held, failures or {}, 1.0, is_complete=is_complete)


def test_the_median_over_rounds_in_milliseconds():
    found = median_latency(blocks_of(a=[2_000_000] * 6 + [0]), "a", confidence=0.95)
    assert (found.value, found.lower, found.upper) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
    assert (found.n, found.method) == (6, "signed ranks of the rounds' medians")
    assert median_latency(blocks_of(a=[1] * 5), "a", confidence=0.95) is None


@pytest.mark.parametrize(
    ("latency", "floor", "answer"),
    [
        (500, 0.03, "faster"),
        (2_000, 0.03, "slower"),
        (1_010, 0.03, "tied"),
        (500, None, "unknown"),
        (0, 0.03, "unknown"),
    ],
)
def test_speed_is_beside_the_baseline_and_its_noise(latency, floor, answer):
    found = compare_speed(
        blocks_of(base=[1_000] * 8, other=[latency] * 8), "base", "other", floor=floor, confidence=0.95
    )
    assert found["answer"] == answer
    assert (found["speed_up"] is None) is (answer == "unknown")
    if found["speed_up"]:
        assert found["speed_up"]["value"] == pytest.approx(1_000 / latency)
        assert found["speed_up"]["is_tied"] is (answer == "tied")


def test_the_baseline_is_no_quicker_than_itself():
    assert compare_speed(blocks_of(a=[1] * 8), "a", "a", floor=0.0, confidence=0.95) == {
        "answer": "baseline",
        "speed_up": None,
    }


def test_ranks_hold_who_is_tied_with_their_first():
    blocks = blocks_of(slow=[3_000] * 8, quick=[1_000] * 8, even=[1_010] * 8, dead=[0] * 8)
    names = ["slow", "quick", "even", "dead"]
    assert ranks_of(blocks, names, floor=0.03, confidence=0.95) == [["quick", "even"], ["slow"]]
    assert ranks_of(blocks, names, floor=None, confidence=0.95) == [["slow", "quick", "even"]]
    few = blocks_of(a=[1_000] * 3, b=[2_000] * 3)
    assert ranks_of(few, ["a", "b"], floor=0.03, confidence=0.95) == [["a", "b"]]


def test_classes_lose_accuracy_and_macro_f1():
    truth = np.tile([0, 1], 200)
    baseline, variant = truth.copy(), truth.copy()
    variant[:60] = 1 - variant[:60]
    accuracy, f1 = quality_drops(truth, baseline, variant, **SETTINGS)
    assert (accuracy["metric"], accuracy["value"], accuracy["b"], accuracy["c"]) == ("accuracy", 0.15, 60, 0)
    assert (accuracy["is_non_inferior"], accuracy["margin"]) == (False, 0.05)
    assert (f1["metric"], f1["b"], f1["p_value"]) == ("f1_macro", None, None)
    assert f1["value"] == pytest.approx(0.15, abs=0.001)
    [better, _] = quality_drops(truth, variant, baseline, **SETTINGS)
    assert better["is_non_inferior"] is True


def test_numbers_lose_by_how_much_farther_off_they_are():
    truth = np.linspace(0, 1, 100)
    [drop] = quality_drops(truth, truth + 0.01, truth - 0.03, **SETTINGS)
    assert (drop["metric"], drop["is_non_inferior"]) == ("mae", True)
    assert drop["value"] == pytest.approx(0.02)


def test_the_rounds_have_doubts_of_their_own():
    def codes(floor, **given):
        return [
            (reason.code, reason.status.value) for reason in comparison_reasons(blocks_of(a=[1] * 8, **given), floor)
        ]

    assert codes(0.03) == []
    assert codes(None, is_complete=False) == [("samples.too_few", "invalid")]
    assert codes(0.03, is_complete=False) == [("samples.stopped_early", "indicative")]
    assert codes(0.2, failures={"a": {"Fail": 2}, "b": {}}) == [
        ("errors.inference", "indicative"),
        ("stability.noise_floor", "indicative"),
    ]
