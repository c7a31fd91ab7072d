"""Load curves: whatever the shape, the year's requests are the year's requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.load_curve import curve_of_counts, curve_of_year, weekly_shape


@given(st.floats(1, 1e12), st.floats(0, 1), st.floats(0.01, 3), st.integers(0, 23), st.floats(-0.2, 0.5))
def test_the_requests_of_a_year_are_kept(requests, swing, weekend, peak, growth):
    curve = curve_of_year(
        requests, shape=weekly_shape(day_swing=swing, weekend=weekend, peak_hour=peak), monthly_growth=growth
    )
    assert curve.requests_per_year == pytest.approx(requests)
    assert len(curve.rates_per_s) * curve.hours == pytest.approx(8_760)
    assert (curve.rates_per_s >= 0).all()


def test_the_week_peaks_in_the_afternoon_of_a_working_day():
    shape = weekly_shape(day_swing=0.5, weekend=0.5, peak_hour=14)
    assert shape.mean() == pytest.approx(1)
    assert set(np.flatnonzero(np.isclose(shape, shape.max()))) == {day * 24 + 14 for day in range(5)}
    assert shape[5 * 24 + 14] == pytest.approx(shape[14] / 2)
    assert shape[2] == pytest.approx(shape[14] / 3)  # 1 - 0.5 over 1 + 0.5


def test_growth_moves_requests_to_the_end():
    curve = curve_of_year(1e6, monthly_growth=0.1)
    months = curve.rates_per_s.reshape(12, 168).sum(axis=1)
    assert months[11] / months[0] == pytest.approx(1.1**11)


def test_observed_hours_stand_for_the_year():
    curve = curve_of_counts([3600.0] * 12 + [0.0] * 12)
    assert (curve.peak_per_s, curve.hours, curve.requests_per_year) == (1.0, 365.0, 12 * 3600 * 365)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: weekly_shape(day_swing=1.1), "day_swing"),
        (lambda: weekly_shape(weekend=0), "weekend"),
        (lambda: curve_of_year(0), "requests_per_year"),
        (lambda: curve_of_year(1, monthly_growth=-1), "monthly_growth"),
        (lambda: curve_of_counts([1.0] * 23), "counts"),
        (lambda: curve_of_counts([1.0] * 23 + [-1.0]), "counts"),
        (lambda: curve_of_counts([float("nan")] * 24), "counts"),
        (lambda: curve_of_counts([0.0] * 24), "counts"),
    ],
)
def test_what_is_no_load_is_refused_with_its_field(make, field):
    with pytest.raises(Invalid) as refused:
        make()
    assert refused.value.field == field
