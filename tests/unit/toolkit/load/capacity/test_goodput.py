"""The goodput curve: fit, draws, the highest rate, against scipy, known distributions and a server without clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.load.capacity.builders import SHARES, runs
from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.goodput import crossings, goodput_curve
from weighbridge.load.capacity.measured_runs import runs_by_rate
from weighbridge.load.capacity.share_draws import (
    Spread,
    draw_shares,
    fitted_shares,
    logit,
    non_increasing,
    rates_at_edge,
    slope_of,
    spread_of,
)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 9)), min_size=1, max_size=12))
def test_the_fit_is_isotonic_regression(points):
    from scipy.optimize import isotonic_regression

    values, weights = map(np.array, zip(*points, strict=True))
    fit = non_increasing(np.stack([values, values[::-1]]), weights)
    for row, given_values in zip(fit, (values, values[::-1]), strict=True):
        assert row == pytest.approx(-isotonic_regression(-given_values, weights=weights).x, abs=1e-9)


def test_shares_that_rise_are_pooled_by_their_requests():
    groups = runs_by_rate(runs({1.0: (0.9,), 2.0: (1.0,)}, n=999))
    assert fitted_shares(groups) == pytest.approx([(0.9 * 999 + 999 + 1) / 2_000] * 2)


@pytest.mark.parametrize(("target", "edge"), [(0.8, (2, 2)), (0.6, (2, 2)), (0.95, (0, 1)), (0.99, (0, 0))])
def test_the_edge_is_where_the_fit_falls_below_the_target(target, edge):
    assert rates_at_edge(np.array([0.97, 0.9, 0.8]), target) == edge


def test_the_slope_is_that_of_the_log_odds():
    rates = np.array([1.0, 2.0, 3.0])
    fit = 1 / (1 + np.exp(-(3 - 7 * np.log(rates))))
    groups = runs_by_rate(runs(dict.fromkeys(rates, (0.5,))))
    assert slope_of(groups, fit) == pytest.approx(7)
    assert slope_of(groups[:1], fit[:1]) == 2
    assert slope_of(groups, np.array([0.5, 0.5, 0.5])) == 2


def test_the_spread_is_found_again():
    """Runs whose log odds vary by a known factor, near the highest rate; with many runs, the expectation is nothing."""
    rng = np.random.default_rng(3)
    n, spread = 10_000, 900.0
    shape = n / spread
    shares = {}
    for rate, share in ((1.0, 0.97), (1.1, 0.95), (1.2, 0.9), (1.3, 0.8)):
        odds = (1 - share) / share * rng.gamma(shape, 1 / shape, 250)
        shares[rate] = tuple(rng.binomial(n, 1 / (1 + odds)) / n)
    groups = runs_by_rate(runs(shares, n=n))
    found = spread_of(groups, fitted_shares(groups), 0.93)
    assert found.requests == pytest.approx(spread, rel=0.25)
    assert 500 < found.runs < 996


def test_without_other_seeds_the_spread_is_that_of_the_slope():
    groups = runs_by_rate(runs({rate: each[:1] for rate, each in SHARES.items()}))
    fit = fitted_shares(groups)
    slope = slope_of(groups[1:5], fit[1:5])
    assert spread_of(groups, fit, 0.95) == Spread(pytest.approx(3 * slope**2), 2)


def test_equal_seeds_do_not_make_the_spread_zero():
    groups = runs_by_rate(runs({rate: (share,) * 5 for rate, (share, *_) in SHARES.items()}))
    assert spread_of(groups, fitted_shares(groups), 0.95).requests > 30


def drawn(groups, *, spread):
    fit = fitted_shares(groups)
    odds = draw_shares(groups, fit, spread, draws=8_000, rng=np.random.default_rng(1))
    return fit, odds


def test_draws_never_increase_and_their_middle_is_the_fit():
    fit, odds = drawn(runs_by_rate(runs()), spread=Spread(500, 12))
    assert (np.diff(odds, axis=1) <= 1e-12).all()
    assert np.median(odds, axis=0) == pytest.approx(logit(fit), abs=0.5)


def test_draws_are_as_wide_as_binomial_ones_and_as_wide_as_the_blocks_say():
    share = 0.9
    narrow = Spread(0.0, 10_000)
    _, binomial = drawn(runs_by_rate(runs({1.0: (share,)}, n=10_000)), spread=narrow)
    assert binomial.std() == pytest.approx(np.sqrt(1.15 / (10_000 * share * (1 - share))), rel=0.05)
    blocks = (1.0, 0.8) * 25
    _, wide = drawn(runs_by_rate(runs({1.0: (share,)}, n=10_000, blocks=blocks)), spread=narrow)
    expected = np.std(blocks, ddof=1) / np.sqrt(50) / (share * (1 - share))
    assert wide.std() == pytest.approx(np.sqrt(1.15) * expected, rel=0.05)


def test_the_highest_rate_lies_where_the_log_odds_meet_the_target():
    rates, target = np.array([1.0, 2.0, 4.0]), 0.0
    odds = np.array([[3.0, 1.0, -1.0], [1.0, -3.0, -4.0], [-1.0, -2.0, -3.0], [5.0, 4.0, 3.0], [2.0, 0.0, 0.0]])
    assert crossings(rates, odds, target).tolist() == pytest.approx([np.sqrt(8), 2**0.25, 0.0, np.inf, np.inf])


def test_a_curve_has_fitted_shares_goodput_and_the_highest_of_it():
    curve = goodput_curve(runs())
    assert [point.seeds for point in curve.points] == [3] * 6
    point = curve.points[3]
    assert (point.rate_per_s, point.measured_share) == (2.6, pytest.approx((0.948 + 0.953 + 0.986) / 3))
    assert point.share.lower < point.share.value < point.share.upper
    assert point.goodput_per_s.lower == pytest.approx(2.6 * point.share.lower)
    assert point.goodput_per_s.value == pytest.approx(2.6 * point.share.value)
    assert (point.share.n, point.share.confidence) == (3_000, 0.9)
    assert curve.highest_goodput.rate_per_s == 2.6
    rate = curve.highest_rate
    assert 2.4 < rate.lower < 2.6 < rate.value < rate.upper < 2.8
    assert (rate.n, curve.beyond, curve.edge) == (18, 0.0, (3, 4))


def test_the_lower_bound_is_the_largest_rate_whose_lower_share_meets_the_target():
    """The definition by shares at rates, and that by draws of the highest rate, are the same."""
    curve = goodput_curve(runs(), target=0.95)
    for point in curve.points:
        assert (point.share.lower >= 0.95) == (curve.highest_rate.lower >= point.rate_per_s)


def test_one_seed_has_a_wider_interval_than_three():
    def width(curve):
        return curve.highest_rate.upper - curve.highest_rate.lower

    one = goodput_curve(runs({rate: shares[:1] for rate, shares in SHARES.items()}))
    assert width(one) > width(goodput_curve(runs()))


def test_nothing_is_drawn_beyond_the_measured_rates():
    high = goodput_curve(runs({1.0: (1.0, 1.0), 2.0: (0.999, 0.999)}))
    assert (high.highest_rate.lower, high.highest_rate.upper) == (2.0, 2.0)
    assert high.beyond > 0.95
    low = goodput_curve(runs({1.0: (0.4, 0.5), 2.0: (0.1, 0.1)}))
    assert (low.highest_rate.lower, low.highest_rate.upper, low.beyond) == (0.0, 0.0, 0.0)
    none = goodput_curve(runs({1.0: (0.0,), 2.0: (0.0,)}))
    assert none.highest_rate.upper == 0.0


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=4), min_size=1, max_size=8), st.floats(0.01, 0.99))
@settings(max_examples=60, deadline=None)
def test_any_runs_have_a_curve(shares, target):
    curve = goodput_curve(runs({1.0 + rate: tuple(each) for rate, each in enumerate(shares)}), target=target, draws=200)
    assert 0 <= curve.highest_rate.lower <= curve.highest_rate.value <= curve.highest_rate.upper <= len(shares)
    values = [point.share.value for point in curve.points]
    assert values == sorted(values, reverse=True)
    assert all(0 <= point.share.lower <= point.share.value <= point.share.upper <= 1 for point in curve.points)


def test_the_same_seed_gives_the_same_curve():
    one, other = (goodput_curve(runs(), seed=7) for _ in range(2))
    assert one.highest_rates_per_s.tolist() == other.highest_rates_per_s.tolist()


@pytest.mark.parametrize("target", [0.0, 1.0, float("nan"), 1.5])
def test_a_target_that_is_no_share_is_refused(target):
    with pytest.raises(Invalid) as refused:
        goodput_curve(runs(), target=target)
    assert refused.value.field == "good"
