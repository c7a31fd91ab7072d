"""Every kind of chart in both themes: each mark and each text has contrast to its own background, by pixels.

The contrast is one of luminance, so what can be seen here can be seen in gray too.
"""

import inspect
import pkgutil
import re
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module

import numpy as np
import pytest
from django.template import Context, Template
from playwright.sync_api import Page

import weighbridge.charts
from config.env import ROOT
from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from governance.site.web.charts.shapes import TONES
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.pixel_contrast import SCALE, PartContrast, contrasts, seen_ratio
from tests.functional.test_pages import WEAR
from weighbridge.charts import theme as kit_theme
from weighbridge.charts.bars import Bar, bars, strip
from weighbridge.charts.drawing import Chart, chart_of, in_both_themes, svg
from weighbridge.charts.scatter import Mark, scatter
from weighbridge.charts.steps import steps_chart
from weighbridge.charts.waterfall import waterfall

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THEMES = ("light", "dark")
NAMES = ("Jul", "Aug", "Sep")
STYLES = ROOT / "governance/site/static/weighbridge/charts.css"
# Classes that draw nothing a reader needs: the grid, what catches or follows the pointer, and parts of others.
NO_MARK = {"brush", "grid", "stop", "hatch", "hatch-ground", "text", "finding", "toggle", "tip", "taken", "key"}
# A word in the color of the bar on which it lies.
HIDE_A_WORD = """() => {
  const drawing = document.querySelector("#contrast-bar svg");
  const bar = drawing.querySelector(".tone-0 .chart-bar:last-of-type");
  const word = drawing.querySelector(".chart-title"), box = bar.getBBox();
  word.textContent = "IN";
  word.setAttribute("text-anchor", "start");
  word.setAttribute("x", box.x + 4);
  word.setAttribute("y", box.y + box.height - 4);
  word.style.fill = getComputedStyle(bar).fill;
}"""
PUT = """html => { document.querySelector("#charts .section-body").innerHTML = html }"""
ROW = Bar(
    "p95", 42.0, filled=20.0, lower=40.0, upper=44.0, claim=35.0, limit=100.0, words="42 ms", note="n 4", is_strong=True
)
STATES = {name: (shape, fill) for shape, fill, name in kit_theme.STATES.values()}
SAMPLES: dict[Callable[..., Chart], Callable[[], Chart]] = {
    bars: lambda: bars([ROW, Bar("p99", 60.0, upper=70.0)], title="Latency", unit="ms", alt="Latency"),
    strip: lambda: strip(ROW, alt="p95"),
    scatter: lambda: scatter(
        [Mark(name, place, place, name) for place, name in enumerate(STATES)],
        kinds=STATES,
        x="USD",
        y="ms",
        title="T",
        alt="T",
    ),
    waterfall: lambda: waterfall(100.0, [("a", 100.0), ("b", -250.0)], ends=("from", "to"), title="T", unit="USD"),
    steps_chart: lambda: steps_chart(["a", "b", "c"], [("a", "b", "go"), ("b", "a", "back")], title="T"),
}


def kinds_of_the_kit() -> set[Callable[..., Chart]]:
    """Every public function of the chart package of the toolkit that draws a chart."""
    modules = [
        import_module(each.name) for each in pkgutil.iter_modules(weighbridge.charts.__path__, "weighbridge.charts.")
    ]
    drawing = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and function.__annotations__.get("return") in {Chart, "Chart"}
        and not name.startswith("_")
    }
    return drawing - {chart_of}


def chart_of_mark(mark: ChartMark, *, is_stacked: bool = False) -> PageChart:
    """A chart of one mark in each tone, with an interval, a limit, a reference and a line between two names."""
    series = tuple(
        ChartSeries(f"series {tone}", mark, _points(tone), is_dashed=tone % 2 == 1, has_labels=mark is ChartMark.DOT)
        for tone in range(TONES)
    )
    references = (ReferenceLine("limit", 95.0), ReferenceLine("plan", 88.0, is_limit=False))
    slug = f"contrast-{mark}{'-stacked' if is_stacked else ''}"
    x, y = ChartAxis("month", labels=NAMES), ChartAxis("spend", "USD")
    across = (ReferenceLine("now", 0.5, is_limit=False),)
    return PageChart(slug, slug, "All.", x, y, series, references, is_stacked=is_stacked, across=across)


def _points(tone: int) -> tuple[Point, ...]:
    values = ((place, 5.0 + 14 * tone + 2 * place) for place in range(len(NAMES)))
    return tuple(Point(x, value, NAMES[x], value - 4, value + 4, is_chosen=x == 1 and tone == 2) for x, value in values)


def page_charts() -> list[PageChart]:
    return [*map(chart_of_mark, ChartMark), chart_of_mark(ChartMark.BAR, is_stacked=True)]


def shown(visit: Callable[..., Visitor], cast: Cast, theme: str, html: str) -> Page:
    """The style guide in a theme, with this in the place of its charts."""
    visitor = visit(cast.reviewer_one, scale=SCALE)
    visitor.go("/styleguide/")
    visitor.page.evaluate(PUT, html)
    visitor.page.evaluate("document.querySelectorAll('header').forEach((each) => { each.style.position = 'static' })")
    visitor.page.evaluate(WEAR, theme)
    return visitor.page


