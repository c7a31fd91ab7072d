"""Scores: pymcdm gives the same, gates come first, and what must not move anybody does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymcdm import normalizations
from pymcdm.methods import TOPSIS, WSM

from tests.unit.toolkit.tradeoff.matrices import CRITERIA
from weighbridge.tradeoff.matrix.scores import Frame, closeness, min_max, passes, ranks, weighted_sums, win_shares

OPEN = Frame(np.ones(3), *(np.full(3, np.nan) for _ in range(3)))
tables = arrays(np.float64, (5, 3), elements=st.integers(1, 1_000).map(float), unique=True)
weightings = arrays(np.float64, 3, elements=st.integers(1, 9).map(float)).map(lambda found: found / found.sum())
SIGNS = np.array([-1.0, -1.0, 1.0])


@given(tables, weightings)
def test_both_methods_agree_with_pymcdm(table, weights) -> None:
    everybody = np.ones(5, dtype=bool)
    sums = weighted_sums(min_max(table * SIGNS, everybody, OPEN), everybody, weights)
    assert sums == pytest.approx(WSM(normalizations.minmax_normalization)(table, weights, SIGNS, validation=False))
    close = closeness(table * SIGNS, everybody, weights)
    assert close == pytest.approx(TOPSIS(normalizations.vector_normalization)(table, weights, SIGNS, validation=False))


@given(tables, weightings, st.integers(1, 1_000), st.integers(-500, 500))
def test_the_unit_of_a_criterion_moves_nobody(table, weights, factor, shift) -> None:
    everybody = np.ones(5, dtype=bool)
    before = min_max(table, everybody, OPEN) @ weights
    other = table * [float(factor), 1, 1] + [float(shift), 0, 0]
    assert min_max(other, everybody, OPEN) @ weights == pytest.approx(before)


@given(tables, weightings, st.integers(0, 4), st.integers(0, 2))
def test_a_better_estimate_never_lowers_a_rank(table, weights, row, column) -> None:
    everybody = np.ones(5, dtype=bool)
    before = ranks(min_max(table, everybody, OPEN) @ weights)[row]
    better = table.copy()
    better[row, column] = table[:, column].max() + 1
    after = ranks(min_max(better, everybody, OPEN) @ weights)[row]
    assert after <= before


@given(tables, weightings)
def test_who_is_best_in_everything_wins_by_both(table, weights) -> None:
    table[2] = table.max(axis=0) + 1
    everybody = np.ones(5, dtype=bool)
    for scores in (
        weighted_sums(min_max(table, everybody, OPEN), everybody, weights),
        closeness(table, everybody, weights),
    ):
        assert win_shares(scores[np.newaxis]).tolist() == [0, 0, 1, 0, 0]


def test_gates_are_asked_in_the_better_direction_and_their_bound_passes() -> None:
    frame = Frame.of(CRITERIA)
    values = np.array([[1.0, 200.0, 0.5], [1.0, 200.1, 0.9]]) * frame.signs
    assert passes(values, frame).tolist() == [True, False]


def test_who_is_out_sets_no_scale() -> None:
    values, allowed = np.array([[1.0], [3.0], [100.0]]), np.array([True, True, False])
    one = Frame(np.ones(1), *(np.full(1, np.nan) for _ in range(3)))
    assert min_max(values, allowed, one)[:2, 0].tolist() == [0, 1]
    assert weighted_sums(min_max(values, allowed, one), allowed, np.ones(1)).tolist() == [0, 1, -np.inf]
    assert closeness(values, allowed, np.ones(1)).tolist() == [0, 1, -np.inf]


def test_a_stated_scale_is_kept_and_ends_at_its_ends() -> None:
    frame = Frame(np.ones(1), np.full(1, np.nan), np.array([10.0]), np.array([20.0]))
    shares = min_max(np.array([[5.0], [12.0], [99.0]]), np.ones(3, dtype=bool), frame)
    assert shares[:, 0].tolist() == [0, 0.2, 1]


def test_equal_estimates_move_nobody_and_equal_options_are_both_close() -> None:
    same, everybody = np.array([[2.0, 1.0], [2.0, 5.0]]), np.ones(2, dtype=bool)
    two = Frame(np.ones(2), *(np.full(2, np.nan) for _ in range(3)))
    assert min_max(same, everybody, two)[:, 0].tolist() == [1, 1]
    assert closeness(np.zeros((2, 2)), everybody, np.array([0.5, 0.5])).tolist() == [1, 1]


def test_nobody_wins_where_nobody_is_allowed() -> None:
    nobody = np.zeros((1, 2), dtype=bool)
    values = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    two = Frame(np.ones(2), *(np.full(2, np.nan) for _ in range(3)))
    scores = weighted_sums(min_max(values, nobody, two), nobody, np.array([0.5, 0.5]))
    assert win_shares(scores).tolist() == [0, 0]
    assert win_shares(closeness(values, nobody, np.array([0.5, 0.5]))).tolist() == [0, 0]
    assert ranks(scores[0]) == [None, None]


def test_equals_divide_a_win() -> None:
    scores = np.array([[0.5, 0.5, 0.1], [0.5, 0.5 - 1e-12, 0.5], [-np.inf, 0.2, -np.inf], [-np.inf] * 3])
    assert win_shares(scores).tolist() == pytest.approx([5 / 24, 11 / 24, 2 / 24])


@given(tables, weightings)
def test_the_order_of_the_options_decides_nothing(table, weights) -> None:
    table[3] = table[1]
    everybody = np.ones(5, dtype=bool)
    scores = weighted_sums(min_max(table, everybody, OPEN), everybody, weights)[np.newaxis]
    shares = win_shares(scores)
    assert shares[1] == shares[3]
    assert win_shares(scores[:, ::-1]).tolist() == shares[::-1].tolist()
    assert shares.sum() == pytest.approx(1)


def test_equals_share_a_rank() -> None:
    assert ranks(np.array([0.5, 0.9, 0.5, -np.inf])) == [2, 1, 2, None]
