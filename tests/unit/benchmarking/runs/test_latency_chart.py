"""The histogram of a run: every sample is counted or said to lie beyond, and percentiles stand where they belong."""

import pytest

from benchmarking.runs.domain.latency_chart import BINS, latency_chart


@pytest.mark.parametrize("samples", [[], [5.0], [5.0, 5.0]])
def test_a_histogram_of_nothing_is_none(samples):
    assert latency_chart(samples, {}) is None


def test_every_sample_is_counted_or_lies_beyond():
    chart = latency_chart([*map(float, range(1, 1001)), 10.0**6, 2.0 * 10**6], {"p99": 990.0, "p50": 500.0})
    assert chart is not None
    assert chart.finding == "1,002 samples; half took at most 501.5 ms; 2 slower samples are beyond the scale."
    assert sum(point.y for point in chart.points) == 1000
    assert len(chart.points) == len(chart.x.labels) == BINS
    assert [reference.name for reference in chart.across] == ["p50 500", "p99 990"]
    first, last = 1.0, 997.0 * 1.06
    assert chart.across[0].value == pytest.approx((500 - first) / (last - first) * BINS - 0.5)
    assert chart.value_scale.first == 0


def test_one_slower_sample_and_none():
    one = latency_chart([*map(float, range(1, 1000)), 10.0**6], {})
    assert one is not None
    assert one.finding.endswith("; 1 slower sample is beyond the scale.")
    none = latency_chart([1.0, 2.0, 3.0], {"p95": 9.0})
    assert none is not None
    assert none.finding == "3 samples; half took at most 2 ms."
    assert none.across == ()


@pytest.mark.parametrize(("low", "high"), [(2_000.0, 2_010.0), (0.001, 0.002), (1.0, 90_000.0), (1e6, 1e6 + 0.5)])
def test_each_bin_has_a_name_of_its_own(low: float, high: float) -> None:
    samples = [low + (high - low) * place / 999 for place in range(1000)]
    chart = latency_chart(samples, {"p50": samples[500]})
    assert chart is not None
    names = [point.name for point in chart.series[0].points]
    assert len(set(names)) == len(names) == BINS
    assert sum(point.y for point in chart.series[0].points) == 1000


def test_a_scale_is_drawn_where_nearly_all_samples_are_equal() -> None:
    chart = latency_chart([0.0] * 999 + [5.0], {"p50": 0.0})
    assert chart is not None
    assert [point.y for point in chart.series[0].points if point.y] == [999, 1]
