"""Charts: no scale lies, the picture is in proportion to the numbers, and the table says the same."""

import re
from itertools import pairwise
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from governance.site.web.charts import shapes
from governance.site.web.charts.boxes import LABEL_MAX, TOP, WIDTH, Box
from governance.site.web.charts.pictures import DrawnChart, picture_of
from governance.site.web.charts.shapes import SYMBOLS
from governance.site.web.charts.specimens import specimens
from governance.site.web.charts.words import chart_table, point_words

NAMES = ("one", "two", "three")
amounts = st.floats(min_value=0, max_value=1e9, allow_nan=False).map(lambda number: round(number, 3))


def bars(*rows: tuple[float, ...], is_stacked: bool = False, is_rows: bool = False, **more: object) -> PageChart:
    """A series of bars for each row; its values are named one, two, three."""
    series = tuple(
        ChartSeries(
            f"s{index}",
            ChartMark.BAR,
            tuple(
                Point(value, place, NAMES[place]) if is_rows else Point(place, value, NAMES[place])
                for place, value in enumerate(row)
            ),
        )
        for index, row in enumerate(rows)
    )
    names, values = ChartAxis("name", labels=NAMES), ChartAxis("cost", "USD")
    x, y = (values, names) if is_rows else (names, values)
    return PageChart("c", "Costs", "They differ.", x, y, series, is_stacked=is_stacked, **more)


def lengths(picture: DrawnChart, *, is_rows: bool = False) -> dict[str, float]:
    """The lengths of the bars in pixels, by their names."""
    found = {}
    for layer in picture.layers:
        for shape in layer.shapes:
            numbers = [float(number) for number in re.findall(r"-?[0-9.]+", shape.path)]
            found[shape.words.partition(",")[0]] = abs(numbers[2] - (numbers[0] if is_rows else numbers[1]))
    return found


@given(st.lists(amounts.filter(lambda value: value > 1), min_size=3, max_size=3), st.booleans())
def test_the_length_of_a_bar_is_in_proportion_to_its_number(values, is_rows):
    picture = picture_of(bars(tuple(values), is_rows=is_rows))
    scale = picture.chart.value_scale
    room = Box(picture.chart)
    whole = room.right - room.left if is_rows else room.base - TOP
    drawn = lengths(picture, is_rows=is_rows)
    for name, value in zip(NAMES, values, strict=True):
        assert scale.has_zero
        # A bar below the tenth of a pixel is not drawn; all others have their length, rounded at both ends.
        assert drawn.get(name, 0) == pytest.approx(value / (scale.last - scale.first) * whole, abs=0.25)


@given(st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=4), st.booleans())
def test_stacked_or_not_nothing_lies_outside(rows, is_stacked):
    chart = bars(*rows, is_stacked=is_stacked)
    scale = chart.value_scale
    tops = [chart.stacked(series, point) + point.y for series in chart.series for point in series.points]
    assert all(scale.first <= top <= scale.last * (1 + 1e-9) for top in tops)


def test_bars_stack_on_earlier_series_only():
    chart = bars((1, 2, 3), (10, 20, 30), is_stacked=True)
    second = chart.series[1]
    assert [chart.stacked(second, point) for point in second.points] == [1, 2, 3]
    assert [bars((1, 2, 3), (4, 5, 6)).stacked(second, point) for point in second.points] == [0, 0, 0]


def dots(*points: Point, unit: str = "ms", **more: object) -> PageChart:
    labels = tuple(point.name for point in points)
    axes = (ChartAxis("latency", unit), ChartAxis("run", labels=labels))
    return PageChart("d", "Latency", "All are fast.", *axes, (ChartSeries("measured", ChartMark.DOT, points),), **more)


def test_amounts_start_at_zero_and_shares_need_not():
    assert dots(Point(90, 0, "a"), Point(100, 1, "b")).value_scale.first == 0
    assert dots(Point(0.90, 0, "a"), Point(0.95, 1, "b"), unit="ratio").value_scale.first == 0.88
    band = ChartSeries("band", ChartMark.BAND, (Point(0, 0.9, "a", 0.88, 0.92),))
    chart = PageChart("b", "B", "b", ChartAxis("m", labels=("a",)), ChartAxis("share", "ratio"), (band,))
    assert chart.value_scale.first == 0


def test_a_limit_and_an_interval_widen_the_scale():
    chart = dots(Point(12, 0, "a", 10, 14), references=(ReferenceLine("limit", 100),))
    assert chart.value_scale.last == 100
    assert dots(Point(12, 0, "a", 10, 140)).value_scale.last == 150


