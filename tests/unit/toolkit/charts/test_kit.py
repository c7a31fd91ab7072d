"""The chart kit: what a chart holds, and that its file is a picture and nothing else."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from weighbridge.charts import scatter, theme
from weighbridge.charts.bars import Bar, bars, strip
from weighbridge.charts.drawing import Chart, _drawn, in_both_themes, png, svg
from weighbridge.charts.steps import steps_chart
from weighbridge.charts.waterfall import waterfall
from weighbridge.core.errors import Invalid

TOKENS = ROOT / "governance/site/static/weighbridge"
FULL = Bar("p95", 42.0, lower=40.0, upper=44.0, claim=35.0, limit=100.0, words="42 ms", note="40 to 44", is_strong=True)
KINDS = {"on": ("diamond", theme.PETROL), "off": ("square", theme.PAPER)}


def rows_of(chart: Chart, layer: int) -> list[dict[str, object]]:
    return chart.spec["layer"][layer]["data"]["values"]


def drawn_fields(chart: Chart) -> dict[str, int]:
    """How many rows the layers of each horizontal field draw."""
    found: dict[str, int] = {}
    for each in chart.spec["layer"]:
        if "field" in each["encoding"].get("x", {}):
            name = each["encoding"]["x"]["field"]
            found[name] = max(found.get(name, 0), len(each["data"]["values"]))
    return found


def texts_of(drawn: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


def test_bars_hold_what_each_row_has() -> None:
    chart = bars([FULL, Bar("p99", 60.0, upper=70.0), Bar("claimed", claim=3.0)], title="Latency", unit="ms", alt="L")
    assert drawn_fields(chart) == {"value": 2, "filled": 0, "lower": 1, "upper": 1, "limit": 1, "claim": 2}
    assert chart.table.caption == "Latency, ms"
    assert chart.table.headings == ("", "value", "lower", "upper", "claim", "limit")
    assert chart.table.rows[1:] == (("p99", "60", "–", "70", "–", "–"), ("claimed", "–", "–", "–", "3", "–"))  # noqa: RUF001 -- a dash
    assert {"p95", "p99", "claimed", "ms", "42 ms", "40 to 44"} <= set(texts_of(svg(chart)))


@pytest.mark.parametrize(
    ("bar", "first", "last", "start", "stop"),
    [
        (Bar("x", 50.0, lower=0.0, upper=100.0), -8.0, 108.0, 0.0, 100.0),
        (Bar("x", 50.0, upper=100.0), 46.0, 104.0, 46.0, 100.0),
        (Bar("x", 0.0), -1e-9, 1e-9, None, None),
        (Bar("x"), -1e-9, 1e-9, None, None),
    ],
)
def test_a_strip_has_a_scale_of_its_own_and_an_open_side_runs_to_its_end(bar, first, last, start, stop) -> None:
    chart = strip(bar, alt="x")
    (row,) = rows_of(chart, 0)
    assert (row["first"], row["last"], row["start"], row["stop"]) == (first, last, start, stop)
    assert svg(chart).startswith("<svg ")


@pytest.mark.parametrize(
    ("start", "steps", "reached", "zero"),
    [
        (100.0, [("a", 10.0), ("b", -30.0)], [110.0, 80.0], 100.0),
        (100.0, [("a", 100.0), ("b", -250.0)], [200.0, -50.0], 0.0),
        (0.0, [("a", 5.0)], [5.0], 0.0),
        (100.0, [], [], 100.0),
        (25_842.0, [("a", 11.0)], [25_853.0], 25_842.0),
    ],
)
def test_a_waterfall_adds_up_and_its_axis_is_never_cut(start, steps, reached, zero) -> None:
    chart = waterfall(start, steps, ends=("from", "to"), title="T", unit="USD")
    assert [row["after"] for row in rows_of(chart, 2)] == [total - zero for total in reached]
    assert [(row["name"], row["step"]) for row in rows_of(chart, 2)] == steps
    assert [row["after"] for row in rows_of(chart, 1)] == [start - zero, (reached or [start])[-1] - zero]
    assert {row["before"] for row in rows_of(chart, 1)} == {0.0}
    x = chart.spec["layer"][1]["encoding"]["x"]
    assert x["scale"] == {"zero": True, "nice": True}
    assert x["title"].startswith("difference from" if zero else "USD;")
    assert [row[0] for row in chart.table.rows] == ["from", *(name for name, _ in steps), "to"]


def test_a_small_step_of_a_waterfall_is_not_written_as_zero() -> None:
    chart = waterfall(1000.0, [("a", 0.25), ("b", -0.004)], ends=("from", "to"), title="T", unit="USD")
    assert [row[1] for row in chart.table.rows] == ["1,000", "+0.25", "−0.004", "1,000"]  # noqa: RUF001 -- a minus sign


def test_a_waterfall_says_more_and_less_with_their_signs() -> None:
    chart = waterfall(1000.0, [("a", 1234.0), ("b", -5.0)], ends=("from", "to"), title="T", unit="USD")
    assert chart.alt == "From 1,000 from to 2,229 to USD. a +1,234; b −5"  # noqa: RUF001 -- a minus sign
    assert chart.table.rows[2] == ("b", "−5")  # noqa: RUF001 -- a minus sign


def test_a_scatter_tells_kinds_by_shape_and_names_what_has_room() -> None:
    points = [scatter.Mark("far", 9.0, 9.0, "on"), *(scatter.Mark("near", 1.0, 1.0, "off") for _ in range(20))]
    chart = scatter.scatter(points, kinds=KINDS, x="USD", y="ms", title="T", alt="T")
    assert [(row["name"], row["kind"]) for row in rows_of(chart, 0)][:2] == [("far", "on"), ("near", "off")]
    named = [row["text"] for row in rows_of(chart, 1)]
    assert (named.count("far"), 1 <= named.count("near") < 20) == (1, True)
    assert chart.table.headings == ("", "USD", "ms", "kind")
    assert len(chart.table.rows) == 21


def test_limits_of_a_scatter_lie_on_its_scales_with_their_numbers() -> None:
    points = [scatter.Mark("a", 10.0, 10.0, "on"), scatter.Mark("b", 20.0, 20.0, "off")]
    chart = scatter.scatter(
        points, kinds=KINDS, x="USD", y="ms", title="T", alt="T", x_limits=[50_000.0], y_limits=[60.0, 100.0]
    )
    assert [rows_of(chart, layer) for layer in range(4)] == [
        [{"x": 50_000.0, "text": "limit 50,000"}],
        [{"x": 50_000.0, "text": "limit 50,000"}],
        [{"y": 60.0, "text": "limit 60"}, {"y": 100.0, "text": "limit 100"}],
        [{"y": 60.0, "text": "limit 60"}, {"y": 100.0, "text": "limit 100"}],
    ]
    for axis, limit in (("x", 50_000), ("y", 100)):
        low, high = chart.spec["layer"][4]["encoding"][axis]["scale"]["domain"]
        assert low < limit < high
    assert {"limit 50,000", "limit 60", "limit 100"} <= set(texts_of(svg(chart)))
    assert chart.table.rows[2:] == (
        ("limit", "50,000", "–", "limit"),  # noqa: RUF001 -- a dash
        ("limit", "–", "60", "limit"),  # noqa: RUF001 -- a dash
        ("limit", "–", "100", "limit"),  # noqa: RUF001 -- a dash
    )


def test_steps_of_one_name_into_one_state_share_a_column_and_ends_are_bold() -> None:
    steps = [("a", "z_z", "expire"), ("b", "z_z", "expire"), ("a", "b", "go"), ("b", "a", "go")]
    chart = steps_chart(["a", "b", "z_z"], steps, title="T")
    assert [(row["column"], row["source"], row["row"]) for row in rows_of(chart, 0)] == [
        (0, 0, 2),
        (0, 1, 2),
        (1, 0, 1),
        (2, 1, 0),
    ]
    assert sorted(texts_of(svg(chart))) == ["a", "b", "expire", "go", "go", "z z"]
    weight = chart.spec["layer"][0]["encoding"]["y"]["axis"]["labelFontWeight"]
    assert weight["condition"]["test"] == "indexof([2], datum.value) >= 0"
    assert chart.table.rows[0] == ("a", "expire", "z z")


def test_whatever_a_name_holds_the_picture_is_well_formed_and_runs_nothing() -> None:
    name = '<b>"&\x00\x1f\\u0000\' + alert(1) + "\ud800."'
    chart = bars([Bar(name, 1.0, words=name)], title=name, unit=name, alt=name)
    root = ET.fromstring(svg(chart))
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {
        *("svg", "title", "desc", "g", "path", "rect", "text", "line"),
    }
    shown = '<b>"&  \\u0000\' + alert(1) + " ."'
    assert root.find("{http://www.w3.org/2000/svg}title").text == shown
    assert texts_of(svg(chart)).count(shown) >= 1
    names = {key.rpartition("}")[2] for each in root.iter() for key in each.attrib}
    assert not {key for key in names if key in {"href", "style"} or key.startswith("on")}


def test_a_specification_is_drawn_once() -> None:
    chart = bars([Bar("once", 1.5)], title="T", unit="USD", alt="T")
    before = _drawn.cache_info()
    assert svg(chart) == svg(bars([Bar("once", 1.5)], title="T", unit="USD", alt="T"))
    after = _drawn.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)


def test_the_digest_covers_what_one_sees_and_what_one_hears() -> None:
    first, second = (bars([Bar("a", value)], title="T", unit="USD", alt="T") for value in (1.0, 2.0))
    heard = bars([Bar("a", 1.0)], title="T", unit="USD", alt="Another")
    assert len({first.digest, second.digest, heard.digest}) == 3
    assert first.digest == bars([Bar("a", 1.0)], title="T", unit="USD", alt="T").digest


def test_the_colors_are_the_tokens_of_the_pages() -> None:
    tokens = dict(re.findall(r"--([\w-]+): (#\w{6});", (TOKENS / "tokens.css").read_text()))
    pairs = dict(
        re.findall(r"light-dark\(var\(--([\w-]+)\), (?:var\(--)?([\w#-]+)\)", (TOKENS / "theme.css").read_text())
    )
    night = {tokens[day]: tokens.get(dark, dark) for day, dark in pairs.items()}
    assert {theme.INK, theme.INK_SOFT, theme.GRID, theme.PETROL, theme.PETROL_DEEP, theme.WASH, theme.RED} <= set(night)
    assert {day: dark for day, dark in theme.NIGHT.items() if day != theme.PAPER} == {
        day: night[day] for day in theme.NIGHT if day != theme.PAPER
    }
    assert theme.NIGHT[theme.PAPER] == night[tokens["enamel-0"]]


def test_a_picture_of_a_page_turns_dark_with_it() -> None:
    drawn = in_both_themes(svg(bars([FULL], title="T", unit="ms", alt="T")))
    used = set(re.findall(r'(?:fill|stroke)="(#\w{6})"', drawn.partition("</style>")[2]))
    assert used == {theme.PAPER, theme.INK, theme.INK_SOFT, theme.GRID, theme.PETROL, theme.WASH, theme.RED}
    for color in used:
        assert f'[fill="{color}"]{{fill:{theme.NIGHT[color]}}}' in drawn
    ET.fromstring(drawn)


@pytest.mark.parametrize("draw", [svg, png])
def test_where_the_libraries_are_missing_one_sentence_says_what_to_install(draw, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(Invalid, match=r'pip install "weighbridge\[charts\]"'):
        draw(bars([Bar("missing", 7.25)], title="T", unit="USD", alt="T"))


def test_the_kit_loads_no_drawing_library_until_something_is_drawn() -> None:
    folder = Path(theme.__file__).parent
    assert [
        path.name
        for path in folder.glob("*.py")
        if re.search(r"^(import|from) (altair|vl_convert)", path.read_text(), re.MULTILINE)
    ] == []


def test_every_color_of_the_theme_follows_the_theme_of_a_page() -> None:
    styles = (TOKENS / "charts.css").read_text()
    for color in theme.NIGHT:
        for part in ("fill", "stroke"):
            assert f'.chart-taken [{part}="{color}"]' in styles
