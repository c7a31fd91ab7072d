"""Answers of a device against those of ONNX Runtime here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from weighbridge.core.errors import Invalid
from weighbridge.systems.device.answers import SMALLEST, Answer, answer_of, compare_answers

MOST = 1_000


def agreement(found, expected, tolerance=None, most=MOST):
    return compare_answers(
        [{"y": answer_of(np.asarray(each), most)} for each in found],
        [{"y": answer_of(np.asarray(each), most)} for each in expected],
        most=most,
        tolerance=tolerance,
    )


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, -2.0]], dtype=dtype)
        for dtype in ("float16", "float32", "float64", "int8", "int16", "int32", "int64")
    ]
    + [np.array([1, 2], dtype=f"uint{bits}") for bits in (8, 16, 32, 64)]
    + [np.array([True, False]), np.array(["a", "\u00e9"], dtype=object), np.array(3.0, dtype=np.float32)],
    ids=lambda array: str(array.dtype),
)
def test_every_type_survives_the_way(array):
    answer = answer_of(array, MOST)
    assert answer.dims == array.shape
    assert answer.values(MOST).tolist() == array.ravel().tolist()
    assert agreement([array], [array]).is_within


@given(
    arrays.arrays(np.float32, (2, 3), elements=st.floats(-1e6, 1e6, width=32)),
    st.floats(-0.5, 0.5),
    st.sampled_from([1e-3, 1e-2]),
)
def test_a_difference_counts_by_the_largest_value_of_the_output(expected, share, tolerance):
    largest = float(np.abs(expected).max())
    found = expected.astype(np.float64)
    found[0, 0] += share * largest
    result = agreement([found], [expected.astype(np.float64)], tolerance)
    gap = abs(float(found[0, 0]) - float(expected[0, 0]))
    assert result.disagreeing == int(gap > max(tolerance * largest, SMALLEST))
    assert result.max_absolute_difference == gap


def test_small_probabilities_do_not_agree_with_zeros():
    """An absolute tolerance would take zeros for the probabilities of a thousand classes."""
    expected = np.full((1, 1_000), 0.001, dtype=np.float32)
    assert agreement([np.zeros_like(expected)], [expected]).disagreeing == 1_000


def test_a_query_near_zero_is_judged_by_the_scale_of_all_queries():
    assert agreement([np.float32([1e-6]), np.float32([100])], [np.float32([2e-6]), np.float32([100])]).is_within


def test_rounding_of_an_output_that_is_zero_does_not_disagree():
    result = agreement([np.float64([1e-15])], [np.float64([0.0])])
    assert (result.is_within, result.max_relative_difference) == (True, 1e-15 / (SMALLEST / 1e-3))


@pytest.mark.parametrize(
    ("found", "expected", "disagreeing"),
    [
        ([np.nan, 1.0], [np.nan, 1.0], 0),
        ([np.nan, 1.0], [1.0, 1.0], 1),
        ([1.0, 1.0], [np.inf, 1.0], 1),
        ([np.inf, 1.0], [np.inf, 1.0], 0),
        ([np.inf, -np.inf], [-np.inf, np.inf], 2),
        ([np.nan, np.nan], [np.nan, np.nan], 0),
    ],
)
def test_values_that_are_no_numbers_agree_only_with_themselves(found, expected, disagreeing):
    result = agreement([np.float32(found)], [np.float32(expected)])
    assert result.disagreeing == disagreeing
    assert np.isfinite([result.max_absolute_difference, result.max_relative_difference]).all()


@pytest.mark.parametrize("values", [[1, 2], [True, False], ["a", "b"]])
def test_integers_booleans_and_texts_must_be_equal(values):
    expected = np.array(values, dtype=object if isinstance(values[0], str) else None)
    assert agreement([expected], [expected]).is_within
    assert agreement([expected[::-1]], [expected]).disagreeing == 2


def test_float16_has_a_wider_tolerance_unless_one_is_stated():
    found, expected = [np.float16([1.005, 1.0])], [np.float16([1.0, 1.0])]
    assert agreement(found, expected).is_within
    assert not agreement(found, expected, 1e-3).is_within


def test_the_best_class_is_compared_for_whole_rows_of_scores():
    expected = np.float32([[0.1, 0.9], [0.6, 0.4]])
    result = agreement([np.float32([[0.1, 0.9], [0.4, 0.6]])], [expected])
    assert (result.top_1, result.rows) == (0.5, 2)
    assert agreement([expected], [expected], most=3).top_1 is None
    assert agreement([expected[0]], [expected[0]]).rows == 0


def test_only_the_first_values_are_compared():
    expected = np.arange(10, dtype=np.float32)
    answer = answer_of(expected, 4)
    assert answer.values(4).tolist() == [0, 1, 2, 3]
    assert agreement([expected], [expected], most=4).values == 4


def test_an_output_without_values_agrees():
    nothing = np.zeros((1, 0), dtype=np.float32)
    assert agreement([nothing], [nothing]).is_within


@pytest.mark.parametrize(
    "answer",
    [
        Answer("complex64", (1,), "AAAAAAAAAAA="),
        Answer("float32", (2,), "AAAAAA=="),
        Answer("float32", (-1,), ""),
        Answer("float32", (-1, -1), "AAAAAA=="),
        Answer("float32", (1,), "AAA"),
        Answer("float32", (1,), "AAAA"),
        Answer("string", (2,), texts=("a",)),
        Answer("float32", (10**40, 10**40), "AAAAAA=="),
    ],
)
def test_an_answer_that_cannot_be_is_refused(answer):
    with pytest.raises(Invalid):
        answer.values(MOST)


def test_an_output_that_is_no_tensor_is_refused():
    with pytest.raises(Invalid, match="no tensor"):
        answer_of([{0: 0.5}], MOST)
