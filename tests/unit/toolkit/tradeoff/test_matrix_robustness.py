"""Robustness: a flip is exactly where the lead is zero, draws know their answers beforehand, reversals are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weighbridge.tradeoff.matrix.robustness import flips, p_best, reversals, smaa
from weighbridge.tradeoff.matrix.scores import Frame

NAMES, CRITERIA = ("a", "b", "c", "d"), ("x", "y", "z")
OPEN = Frame(np.ones(3), *(np.full(3, np.nan) for _ in range(3)))
shares_of = arrays(np.float64, (4, 3), elements=st.integers(0, 100).map(lambda found: found / 100))
weightings = arrays(np.float64, 3, elements=st.integers(1, 9).map(float)).map(lambda found: found / found.sum())


def moved(weights, index: int, to: float):
    rest = weights * (1 - to) / (1 - weights[index])
    rest[index] = to
    return rest


@given(shares_of, weightings)
def test_a_flip_is_where_the_lead_is_lost_and_no_nearer(shares, weights) -> None:
    best = int((shares @ weights).argmax())
    found = flips(NAMES, CRITERIA, shares, weights)
    assert [abs(flip.change) for flip in found] == sorted(abs(flip.change) for flip in found)
    for flip in found:
        index, rival = CRITERIA.index(flip.criterion), NAMES.index(flip.winner)
        assert flip.before == weights[index]
        at = shares @ moved(weights, index, flip.after)
        assert at[rival] == pytest.approx(at[best])
        halfway = shares @ moved(weights, index, flip.before + 0.5 * flip.change)
        assert halfway[best] == pytest.approx(halfway.max())
    for index in {0, 1, 2} - {CRITERIA.index(flip.criterion) for flip in found}:
        for to in (0.0, 0.5, 1.0):
            at = shares @ moved(weights, index, to)
            assert at[best] == pytest.approx(at.max())


def test_a_flip_known_by_hand() -> None:
    # a leads by 0.6·1 - 0.4·1 = 0.2; with equal weights they are even.
    (first, second) = flips(("a", "b"), ("x", "y"), np.array([[1.0, 0], [0, 1]]), np.array([0.6, 0.4]))
    assert (first.criterion, first.after, first.winner) == ("x", pytest.approx(0.5), "b")
    assert (second.criterion, second.change) == ("y", pytest.approx(0.1))


def test_a_criterion_that_holds_all_the_weight_gives_it_to_the_others_alike() -> None:
    shares = np.array([[1.0, 0, 0], [0.5, 1, 1]])
    found = {flip.criterion: flip for flip in flips(("a", "b"), CRITERIA, shares, np.array([1.0, 0, 0]))}
    assert found["x"].after == pytest.approx(2 / 3)  # w·1 = w·0.5 + (1 - w)
    assert found["y"].after == pytest.approx(1 / 3)


def test_one_criterion_cannot_flip() -> None:
    assert flips(("a", "b"), ("x",), np.array([[1.0], [0.0]]), np.ones(1)) == ()


def test_the_share_of_draws_is_known_where_two_options_are_alike() -> None:
    drawn = np.random.default_rng(7).normal(size=(20_000, 2, 3))
    gates = Frame(np.ones(3), np.array([0.0, np.nan, np.nan]), np.full(3, np.nan), np.full(3, np.nan))
    won, kept = p_best(drawn, OPEN, np.full(3, 1 / 3))
    assert won.sum() == pytest.approx(1)
    assert won == pytest.approx([0.5, 0.5], abs=0.02)
    assert kept.tolist() == [1, 1]
    won, kept = p_best(drawn, gates, np.full(3, 1 / 3))
    assert kept == pytest.approx([0.5, 0.5], abs=0.02)
    assert won.sum() == pytest.approx(0.75, abs=0.02)  # in a quarter of the draws nobody passes


def test_any_weights_split_two_opposites_evenly_and_weights_of_zero_stay_so() -> None:
    shares, everybody = np.array([[1.0, 0], [0, 1]]), np.ones(2, dtype=bool)
    assert smaa(shares, everybody, np.ones(2), draws=20_000, seed=1) == pytest.approx([0.5, 0.5], abs=0.02)
    assert smaa(shares, everybody, np.array([5.0, 0]), draws=100, seed=1).tolist() == [1, 0]
    one = np.array([False, True])
    assert smaa(shares, one, np.ones(2), draws=100, seed=1).tolist() == [0, 1]


def test_near_weights_follow_the_dirichlet() -> None:
    # With parameters 12 and 8, P(first weight > 1/2) is that of a beta: 0.8204.
    from scipy.stats import beta

    found = smaa(np.array([[1.0, 0], [0, 1]]), np.ones(2, dtype=bool), np.array([12.0, 8.0]), draws=40_000, seed=2)
    assert found[0] == pytest.approx(beta.sf(0.5, 12, 8), abs=0.01)


def test_a_loser_that_set_the_scale_is_named() -> None:
    # Without c, the gap between a and b in x is the whole scale.
    values = np.array([[9.0, 10, 0], [10, 9, 0], [0, 9.5, 0]])
    found = reversals(("a", "b", "c"), values, OPEN, np.array([0.6, 0.4, 0]))
    by_sum = [each for each in found if each.method == "weighted sum"]
    assert [(each.without, each.before, each.after, each.is_of_winner) for each in by_sum] == [
        ("c", ("a", "b"), ("b", "a"), True)
    ]


@given(shares_of, weightings)
def test_a_stated_scale_knows_no_reversal_of_the_weighted_sum(shares, weights) -> None:
    fixed = Frame(np.ones(3), np.full(3, np.nan), np.zeros(3), np.ones(3))
    assert [each for each in reversals(NAMES, shares, fixed, weights) if each.method == "weighted sum"] == []
