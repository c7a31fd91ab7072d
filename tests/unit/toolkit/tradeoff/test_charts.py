"""Charts: what is in the picture is in its words and its table, and the file is a picture and nothing else."""

import functools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.unit.toolkit.tradeoff.builders import candidate
from weighbridge.charts.drawing import png, svg
from weighbridge.charts.scales import scale_over
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.axes import axis_of
from weighbridge.tradeoff.candidates import RawLatencies
from weighbridge.tradeoff.charts.distribution import latency_cdf
from weighbridge.tradeoff.charts.learning import learning_curve
from weighbridge.tradeoff.charts.load import load_curve
from weighbridge.tradeoff.charts.plane import trade_off
from weighbridge.tradeoff.learning.learning_curve import as_document, forecast

LATENCY, QUALITY, SIZE = axis_of("latency_p95_ms"), axis_of("accuracy"), axis_of("model_size_mb")
MEMBERS = [
    candidate("small & <quick>", accuracy=(0.886, 0.006), latency_p95_ms=(0.069, 0.004), model_size_mb=0.43),
    candidate("pricey", accuracy=(0.92, 0.006), latency_p95_ms=(1.39, 0.05), model_size_mb=8.91),
    candidate("trap", accuracy=(0.81, 0.017), latency_p95_ms=(23.3, 3), model_size_mb=2.39),
]


def load_result(rate: float, **percentiles):
    metrics = {"achieved_per_s": {"value": rate, "lower": rate, "upper": rate}, "error_rate": {"value": 0.001}}
    return {
        "metrics": metrics
        | {
            f"response_time_{name}_ms": {"value": value, "lower": value * 0.9, "upper": value * 1.1}
            for name, value in percentiles.items()
        }
    }


def curve_document(metric: str = "accuracy"):
    rows = [1_000, 2_000, 4_000, 8_000, 16_000]
    return as_document(forecast(rows, [0.05 + 2 * n**-0.4 for n in rows]), metric=metric)


def rows_of(chart, layer: int):
    return chart.spec["datasets"][chart.spec["layer"][layer]["data"]["name"]]


@functools.cache
def charts():
    return {
        "plane": trade_off(
            MEMBERS, across=LATENCY, up=QUALITY, limits={"latency_p95_ms": 5, "accuracy": 0.85}, chosen="pricey"
        ),
        "cdf": latency_cdf([candidate("a", samples=RawLatencies(tuple(range(1_000, 900_000, 999))))]),
        "load": load_curve([load_result(100, p50=2, p99=9), load_result(900, p50=22, p99=88)], limit_ms=50),
        "learning": learning_curve(curve_document()),
    }


@pytest.mark.parametrize("name", ["plane", "cdf", "load", "learning"])
def test_an_svg_is_a_picture_with_words_and_nothing_that_runs_or_loads(name) -> None:
    chart = charts()[name]
    root = ET.fromstring(svg(chart))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "g", "path", "rect", "text", "line", "defs", "clipPath", "tspan", "style"}
    names = {key.rpartition("}")[2] for element in root.iter() for key in element.attrib}
    assert not {key for key in names if key == "href" or key.startswith("on")}
    assert root.get("role") == "img"
    assert root.find("{http://www.w3.org/2000/svg}title").text == chart.title
    assert root.find("{http://www.w3.org/2000/svg}desc").text == chart.alt


def test_a_png_is_drawn_without_a_network() -> None:
    assert png(charts()["plane"], scale=1).startswith(b"\x89PNG")


def test_a_specification_holds_its_data_and_no_address() -> None:
    for chart in charts().values():
        assert "'url'" not in str(chart.spec)
        assert all(len(rows) > 0 for rows in chart.spec["datasets"].values())


