"""Doubts about evaluation data: each check at its threshold, and what void values do to a result."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from weighbridge.measure.quality.verdict import OWN_LABELS, with_doubts, with_own_labels_void
from weighbridge.quality.checks import (
    MIN_ROWS,
    PERFECT_ROWS,
    DataDoubt,
    answer_doubts,
    data_doubts,
    is_noise,
    is_perfect,
    row_digests,
    seen_doubt,
    was_seen,
)
from weighbridge.statistics.order_statistics import Interval, wilson_interval

RNG = np.random.default_rng(7)


def codes(x: np.ndarray, y: np.ndarray) -> list[tuple[str, bool]]:
    return [(doubt.code, doubt.is_void) for doubt in data_doubts(x, y)]


def rows(n: int, *, distinct: int | None = None) -> np.ndarray:
    """`n` rows of which `distinct` differ."""
    return (np.arange(n) % (distinct or n)).astype(np.float32)[:, None]


def labels(n: int) -> np.ndarray:
    return np.arange(n) % 3


def test_sound_data_raises_no_doubt() -> None:
    assert data_doubts(rows(100), labels(100)) == ()
    assert data_doubts(RNG.normal(size=(100, 8, 8)), RNG.normal(size=100)) == ()


@pytest.mark.parametrize(("n", "expected"), [(29, [("quality.rows", True)]), (30, []), (31, [])])
def test_fewer_than_thirty_rows_are_void(n: int, expected: list[tuple[str, bool]]) -> None:
    assert codes(rows(n), labels(n)) == expected


def test_the_least_number_of_rows_is_where_an_interval_is_a_third_wide() -> None:
    at, below = (wilson_interval(n // 2, n, 0.95) for n in (MIN_ROWS + 2, MIN_ROWS - 2))
    assert at is not None
    assert below is not None
    assert at.upper - at.lower < 1 / 3 < below.upper - below.lower


@pytest.mark.parametrize("y", [np.zeros(50, np.int64), np.full(50, 2.5)])
def test_one_label_is_void(y: np.ndarray) -> None:
    assert codes(rows(50), y) == [("quality.one_label", True)]
    (doubt,) = data_doubts(rows(50), y)
    assert doubt.message == f"All 50 labels are {y[0]}: a model that always answers so is always right."


def test_one_input_is_void() -> None:
    assert codes(np.ones((50, 4)), labels(50)) == [("quality.constant", True)]


@pytest.mark.parametrize(
    ("distinct", "expected"),
    [
        (100, []),
        (90, []),
        (89, [("quality.repeated", False)]),
        (50, [("quality.repeated", False)]),
        (49, [("quality.repeated", True)]),
        (2, [("quality.repeated", True)]),
    ],
)
def test_repeated_rows_are_doubtful_above_a_tenth_and_void_above_half(
    distinct: int, expected: list[tuple[str, bool]]
) -> None:
    assert codes(rows(100, distinct=distinct), labels(100)) == expected


def test_the_limits_of_repeated_rows_are_what_they_do_to_an_interval() -> None:
    assert math.sqrt(1 / 0.9) == pytest.approx(1.05, abs=0.005)
    assert math.sqrt(1 / 0.5) == pytest.approx(1.41, abs=0.005)


def test_empty_data_raises_only_the_doubt_about_its_rows() -> None:
    assert codes(np.empty((0, 3)), np.empty(0, np.int64)) == [("quality.rows", True)]


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.int8, st.tuples(st.integers(1, 40), st.integers(1, 3))))
def test_row_digests_count_as_numpy_does(x: np.ndarray) -> None:
    assert len(row_digests(x)) == len(np.unique(x, axis=0))
    assert len(row_digests(np.asfortranarray(x))) == len(row_digests(x)), "the order in memory does not matter"


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.int8, st.tuples(st.integers(1, 30), st.just(2)), elements=st.integers(0, 3)),
    arrays.arrays(np.int8, st.tuples(st.integers(0, 30), st.just(2)), elements=st.integers(0, 3)),
)
def test_a_row_was_seen_if_it_occurs(x: np.ndarray, seen: np.ndarray) -> None:
    known = {tuple(row) for row in seen.tolist()}
    assert was_seen(x, seen).tolist() == [tuple(row) in known for row in x.tolist()]


@pytest.mark.parametrize(("shared", "is_doubted"), [(0, False), (2, False), (3, True), (200, True)])
def test_one_percent_of_calibration_rows_may_be_tested_on(shared: int, is_doubted: bool) -> None:
    x = rows(200)
    seen = np.concatenate([x[:shared], rows(50) + 1_000])
    doubt = seen_doubt(x, seen)
    assert (doubt is not None) == is_doubted
    if doubt is not None:
        assert (doubt.code, doubt.is_void) == ("quality.seen", True)
        assert f"{shared} of 200 test rows" in doubt.message


def accuracy(value: float, n: int) -> Interval:
    return Interval(value, value, value, 0.95, n)


def image(n: int, size: int = 16) -> np.ndarray:
    """Smooth images: every pixel is close to its neighbors, as in photographs."""
    return np.cumsum(np.cumsum(RNG.normal(size=(n, 1, size, size)), axis=2), axis=3).astype(np.float32)


@pytest.mark.parametrize(("n", "expected"), [(99, []), (100, ["quality.perfect"])])
def test_a_perfect_score_is_doubtful_from_a_hundred_rows_on(n: int, expected: list[str]) -> None:
    assert [doubt.code for doubt in answer_doubts(image(n), accuracy(1.0, n))] == expected
    assert not any(doubt.is_void for doubt in answer_doubts(image(n), accuracy(1.0, n)))
    assert is_perfect(1.0, n) == bool(expected)
    assert not is_perfect(1 - 1 / n, n)


def test_without_an_error_in_a_hundred_rows_the_rate_is_below_three_percent() -> None:
    assert 1 - 0.05 ** (1 / PERFECT_ROWS) < 0.03 < 1 - 0.05 ** (1 / (PERFECT_ROWS - 2))


@pytest.mark.parametrize(("value", "expected"), [(0.98, []), (0.99, ["quality.noise"])])
def test_noise_with_the_answers_of_the_model_is_void(value: float, expected: list[str]) -> None:
    noise = RNG.normal(size=(200, 3, 28, 28))
    doubts = answer_doubts(noise, accuracy(value, 200))
    assert [doubt.code for doubt in doubts] == expected
    assert all(doubt.is_void for doubt in doubts)
    assert [doubt.code for doubt in answer_doubts(image(200), accuracy(value, 200))] == []
    assert answer_doubts(noise, None) == ()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["normal", "uniform", "bytes", "salt"]),
    st.sampled_from([(40, 8, 8), (60, 1, 28, 28), (40, 16, 16, 3), (60, 2, 64)]),
)
def test_any_independent_pixels_are_noise(seed: int, kind: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    x = {
        "normal": lambda: rng.normal(size=shape),
        "uniform": lambda: rng.random(shape, dtype=np.float32),
        "bytes": lambda: rng.integers(0, 256, shape, dtype=np.uint8),
        "salt": lambda: (rng.random(shape) < 0.2).astype(np.uint8),
    }[kind]()
    assert is_noise(x)
    assert not is_noise(np.cumsum(x - x.mean(), axis=1 if shape[1] >= 8 else 2))


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=(200, 784)),  # features without an order
        RNG.normal(size=(200, 4, 4)),  # too short to tell
        np.zeros((200, 16, 16)),
        np.full((200, 16, 16), np.nan),
        RNG.normal(size=200),
    ],
)
def test_what_has_no_neighbors_is_never_noise(x: np.ndarray) -> None:
    assert not is_noise(x)


# what doubts do to a result


def result(status: str = "valid", value: float = 1.0, n: int = 200) -> dict[str, Any]:
    return {
        "verdict": {"status": status, "reasons": []},
        "metrics": {"latency_p95_ms": {"value": 3.0, "n": 900}, "accuracy": {"value": value, "n": n}},
        "missing": [],
        "confusion": [[1]],
        "per_class": [{}],
        "quality_verdict": None,
    }


VOID = DataDoubt("quality.rows", True, "Too few.")
WEAK = DataDoubt("quality.perfect", False, "All right.")


def test_without_doubts_only_the_verdict_on_quality_is_added() -> None:
    assert with_doubts(result(), ()) == result() | {"quality_verdict": {"status": "valid", "reasons": []}}


@pytest.mark.parametrize(("before", "after"), [("valid", "indicative"), ("indicative", "indicative")])
def test_a_void_value_is_taken_out_and_speed_stays(before: str, after: str) -> None:
    found = with_doubts(result(before), (VOID, WEAK))
    assert found["verdict"]["status"] == after
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == ["quality.rows", "quality.perfect"]
    assert found["quality_verdict"]["status"] == "invalid"
    assert list(found["metrics"]) == ["latency_p95_ms"]
    assert found["missing"] == [{"metric": "accuracy", "message": "Void: Too few."}]
    assert (found["confusion"], found["per_class"]) == (None, None)


def test_every_metric_of_quality_is_void_with_the_labels() -> None:
    given = result()
    names = ("log_loss", "ece@15", "pinball@0.9", "shop.metrics:profit")
    given["metrics"] |= {name: {"value": 0.5, "n": 200} for name in names}
    found = with_doubts(given, (VOID,))
    assert list(found["metrics"]) == ["latency_p95_ms"]
    assert [each["metric"] for each in found["missing"]] == ["accuracy", *names]


def test_a_weak_doubt_leaves_the_value() -> None:
    found = with_doubts(result(), (WEAK,))
    assert (found["verdict"]["status"], found["quality_verdict"]["status"]) == ("indicative", "indicative")
    assert "accuracy" in found["metrics"]


def test_an_invalid_run_stays_invalid() -> None:
    assert with_doubts(result("invalid"), (WEAK,))["verdict"]["status"] == "invalid"


def test_ones_own_labels_are_void() -> None:
    found = with_own_labels_void(result())
    assert "accuracy" not in found["metrics"]
    assert found["missing"][0]["message"] == f"Void: {OWN_LABELS.message}"
    for other in (result(value=0.995), result(n=99), result(n=0)):
        assert with_own_labels_void(other) == other
    without = result()
    del without["metrics"]["accuracy"]
    assert with_own_labels_void(without) == without


def test_ones_own_labels_join_the_doubts_of_the_run() -> None:
    found = with_own_labels_void(with_doubts(result(), (WEAK,)))
    for verdict in (found["verdict"], found["quality_verdict"]):
        assert [reason["code"] for reason in verdict["reasons"]] == ["quality.perfect", "quality.own_labels"]
    assert found["quality_verdict"]["status"] == "invalid"