def test_a_plane_has_scales_where_its_dots_lie():
    series = (ChartSeries("s", ChartMark.DOT, (Point(100, 0.9, "a"), Point(110, 0.91, "b"))),)
    chart = PageChart("p", "P", "p", ChartAxis("cost", "USD"), ChartAxis("accuracy", "ratio"), series)
    assert (chart.is_plane, chart.is_rows) == (True, False)
    assert (chart.other_scale.first, chart.other_scale.last) == (97.5, 112.5)
    assert (chart.value_scale.first, chart.value_scale.last) == (0.8975, 0.9125)


def test_own_ticks_are_the_scale_of_days():
    series = (ChartSeries("s", ChartMark.STEP, (Point(3, 5, "a"), Point(95, 1, "b"))),)
    axis = ChartAxis("", ticks=((0, "1 Oct"), (91, "31 Dec")))
    chart = PageChart("t", "T", "t", axis, ChartAxis("left", "USD"), series)
    assert (chart.other_scale.first, chart.other_scale.last, chart.other_scale.ticks) == (0, 95, (0, 91))
    picture = picture_of(chart)
    assert [shape.part for shape in picture.layers[0].shapes] == ["line", "stop", "stop"]
    assert re.fullmatch(r"M\S+ \S+H\S+V\S+", picture.layers[0].shapes[0].path)
    assert {"1 Oct", "31 Dec"} <= {text.text for text in picture.texts}
    single = PageChart(
        "t", "T", "t", ChartAxis("", ticks=((0, "now"),)), ChartAxis("left"), (ChartSeries("s", ChartMark.LINE, ()),)
    )
    assert picture_of(single).layers[0].shapes == ()


def test_a_point_says_its_name_value_interval_and_note():
    chart = dots(Point(12.41, 0, "run 1", 12.05, 12.97, note="n 4,096"))
    point = chart.points[0]
    assert point_words(chart, chart.series[0], point).replace("\xa0", " ") == (
        "run 1, measured: 12.4 ms (12.0 ms to 13.0 ms). n 4,096"
    )


@pytest.mark.parametrize("chart", specimens(), ids=lambda chart: chart.slug)
def test_every_specimen_is_drawn_inside_its_box_and_said_in_its_table(chart):
    picture = picture_of(chart)
    for text in picture.texts:
        assert 0 <= text.x <= WIDTH
        assert 0 <= text.y <= picture.height
    for layer in picture.layers:
        for shape in layer.shapes:
            assert shape.at is None or (0 <= shape.at[0] <= WIDTH and TOP - 1 <= shape.at[1] <= picture.height)
    names = {row[0].text for row in picture.table.rows}
    assert {point.name for point in chart.points} <= names
    assert len({len(row) for row in picture.table.rows}) == 1
    assert chart.finding.endswith(".")


def test_series_differ_without_color():
    layers = picture_of(bars((1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 3))).layers
    assert len({layer.hatch for layer in layers}) == len(layers) == len(SYMBOLS)
    points = tuple(Point(index, index, f"p{index}") for index in range(4))
    chart = PageChart(
        "p",
        "P",
        "p",
        ChartAxis("x"),
        ChartAxis("y"),
        tuple(ChartSeries(f"s{i}", ChartMark.DOT, points) for i in range(6)),
    )
    assert len({layer.key for layer in picture_of(chart).layers}) == 6


def test_labels_of_a_plane_never_collide():
    names = [f"variant {index}" for index in range(12)]
    points = tuple(Point(1 + index % 3 * 0.01, 1 + index * 0.01, name) for index, name in enumerate(names))
    chart = PageChart(
        "p", "P", "p", ChartAxis("x"), ChartAxis("y"), (ChartSeries("s", ChartMark.DOT, points, has_labels=True),)
    )
    texts = [text for text in picture_of(chart).layers[0].texts if not text.is_hidden]
    assert 0 < len(texts) <= 12
    boxes = [(text.y + text.dy - 10, text.y + text.dy + 2) for text in texts if text.align == "start"]
    boxes.sort()
    assert all(below[0] >= above[1] - 1 for above, below in pairwise(boxes))


def test_labels_are_placed_once_for_all_series(monkeypatch: pytest.MonkeyPatch):
    """Each series has its own labels, also where two of them have equal points."""
    placed = Mock(wraps=shapes.place_labels)
    monkeypatch.setattr(shapes, "place_labels", placed)
    points = tuple(Point(1 + index, 1 + index, f"v{index}") for index in range(3))
    others = tuple(Point(1 + index, 4 - index, f"w{index}") for index in range(3))
    series = (
        ChartSeries("a", ChartMark.DOT, points, has_labels=True),
        ChartSeries("b", ChartMark.DOT, others, has_labels=True),
        ChartSeries("c", ChartMark.DOT, points),
    )
    layers = picture_of(PageChart("p", "P", "p", ChartAxis("x"), ChartAxis("y"), series)).layers
    assert placed.call_count == 1
    assert [[text.text for text in layer.texts] for layer in layers] == [["v0", "v1", "v2"], ["w0", "w1", "w2"], []]


