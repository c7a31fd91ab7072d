"""The frontier: against another library, against the definition, against known probabilities."""

from unittest import mock

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm  # noqa: TID253 -- the oracle

from tests.unit.toolkit.tradeoff.builders import candidate
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff import pareto
from weighbridge.tradeoff.axes import axes_of
from weighbridge.tradeoff.candidates import Estimate
from weighbridge.tradeoff.pareto import FrontierState, draw, frontier_shares, non_dominated, weigh, weigh_draws

AXES = axes_of(["accuracy", "latency_p95_ms"])


def tables(largest: int):
    """Few distinct values, so that ties are many."""
    return st.tuples(st.integers(1, 40), st.integers(1, 4)).flatmap(
        lambda size: st.lists(
            st.lists(st.integers(0, largest), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]
        )
    )


def by_definition(values) -> list[bool]:
    """On the frontier is whom nobody beats: at least as good on all axes, better on one."""
    beats = (values[:, np.newaxis] <= values).all(axis=2) & (values[:, np.newaxis] < values).any(axis=2)
    return (~beats.any(axis=0)).tolist()


@given(tables(3) | tables(1_000))
@settings(max_examples=200, deadline=None)
def test_the_frontier_is_moocores_with_ties_kept(rows) -> None:
    values = np.array(rows, dtype=np.float64)
    assert non_dominated(values).tolist() == moocore.is_nondominated(values, keep_weakly=True).tolist()


@pytest.mark.parametrize("n", [63, 64, 65, 200])
def test_the_frontier_holds_across_the_words_of_a_set(n) -> None:
    values = np.random.default_rng(n).random((n, 3))
    assert non_dominated(values).tolist() == moocore.is_nondominated(values, keep_weakly=True).tolist()


@given(tables(1) | tables(4) | tables(1_000))
@settings(max_examples=200, deadline=None)
def test_the_frontier_is_that_of_the_definition_in_blocks_of_any_size(rows) -> None:
    values = np.array(rows, dtype=np.float64)
    for block, few in ((3, 1), (64, 5), (2_048, 256)):
        with mock.patch.multiple(pareto, BLOCK=block, FEW=few):
            assert non_dominated(values).tolist() == by_definition(values)


@pytest.mark.parametrize("last", [np.inf, -np.inf])
def test_infinite_values_are_compared(last) -> None:
    values = np.random.default_rng(1).random((1_000, 3))
    values[:300, 0], values[100:400, 1] = last, -last
    assert non_dominated(values).tolist() == by_definition(values)


@pytest.mark.parametrize("spread", [0.0, 0.1, 10.0])
def test_the_frontier_of_thousands_is_moocores(spread) -> None:
    """From all equal to axes that go against each other."""
    rng = np.random.default_rng(2)
    parts = rng.exponential(size=(6_000, 4))
    values = (0.01 * rng.random((6_000, 1)) + parts / parts.sum(axis=1, keepdims=True)) * spread
    found = non_dominated(np.concatenate([values, values[:50]]))
    assert found.tolist() == moocore.is_nondominated(np.concatenate([values, values[:50]]), keep_weakly=True).tolist()