def drawn(charts: list[PageChart]) -> str:
    source = (
        "{% load weighbridge %}{% for each in charts %}{% chart each %}{% endfor %}{% sparkline course target 'ms' %}"
    )
    course = [
        (name, place, value) for place, (name, value) in enumerate(zip(NAMES, map(Decimal, (3, 5, 4)), strict=True))
    ]
    return Template(source).render(Context({"charts": charts, "course": course, "target": Decimal(4)}))


def faint(found: list[PartContrast]) -> list[tuple[str, float]]:
    return [(part.name, part.ratio) for part in found if part.is_faint]


@pytest.mark.parametrize("theme", THEMES)
def test_every_mark_of_page_charts(visit: Callable[..., Visitor], cast: Cast, theme: str) -> None:
    page = shown(visit, cast, theme, drawn(page_charts()))
    found = list(contrasts(page, page.locator("#charts svg")))
    assert faint(found) == []
    painted = set(re.findall(r"\.chart-([a-z-]+)[^{}]*\{[^}]*\b(?:stroke|fill):", STYLES.read_text()))
    measured = {name for part in found for name in re.findall(r"chart-([a-z-]+)", part.name)}
    assert painted - measured - NO_MARK == set()
    assert {int(tone) for part in found for tone in re.findall(r"tone-(\d)", part.name)} == set(range(TONES))


@pytest.mark.parametrize("theme", THEMES)
def test_every_gauge_of_the_style_guide(visit: Callable[..., Visitor], cast: Cast, theme: str) -> None:
    page = shown(visit, cast, theme, "")
    found = list(contrasts(page, page.locator(":is(#figures, #metric-rows, #budget) svg:not(svg svg, .icon)")))
    assert faint(found) == []
    assert len(found) > 60


def test_each_kind_of_the_kit_has_a_sample() -> None:
    assert kinds_of_the_kit() == set(SAMPLES)
    assert len(SAMPLES) >= 5


@pytest.mark.parametrize("theme", THEMES)
def test_every_kind_of_the_kit_in_a_page(visit: Callable[..., Visitor], cast: Cast, theme: str) -> None:
    """As `charts.js` takes a picture into the page: its colors are those of the page."""
    taken = "".join(svg(make()).replace("<svg ", '<svg class="chart-taken" ', 1) for make in SAMPLES.values())
    page = shown(visit, cast, theme, taken)
    found = list(contrasts(page, page.locator("#charts .chart-taken")))
    assert faint(found) == []
    assert len(found) > 50


@pytest.mark.parametrize("theme", THEMES)
def test_every_kind_of_the_kit_as_an_image(visit: Callable[..., Visitor], theme: str) -> None:
    """As an `img` shows it: its own styles follow the theme of the system."""
    page = visit(None, scale=SCALE).page
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of two words
    page.set_content("".join(f"<div>{in_both_themes(svg(make()))}</div>" for make in SAMPLES.values()))
    found = list(contrasts(page, page.locator("svg")))
    assert faint(found) == []
    assert len(found) > 50


def test_what_is_planted_is_found(visit: Callable[..., Visitor], cast: Cast) -> None:
    """A pale line, and a text in the color of the bar under it: its box has contrast, its background has not."""
    page = shown(visit, cast, "light", drawn([chart_of_mark(ChartMark.LINE), chart_of_mark(ChartMark.BAR)]))
    page.evaluate("document.querySelector('#contrast-line .tone-3 .chart-line').style.stroke = '#b4b0a5'")
    page.evaluate(HIDE_A_WORD)
    found = faint(list(contrasts(page, page.locator("#charts svg"))))
    assert [name for name, _ in found] == ["chart-line chart-dashed tone-3", "chart-text chart-title IN"]
    assert (found[0][1], round(found[1][1], 1)) == (2.15, 1.0)


GROUND = np.full((40, 40, 3), 255, np.uint8)


def square(color: tuple[int, int, int], size: int = 20) -> np.ndarray:
    pixels = GROUND.copy()
    pixels[10 : 10 + size, 10 : 10 + size] = color
    return pixels


@pytest.mark.parametrize(
    ("color", "size", "ratio"),
    [((0, 0, 0), 20, 21.0), ((118, 118, 118), 20, 4.54), ((119, 119, 119), 20, 4.48), ((200, 200, 200), 20, 1.67)],
)
def test_the_ratio_is_that_of_wcag(color: tuple[int, int, int], size: int, ratio: float) -> None:
    assert round(seen_ratio(square(color, size), GROUND), 2) == ratio


def test_a_speck_of_ink_does_not_make_a_pale_square_visible() -> None:
    pale = square((230, 230, 230))
    pale[12:14, 12:14] = 0
    assert seen_ratio(pale, GROUND) < 1.3
    assert seen_ratio(GROUND, GROUND) == 1.0
