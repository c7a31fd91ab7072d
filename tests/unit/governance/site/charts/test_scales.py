"""Scales: lengths start at zero, nothing lies outside, and ticks are round numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain.charts.scales import length_scale, place_scale

numbers = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False, allow_subnormal=True)
# Pairs that differ in late digits alone, which lists of independent numbers hardly ever contain.
neighbors = st.tuples(numbers, st.integers(-17, -6)).map(lambda pair: [pair[0], pair[0] * (1 + 10.0 ** pair[1])])
lists = st.lists(numbers, max_size=8)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([0], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([98.2, 103.5], (0.0, 25.0, 50.0, 75.0, 100.0, 125.0)),
        ([-3], (-3.0, -2.0, -1.0, 0.0)),
        ([-10, 30], (-10.0, 0.0, 10.0, 20.0, 30.0)),
        ([11], (0.0, 2.5, 5.0, 7.5, 10.0, 12.5)),
        ([5e-324], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    ],
)
def test_a_scale_of_lengths(values, ticks):
    assert length_scale(values).ticks == ticks
    assert length_scale(values).has_zero


@pytest.mark.parametrize(
    ("values", "first", "last"),
    [
        ([0.90, 0.95], 0.88, 0.96),
        ([0.2, 1.0], 0.0, 1.0),
        ([25831, 25842], 25830, 25845),
        ([5], 4.6, 5.4),
        ([], 0, 1),
        ([0.9], 0.825, 0.975),
        ([0.9, 0.8999999999999999], 0.825, 0.975),
        ([0.9, 0.8999999992], 0.825, 0.975),
        ([0.9, 0.899999998], 0.8999999975, 0.9000000005),
        ([1.0, 0.9999999999999999], 0.94, 1.0),
        ([0.0, 5e-324], 0.0, 1.0),
        ([-5.0, -5.000000000000001], -5.4, -4.6),
    ],
)
def test_a_scale_of_places(values, first, last):
    scale = place_scale(values)
    assert (scale.first, scale.last) == (first, last)


@given(lists | neighbors)
def test_a_length_is_drawn_from_zero_and_nothing_lies_outside(values):
    scale = length_scale(values)
    assert scale.has_zero
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value in [0, *values])
    assert scale.ticks == tuple(sorted(set(scale.ticks)))
    assert len(scale.ticks) <= 8


@given(lists.filter(bool) | neighbors)
def test_every_place_lies_on_its_scale(values):
    scale = place_scale(values)
    assert scale.last > scale.first
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value in values)
    assert scale.first >= 0 or min(values) < 0
    assert scale.last <= 1 or max(values) > 1 or min(values) < 0


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=2, max_size=2))
def test_lengths_keep_their_proportion(pair):
    scale = length_scale(pair)
    zero = scale.share(0)
    one, other = (scale.share(value) - zero for value in pair)
    assert one / other == pytest.approx(pair[0] / pair[1], rel=1e-6)