@given(tables(2), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_shares_are_means_over_draws_however_they_are_cut(rows, seed) -> None:
    values = np.array(rows, dtype=np.float64)
    drawn = values + np.random.default_rng(seed).integers(0, 2, (7, *values.shape))
    expected = np.mean([moocore.is_nondominated(each, keep_weakly=True) for each in drawn], axis=0)
    assert frontier_shares(drawn).tolist() == pytest.approx(expected.tolist())


def test_draws_are_cut_into_pieces_without_a_difference(monkeypatch) -> None:
    drawn = np.random.default_rng(3).random((20, 30, 2))
    whole = frontier_shares(drawn).tolist()
    monkeypatch.setattr(pareto, "SET_BYTES", 1)
    assert frontier_shares(drawn).tolist() == whole


@pytest.mark.parametrize("rows", [1, 2, 5_000])
def test_what_is_not_a_number_is_on_no_frontier(rows: int) -> None:
    values = np.random.default_rng(5).random((rows, 3))
    values[rows // 2, 1] = np.nan
    with pytest.raises(Invalid, match=r"not a number\. Leave the candidate out"):
        non_dominated(values)


def test_nobody_has_no_frontier() -> None:
    assert non_dominated(np.empty((0, 2))).tolist() == []
    assert non_dominated(np.empty((2, 0))).tolist() == [True, True]
    assert weigh([], AXES).standings == ()


def test_exact_ties_stay_both_and_the_beaten_one_names_who_beats_it() -> None:
    found = weigh(
        [
            candidate("a", accuracy=0.9, latency_p95_ms=1),
            candidate("twin", accuracy=0.9, latency_p95_ms=1),
            candidate("slower", accuracy=0.9, latency_p95_ms=2),
            candidate("better", accuracy=0.95, latency_p95_ms=3),
        ],
        AXES,
    )
    assert [standing.state for standing in found.standings] == ["frontier", "frontier", "dominated", "frontier"]
    assert [standing.p_frontier for standing in found.standings] == [1, 1, 0, 1]
    assert [(by.name, by.probability) for by in found.standings[2].dominated_by] == [("a", 1), ("twin", 1)]
    assert found.standings[0].dominated_by == ()


def test_who_lacks_a_estimate_is_left_out_by_name() -> None:
    found = weigh([candidate("a", accuracy=0.9, latency_p95_ms=1), candidate("b", accuracy=1.0), candidate("c")], AXES)
    assert [standing.name for standing in found.standings] == ["a"]
    assert found.left_out == (("b", "latency_p95_ms"), ("c", "accuracy"))


def test_the_probability_is_the_normal_laws() -> None:
    """One axis exact and equal: P(b beats a) is P(N(0.90, s) > N(0.89, s)) for the half widths of 95 %."""
    half = 0.01
    found = weigh(
        [
            candidate("a", accuracy=(0.89, half), latency_p95_ms=1),
            candidate("b", accuracy=(0.90, half), latency_p95_ms=1),
        ],
        AXES,
        draws=20_000,
    )
    deviation = half / norm.ppf(0.975) * np.sqrt(2)
    expected = norm.cdf(-0.01 / deviation)
    standing = found.standings[0]
    assert standing.p_frontier == pytest.approx(expected, abs=0.01)
    assert (standing.state, standing.is_frontier_at_values) == (FrontierState.AMBIGUOUS, False)
    assert standing.dominated_by[0].probability == pytest.approx(1 - expected, abs=0.01)


def test_far_apart_is_sure_and_the_same_seed_says_the_same() -> None:
    members = [
        candidate("a", accuracy=(0.80, 0.01), latency_p95_ms=(5, 0.1)),
        candidate("b", accuracy=(0.90, 0.01), latency_p95_ms=(1, 0.1)),
    ]
    found = weigh(members, AXES)
    assert [standing.state for standing in found.standings] == [FrontierState.DOMINATED, FrontierState.FRONTIER]
    assert weigh(members, AXES) == found


def test_bounds_are_the_quantiles_of_the_draws_and_the_exact_stays() -> None:
    lopsided = Estimate(10.0, 9.0, 14.0, 0.9, 500, "ms")
    drawn = draw([[lopsided, Estimate(3.0, None, None, None, 1, "MB")]], draws=200_000, seed=5)
    assert np.quantile(drawn[:, 0, 0], [0.05, 0.5, 0.95]).tolist() == pytest.approx([9, 10, 14], abs=0.05)
    assert set(drawn[:, 0, 1]) == {3.0}


def test_joint_resamples_know_that_estimates_move_together() -> None:
    """Two candidates wander by the same amount: the better one is better in every draw, which no interval shows."""
    wander = np.random.default_rng(1).normal(0, 5, (1_000, 1, 1))
    values = np.array([[1.0], [1.1]])
    first, second = weigh_draws(["a", "b"], values, values + wander)
    assert (first.state, second.state) == (FrontierState.FRONTIER, FrontierState.DOMINATED)
