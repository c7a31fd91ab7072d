"""The signed-rank interval against scipy's test and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wilcoxon  # noqa: TID253 -- an independent oracle

from weighbridge.statistics.ranks import signed_rank_index, signed_rank_interval


@pytest.mark.parametrize(("n", "place"), [(5, None), (6, 0), (7, 2), (8, 3), (10, 8), (20, 52), (25, 89)])
def test_places_are_those_of_the_printed_table(n, place):
    # Critical values of Wilcoxon's signed-rank test, two-sided 5 %: 0, 2, 3, 8, 52, 89.
    assert signed_rank_index(n, 0.95) == place


def test_the_interval_by_hand():
    # The 21 pairwise means in order: 1, 1.5, 2, 2, 2.5, 2.5, 3, 3, 3, 3.5, then the median 3.5.
    found = signed_rank_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 60.0]), 0.95)
    assert (found.value, found.lower, found.upper, found.n) == (3.5, 1.0, 60.0, 6)
    assert signed_rank_interval(np.arange(5.0), 0.95) is None


@settings(max_examples=30, deadline=None)
@given(n=st.integers(6, 18), seed=st.integers(0, 999))
def test_the_bounds_are_where_the_test_stops_rejecting(n, seed):
    values = np.random.default_rng(seed).normal(size=n)
    found = signed_rank_interval(values, 0.95)
    inside, outside = 1e-6, -1e-6
    for bound, inward in ((found.lower, 1), (found.upper, -1)):
        assert wilcoxon(values - bound - inward * inside, method="exact").pvalue > 0.05
        assert wilcoxon(values - bound - inward * outside, method="exact").pvalue <= 0.05


def test_a_quarter_of_spoiled_values_does_not_move_it_far():
    rng = np.random.default_rng(0)
    values = rng.normal(size=24)
    spoiled = np.where(np.arange(24) < 6, 1e6, values)
    assert signed_rank_interval(spoiled, 0.95).upper < 1e6