def test_a_table_has_a_row_for_each_name_and_a_column_for_each_series():
    table = chart_table(bars((1, 2, 0), (3,), is_stacked=True, references=(ReferenceLine("limit", 9),)))
    assert table.headings == ("", "s0", "s1")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["one", "$1.00", "$3.00"],
        ["two", "$2.00", "\N{EN DASH}"],
        ["three", "$0", "\N{EN DASH}"],
        ["limit", "$9.00", ""],
    ]


def test_a_long_name_is_cut_in_the_picture_and_whole_in_the_table():
    name = "a model with a very long name that never ends"
    picture = picture_of(dots(Point(1, 0, name, href="/runs/1/")))
    assert max(len(text.text) for text in picture.texts) <= LABEL_MAX
    assert (picture.table.rows[0][0].text, picture.table.rows[0][0].href) == (name, "/runs/1/")


def test_ticks_are_left_out_before_they_touch():
    labels = tuple(f"{index} to {index + 1} ms" for index in range(40))
    points = tuple(Point(index, index, label) for index, label in enumerate(labels))
    chart = PageChart(
        "h",
        "H",
        "h",
        ChartAxis("latency", labels=labels),
        ChartAxis("answers"),
        (ChartSeries("n", ChartMark.BAR, points),),
    )
    ticks = [text for text in picture_of(chart).texts if text.text in labels]
    assert len(ticks) == 7


@pytest.mark.parametrize(("value", "align"), [(10, "start"), (95, "end")])
def test_the_name_of_a_limit_stays_in_the_picture(value, align):
    picture = picture_of(dots(Point(100, 0, "a"), references=(ReferenceLine("limit", value),)))
    assert [text.align for text in picture.texts if text.text == f"limit: {value}\xa0ms"] == [align]
    high = picture_of(bars((1, 2, 3), references=(ReferenceLine("budget", 3),)))
    assert [text.y + text.dy > TOP for text in high.texts if text.text == "budget: $3.00"] == [True]


def test_lines_across_the_names_stand_where_they_belong_one_name_below_the_other():
    across = (ReferenceLine("p50", 0.5, is_limit=False), ReferenceLine("limit", 2.4))
    picture = picture_of(bars((1, 2, 3), across=across))
    box = Box(picture.chart)
    lines = [shape for shape in picture.frame if shape.words in {"p50", "limit"}]
    assert [(shape.part, shape.path) for shape in lines] == [
        ("reference", f"M{box.x(0.5)} {TOP}V{box.base}"),
        ("limit", f"M{box.x(2.4)} {TOP}V{box.base}"),
    ]
    texts = {text.text: text for text in picture.texts if text.text in {"p50", "limit"}}
    assert (texts["p50"].align, texts["limit"].align) == ("start", "end")
    assert texts["limit"].y - texts["p50"].y == 14
    assert [row[0].text for row in picture.table.rows][-2:] == ["p50", "limit"]


def limited() -> PageChart:
    """A plane with a limit on each axis, and another line."""
    series = (ChartSeries("s", ChartMark.DOT, (Point(100, 20, "a"), Point(300, 40, "b")), has_labels=True),)
    return PageChart(
        "p",
        "P",
        "p",
        ChartAxis("cost", "USD"),
        ChartAxis("latency", "ms"),
        series,
        references=(ReferenceLine("limit", 100), ReferenceLine("today", 50, is_limit=False)),
        across=(ReferenceLine("limit", 5000),),
    )


def test_limits_of_a_plane_lie_on_its_scales_in_its_key_and_in_its_table():
    chart = limited()
    assert chart.value_scale.first <= 100 <= chart.value_scale.last
    assert chart.other_scale.first <= 5000 <= chart.other_scale.last
    picture = picture_of(chart)
    assert picture.limits == ("limit: 100\xa0ms", "limit: $5,000")
    box = Box(chart)
    lines = [(shape.path, shape.words, shape.axis) for shape in picture.frame if shape.part == "limit"]
    assert lines == [
        (f"M{box.left} {box.y(100)}H{box.right}", "limit: 100\xa0ms", "y"),
        (f"M{box.x(5000)} {TOP}V{box.base}", "limit: $5,000", "x"),
    ]
    assert [[cell.text for cell in row] for row in picture.table.rows][2:] == [
        ["limit", "$5,000", "\N{EN DASH}", "limit", ""],
        ["limit", "\N{EN DASH}", "100\xa0ms", "limit", ""],
        ["today", "\N{EN DASH}", "50\xa0ms", "", ""],
    ]


def test_a_name_beside_a_dot_keeps_off_the_line_of_a_limit():
    box = Box(limited())
    (near,) = [text for text in picture_of(limited()).layers[0].texts if text.text == "b"]
    line = box.y(50)
    assert not near.y + near.dy - 10 < line < near.y + near.dy + 2
