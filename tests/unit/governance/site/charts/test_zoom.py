"""What can be zoomed: the scales that a picture carries place its marks where the server drew them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point
from governance.site.web.charts.boxes import Box
from governance.site.web.charts.pictures import picture_of
from governance.site.web.charts.specimens import specimens
from governance.site.web.charts.zoom import NAMES_MIN, zoom_of

numbers = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).map(lambda number: round(number, 3))


def axes_of(chart: PageChart) -> dict[str, dict[str, object]]:
    zoom = picture_of(chart).zoom
    return json.loads(zoom.axes) if zoom else {}


def plane(*places: tuple[float, float]) -> PageChart:
    points = tuple(Point(x, y, f"p{index}") for index, (x, y) in enumerate(places))
    axes = ChartAxis("cost", "USD"), ChartAxis("share", "ratio")
    return PageChart("p", "P", "p", *axes, (ChartSeries("s", ChartMark.DOT, points),))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_a_mark_lies_where_the_scale_of_the_zoom_places_its_value(places):
    chart = plane(*places)
    axes, box = axes_of(chart), Box(chart)

    def place(name: str, value: float) -> float:
        axis = axes[name]
        share = (value - axis["first"]) / (axis["last"] - axis["first"])
        return axis["from"] + share * (axis["to"] - axis["from"])

    for x, y in places:
        assert (place("x", x), place("y", y)) == (pytest.approx(box.x(x), abs=0.06), pytest.approx(box.y(y), abs=0.06))
    assert (axes["x"]["unit"], axes["y"]["unit"]) == ("USD", "ratio")


def test_what_is_zoomed_depends_on_what_the_axes_hold():
    found = {chart.slug: sorted(axes_of(chart)) for chart in specimens()}
    assert found == {
        "specimen-dots": ["x"],
        "specimen-plane": ["x", "y"],
        "specimen-stack": ["x"],
        "specimen-band": ["x"],
        "specimen-histogram": ["x"],
    }


@pytest.mark.parametrize("count", [NAMES_MIN - 1, NAMES_MIN])
def test_bars_keep_their_zero_and_few_names_need_no_zoom(count):
    names = tuple(f"n{index}" for index in range(count))
    across = tuple(Point(index, 5, name) for index, name in enumerate(names))
    chart = PageChart(
        "b", "B", "b", ChartAxis("month", labels=names), ChartAxis("cost"), (ChartSeries("s", ChartMark.BAR, across),)
    )
    axes = axes_of(chart)
    assert sorted(axes) == ([] if count < NAMES_MIN else ["x"])
    if axes:
        assert (axes["x"]["ticks"], axes["x"]["isNames"]) == ([[0, "n0"], [1, "n1"], [2, "n2"], [3, "n3"]], True)
    down = tuple(Point(5, index, name) for index, name in enumerate(names))
    rows = PageChart(
        "r", "R", "r", ChartAxis("cost"), ChartAxis("run", labels=names), (ChartSeries("s", ChartMark.BAR, down),)
    )
    assert zoom_of(Box(rows)) is None


def test_an_axis_of_days_has_a_tick_for_each_day_to_zoom_to():
    points = (Point(0, 5, "1 Oct"), Point(2, 3, "3 Oct"))
    axis = ChartAxis("", ticks=((0, "1 Oct"), (2, "3 Oct")), fine=((0, "1 Oct"), (1, "2 Oct"), (2, "3 Oct")))
    chart = PageChart("d", "D", "d", axis, ChartAxis("left", "USD"), (ChartSeries("s", ChartMark.STEP, points),))
    assert axes_of(chart)["x"]["ticks"] == [[0, "1 Oct"], [1, "2 Oct"], [2, "3 Oct"]]
    assert axes_of(chart)["x"]["isNames"] is False


@pytest.mark.parametrize("chart", specimens(), ids=lambda chart: chart.slug)
def test_capital_commands_of_a_path_hold_places_within_the_plot(chart):
    """zoom.js moves what follows M, L, H and V: a length there would become another one."""
    box = Box(chart)
    for layer in picture_of(chart).layers:
        for shape in (each for each in layer.shapes if each.at is None):
            for command, one, two in re.findall(r"([MLHV])\s*(-?[\d.]+)(?:\s+(-?[\d.]+))?", shape.path):
                xs = [float(one)] if command in "MLH" else []
                ys = [float(two)] if command in "ML" else [float(one)] if command == "V" else []
                assert all(box.left - 0.1 <= x <= box.right + 0.1 for x in xs)
                assert all(box.base + 0.1 >= y >= box.height - box.base - 20 for y in ys)


def test_a_name_without_room_is_kept_for_the_zoom():
    points = tuple(Point(1 + index * 1e-4, 1, f"a very long name {index}") for index in range(6))
    axes = ChartAxis("x"), ChartAxis("y")
    chart = PageChart("p", "P", "p", *axes, (ChartSeries("s", ChartMark.DOT, points, has_labels=True),))
    texts = picture_of(chart).layers[0].texts
    assert [text.text for text in texts] == [point.name for point in points]
    assert 0 < sum(text.is_hidden for text in texts) < 6
