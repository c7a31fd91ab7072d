"""A packet's charts: which there are, and what of the packet each one shows."""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reviews.packets.charts.charts import charts_of, cost_chart, draw_charts, latency_chart
from reviews.packets.domain.packet_evidence import Claim, ClaimComparison, CostRow, MeasurementPart
from tests.factories.packets import sample_costs, sample_packet
from weighbridge.charts.drawing import Chart


def _row(**changes: object) -> ClaimComparison:
    metric_values: dict[str, object] = {"name": "latency_p95_ms", "unit": "ms", "direction": "lower is better"}
    return ClaimComparison(**(metric_values | changes))  # type: ignore[arg-type]


def _shown(chart: Chart) -> list[dict[str, Any]]:
    """Everything the chart draws of its rows, by row."""
    found: dict[int, dict[str, Any]] = {}
    for layer in chart.spec["layer"]:
        for row in layer["data"]["values"]:
            found.setdefault(row["row"], row)
    return [found[place] for place in sorted(found)]


def test_a_packet_draws_one_bar_per_fact_with_a_metric_value_and_the_two_charts() -> None:
    packet = sample_packet()
    drawn = draw_charts(packet)
    with_metric_value = {row.chart for row in packet.comparisons if row.claimed or row.measured}
    assert set(drawn) == with_metric_value | {"latency.svg", "costs.svg"}
    assert drawn == draw_charts(sample_packet())
    for picture in drawn.values():
        ET.fromstring(picture)
    assert draw_charts(sample_packet(comparisons=(), costs=())) == {}


def test_a_fact_is_drawn_as_it_was_claimed_and_measured_and_said_in_words() -> None:
    row = _row(
        claimed=Claim(value=Decimal(35), basis="declared"),
        measured=MeasurementPart(value=Decimal(42), lower=Decimal(40), upper=Decimal(44)),
        limit=Decimal(100),
    )
    chart = charts_of(sample_packet(comparisons=(row,)))[row.chart]
    (shown,) = chart.spec["layer"][0]["data"]["values"]
    assert [shown[name] for name in ("value", "lower", "upper", "claim", "limit")] == [42.0, 40.0, 44.0, 35.0, 100.0]
    assert chart.alt == "Latency p95: claimed 35, measured 42 (40 to 44), limit 100"


def test_latency_stands_in_milliseconds_with_its_interval_and_its_limit_in_words() -> None:
    measured = MeasurementPart(value=Decimal(42), lower=Decimal(40), upper=Decimal(44))
    chart = latency_chart([_row(measured=measured, limit=Decimal(100)), _row(measured=measured)])
    assert [(row["label"], row["words"], row["note"]) for row in _shown(chart)] == [
        ("p95", "42 ms", "40 to 44; limit 100"),
        ("p95", "42 ms", "40 to 44"),
    ]
    assert chart.alt.startswith("Latency in milliseconds. Latency p95: measured 42 (40 to 44), limit 100; ")


@pytest.mark.parametrize("claimed", [None, Claim(value=Decimal(35), basis="declared")])
def test_a_value_on_record_is_drawn_instead_of_the_claim(claimed: Claim | None) -> None:
    row = _row(claimed=claimed, on_record=Claim(value=Decimal(90), basis="declared"), limit=Decimal(100))
    chart = charts_of(sample_packet(comparisons=(row,)))[row.chart]
    (shown,) = chart.spec["layer"][0]["data"]["values"]
    assert [shown[name] for name in ("value", "claim", "limit")] == [None, 90.0, 100.0]
    assert chart.alt == f"Latency p95: {'claimed 35, ' if claimed else ''}on record 90, limit 100"


def test_latency_without_a_measurement_shows_the_claim_alone() -> None:
    chart = latency_chart([_row(claimed=Claim(value=Decimal(35), basis="declared"))])
    (shown,) = _shown(chart)
    assert (shown["label"], shown["value"], shown["claim"], shown["words"]) == ("p95", None, 35.0, "")


def test_costs_fill_the_total_and_a_saving_is_negative() -> None:
    rows = [
        CostRow(label="bought", value_usd=Decimal(100), basis="estimated"),
        CostRow(label="saved", value_usd=Decimal(-40), basis="estimated", is_total=True),
    ]
    shown = _shown(cost_chart(rows))
    assert [(row["value"], row["filled"], row["is_strong"]) for row in shown] == [
        (100.0, None, False),
        (-40.0, -40.0, True),
    ]
    assert cost_chart(sample_costs()).alt == (
        "Costs in USD. Training, once 1,840.00; Serving, one year 19,500.00; Total, one year 21,340.00"
    )


@pytest.mark.parametrize(
    ("limit", "note"), [(150, "limit 150.00"), (100, "limit 100.00"), (99, "over the limit 99.00")]
)
def test_the_limit_of_the_total_is_a_stroke_and_is_said(limit: int, note: str) -> None:
    rows = [
        CostRow(label="bought", value_usd=Decimal(100), basis="estimated"),
        CostRow(label="Total", value_usd=Decimal(100), basis="estimated", is_total=True),
    ]
    chart = cost_chart(rows, limit=Decimal(limit))
    assert [(row["limit"], row["note"]) for row in _shown(chart)] == [(None, ""), (float(limit), note)]
    assert chart.alt == f"Costs in USD. bought 100.00; Total 100.00; Total: {note}"
    assert chart.table.headings[-1] == "limit"
