"""Charts as SVG: well formed, escaped, to scale, and the same every time."""

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.packets.charts.charts import cost_chart, draw_charts, interval_bar, latency_chart
from reviews.packets.charts.drawing import Scale
from reviews.packets.domain.packet_evidence import Claim, Comparison, CostRow, Measurement
from tests.factories.packets import sample_costs, sample_packet

SVG = "{http://www.w3.org/2000/svg}"


def _row(**changes: object) -> Comparison:
    facts: dict[str, object] = {"name": "latency_p95_ms", "unit": "ms", "direction": "lower is better"}
    return Comparison(**(facts | changes))  # type: ignore[arg-type]


def _measured(value: int, lower: int | None = None, upper: int | None = None) -> Measurement:
    low, high = (Decimal(bound) if bound is not None else None for bound in (lower, upper))
    return Measurement(value=Decimal(value), lower=low, upper=high)


def _count(svg: str, tag: str) -> int:
    return len(ET.fromstring(svg).findall(SVG + tag))


def test_a_packet_draws_one_bar_per_fact_with_a_figure_and_the_two_charts() -> None:
    packet = sample_packet()
    charts = draw_charts(packet)
    with_figure = {row.chart for row in packet.comparisons if row.claimed or row.measured}
    assert set(charts) == with_figure | {"latency.svg", "costs.svg"}
    assert charts == draw_charts(sample_packet())
    for svg in charts.values():
        ET.fromstring(svg)
    assert draw_charts(sample_packet(comparisons=(), costs=())) == {}


@pytest.mark.parametrize(
    ("row", "lines", "rects", "polygons"),
    [
        (_row(), 0, 0, 0),
        (_row(claimed=Claim(value=Decimal(35), basis="declared")), 1, 0, 1),
        (_row(measured=_measured(42)), 1, 1, 0),
        (_row(measured=_measured(42, 40, 44)), 1, 2, 0),
        (_row(measured=_measured(42, None, 44)), 1, 2, 0),
        (_row(measured=_measured(42, 40, None), limit=Decimal(100)), 2, 2, 0),
        (_row(measured=_measured(0, 0, 0), claimed=Claim(value=Decimal(0), basis="declared")), 1, 2, 1),
    ],
)
def test_what_a_bar_shows(row: Comparison, lines: int, rects: int, polygons: int) -> None:
    svg = interval_bar(row)
    assert (_count(svg, "line"), _count(svg, "rect"), _count(svg, "polygon")) == (lines, rects, polygons)
    assert ET.fromstring(svg).get("aria-label") == (row.spoken if lines else "Latency p95: no figure")


def test_an_interval_is_drawn_to_scale() -> None:
    svg = interval_bar(_row(measured=_measured(50, 0, 100)))
    band, tick = ET.fromstring(svg).findall(SVG + "rect")
    left, width = float(band.get("x", "")), float(band.get("width", ""))
    middle = float(tick.get("x", "")) + float(tick.get("width", "")) / 2
    assert abs(left + width / 2 - middle) < 0.02
    assert middle == pytest.approx(75, abs=0.02)


def test_latency_chart_starts_at_zero_and_labels_limit_on_the_side_that_has_room() -> None:
    near = latency_chart([_row(measured=_measured(42, 40, 44), limit=Decimal(100))])
    far = latency_chart([_row(measured=_measured(420, 400, 440), limit=Decimal(100))])
    anchors = {
        text.text: text.get("text-anchor") for svg in (near, far) for text in ET.fromstring(svg).findall(SVG + "text")
    }
    assert "0" in anchors
    assert 'text-anchor="end">limit 100<' in near
    assert 'text-anchor="start">limit 100<' in far
    assert ET.fromstring(near).get("aria-label") == (
        "Latency in milliseconds. Latency p95: measured 42 (40 to 44), limit 100"
    )


def test_latency_chart_without_measurement_shows_only_the_label() -> None:
    svg = latency_chart([_row(claimed=Claim(value=Decimal(35), basis="declared"))])
    assert ">p95</text>" in svg
    assert _count(svg, "rect") == 0


def test_latency_chart_whiskers_need_both_bounds() -> None:
    both = latency_chart([_row(measured=_measured(42, 40, 44), claimed=Claim(value=Decimal(35), basis="declared"))])
    one = latency_chart([_row(measured=_measured(42, 40, None))])
    assert both.count('stroke-width="1.3"/>') == 3 + 1  # three strokes of the whiskers, one outline of the claim
    assert one.count('stroke-width="1.3"/>') == 0


def test_cost_chart_escapes_labels_and_draws_savings_to_the_left() -> None:
    rows = [
        CostRow(label='<b>"&\x00', value_usd=Decimal(100), basis="estimated"),
        CostRow(label="saved", value_usd=Decimal(-40), basis="estimated", is_total=True),
    ]
    svg = cost_chart(rows)
    texts = [text.text for text in ET.fromstring(svg).iter(SVG + "text")]
    assert '<b>"& ' in texts
    plus, minus = ET.fromstring(svg).findall(SVG + "rect")
    assert float(minus.get("x", "")) < float(plus.get("x", ""))
    assert float(minus.get("width", "")) > 0
    assert ET.fromstring(cost_chart(sample_costs())).get("aria-label") == (
        "Costs in USD. Training, once 1,840.00; Serving, one year 19,500.00; Total, one year 21,340.00"
    )


@given(st.lists(st.decimals(-(10**6), 10**9, places=4), min_size=1, max_size=6))
def test_a_scale_keeps_every_value_inside_and_in_order(values: list[Decimal]) -> None:
    scale = Scale(values, left=10.0, right=110.0)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10.0 - 1e-6 <= place <= 110.0 + 1e-6 for place in places)


@given(st.decimals("0.0001", 10**9, places=4))
def test_an_axis_has_a_handful_of_round_ticks(value: Decimal) -> None:
    svg = cost_chart([CostRow(label="x", value_usd=value, basis="estimated")])
    ticks = [
        Decimal(text.text.replace(",", ""))
        for text in ET.fromstring(svg).iter(SVG + "text")
        if text.get("text-anchor") == "middle" and text.text
    ]
    assert 3 <= len(ticks) <= 11
    assert ticks == sorted(ticks)
    assert ticks[0] == 0
