"""Metric values on common scales: standings, shared scales, places, and what the page says."""

from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain.charts.metric_scales import MetricScale, ScaleLimit, metric_rows, metric_scale
from tests.unit.governance.site.test_components import P95
from weighbridge.core.metrics.catalog import Direction

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def ms(title: str = "Latency", **numbers: object) -> MetricScale:
    shown: dict[str, Any] = {name: Decimal(str(number)) for name, number in numbers.items() if number is not None}
    if "limit" in shown:
        shown["limit"] = at_most(shown["limit"])
    return MetricScale(title, "ms", LOWER, **shown)


def at_most(limit: object, status: str = "passed") -> ScaleLimit:
    return ScaleLimit(Decimal(str(limit)), "at most", is_upper=True, status=status)


def test_rows_with_one_unit_share_one_scale_from_zero():
    at_least = ScaleLimit(Decimal("0.95"), "at least", is_upper=False, status="fired")
    small, large, share = metric_rows(
        [
            ms(measured=10),
            ms(measured=98, low=94, high=100, limit=100),
            MetricScale(
                "Accuracy",
                "ratio",
                HIGHER,
                measured=Decimal("0.91"),
                limit=at_least,
            ),
        ]
    )
    assert (small.first, small.last) == (large.first, large.last) == (Decimal("0.0"), Decimal("100.0"))
    assert (small.measured, large.measured, large.limit) == (11.6, 96.08, 98.0)
    assert (large.start, large.length) == (92.24, 5.76)
    assert (small.start, small.length, small.limit, small.claimed, small.production) == (11.6, 0.6, None, None, None)
    assert (share.first, share.last) == (Decimal("0.9"), Decimal("0.96"))


def test_a_row_without_any_number_is_drawn_as_an_axis_alone():
    (row,) = metric_rows([ms()])
    assert (row.measured, row.start, row.length, row.claimed, row.limit) == (None, None, None, None, None)


amounts = st.decimals(min_value=0, max_value=10**9, places=4) | st.none()


@given(st.lists(st.builds(ms, claimed=amounts, measured=amounts, limit=amounts, production=amounts), max_size=6))
def test_equal_distances_mean_equal_amounts_and_nothing_lies_outside(metrics):
    rows = metric_rows(metrics)
    assert len({(row.first, row.last) for row in rows}) <= 1
    places = [getattr(row, name) for row in rows for name in ("claimed", "measured", "limit", "production")]
    assert all(2 <= place <= 98 for place in places if place is not None)


def test_a_metric_value_keeps_its_interval_sample_and_source():
    shown = metric_scale("Latency p95", unit="ms", direction=LOWER, measured=P95, limit=at_most(100), href="#runs")
    assert (shown.measured, shown.low, shown.high, shown.n, shown.basis, shown.href) == (
        P95.value,
        P95.lower,
        P95.upper,
        4096,
        "measured",
        "#runs",
    )
    claim = metric_scale("Latency p95", unit="ms", direction=LOWER, claimed=Decimal(9))
    assert (claim.measured, claim.interval, claim.claimed) == (None, None, Decimal(9))


def shown(*metrics: MetricScale) -> str:
    text = Template("{% load weighbridge %}{% metric_rows metrics %}").render(Context({"metrics": metrics}))
    return " ".join(text.split())


def test_the_page_says_all_numbers_in_words():
    above = ScaleLimit(Decimal("0.9"), "above", is_upper=False, status="fired")
    text = shown(
        metric_scale("Latency <p95>", unit="ms", direction=LOWER, measured=P95, limit=at_most(100), href="/runs/1/"),
        ms("Claimed only", claimed=9, production=7),
        MetricScale("Accuracy", "ratio", HIGHER, measured=Decimal("0.5"), limit=above),
    )
    for part in (
        '<a href="/runs/1/">Latency &lt;p95&gt;</a>',
        "Holds",
        "<strong>12.41\xa0ms</strong>",
        "at 99\xa0%",
        "(n 4,096)",
        "at most 100\xa0ms",
        "No value",
        "<dd>7\xa0ms</dd>",
        "Fires",
        "above 90\xa0%",
    ):
        assert part.replace("\xa0", " ") in text.replace("\xa0", " "), part
    assert shown() == '<p class="faint">No metric values.</p>'


@pytest.mark.parametrize("status", ["passed", "fired", "indeterminate", "waived"])
def test_the_badge_is_the_status_of_the_rule_whatever_the_numbers(status):
    """A value far within the limit may still be of a basis that the rule does not accept."""
    text = shown(ms(measured=1), MetricScale("Gain", "ms", LOWER, measured=Decimal(1), limit=at_most(100, status)))
    words = {"passed": "Holds", "fired": "Fires", "indeterminate": "Indeterminate", "waived": "Waived"}
    assert [word for word in (*words.values(), "No limit") if f"{word}</span>" in text] == [words[status], "No limit"]
    assert ("interval-breach" in text) is (status == "fired")