def test_the_plane_tells_state_by_shape_and_names_every_point() -> None:
    chart = charts()["plane"]
    drawn = svg(chart)
    for words in ("on the frontier", "dominated", "limit 5 ms", "limit 0.85", "pricey (chosen)"):
        assert words in drawn
    assert "on the frontier: small & <quick>, pricey; dominated: trap." in chart.alt
    assert chart.table.headings[:3] == ("candidate", "accuracy", "p95 latency (ms)")
    assert chart.table.rows[2] == (
        "trap",
        "0.81 (0.793 to 0.827)",
        "23.3 (20.3 to 26.3)",
        "0.00",
        "dominated",
        "small & <quick>, pricey",
    )


def test_the_frontier_is_a_stair_and_who_lacks_a_estimate_is_not_drawn() -> None:
    members = [*MEMBERS, candidate("unmeasured", accuracy=0.99)]
    chart = trade_off(members, across=LATENCY, up=QUALITY)
    corners = rows_of(chart, 0)
    assert [(corner["x"], corner["y"]) for corner in corners] == [(0.069, 0.886), (1.39, 0.886), (1.39, 0.92)]
    assert [row[0] for row in chart.table.rows] == ["small & <quick>", "pricey", "trap"]


def test_nobody_gives_an_empty_plane() -> None:
    chart = trade_off([], across=SIZE, up=QUALITY)
    assert chart.alt == "Accuracy against model size: no candidate has both estimates."
    assert chart.table.rows == ()
    ET.fromstring(svg(chart))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], (0.92, 2.08, False)),
        ([5.0], (4.5, 5.5, False)),
        ([0.0], (0.0, 1.0, False)),
        ([-1.0, 1.0], (-1.16, 1.16, False)),
    ],
)
def test_a_scale_leaves_room_and_stays_above_zero_where_the_estimates_do(values, expected) -> None:
    scale = scale_over(values)
    assert (scale.low, scale.high, scale.is_log) == pytest.approx(expected)


def test_a_wide_scale_is_logarithmic() -> None:
    scale = scale_over([0.1, 10.0])
    assert scale.is_log
    assert scale.share(1.0) == pytest.approx(0.5)


def test_the_distribution_says_quantiles_of_the_samples() -> None:
    samples = tuple(np.arange(1, 1_001) * 10_000)
    members = [
        candidate("a", samples=RawLatencies(tuple(int(x) for x in samples))),
        candidate("without"),
        candidate("empty", samples=RawLatencies(())),
    ]
    chart = latency_cdf(members)
    assert chart.table.rows == (("a", "5.005", "9.001", "9.5", "9.9", "1,000"),)
    assert "a: half within 5.005 ms" in chart.alt
    with pytest.raises(Invalid, match="latency samples"):
        latency_cdf([candidate("without")])


def test_the_load_curve_orders_by_rate_and_shows_what_is_missing() -> None:
    chart = load_curve([load_result(900, p50=22, p99=88), load_result(100, p50=2), {"metrics": {}}])
    assert chart.table.headings == ("answered per second", "p50", "p99", "failed")
    assert chart.table.rows == (("100", "2", "–", "0.10%"), ("900", "22", "88", "0.10%"))  # noqa: RUF001 -- a dash
    assert "median 2 ms at 100 per second, 22 ms at 900" in chart.alt


def test_one_load_test_is_no_curve() -> None:
    with pytest.raises(Invalid, match="at least two"):
        load_curve([load_result(100, p50=2)])


@pytest.mark.parametrize(("metric", "first"), [("accuracy", "0.8238"), ("error", "0.1762")])
def test_the_learning_curve_keeps_measured_and_expected_apart(metric, first) -> None:
    chart = learning_curve(curve_document(metric))
    assert chart.table.rows[0] == ("1,000", first, "–", "–", "measured, mean of 1")  # noqa: RUF001 -- a dash
    assert [row[0] for row in chart.table.rows if row[4] == "expected, 95%"] == ["16,000", "32,000", "64,000"]
    parts = {row["part"] for row in rows_of(chart, 0)}
    assert parts == {"fitted", "expected"}
