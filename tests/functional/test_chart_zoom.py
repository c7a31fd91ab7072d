"""The zoom of charts in a browser: ticks stay true, the keyboard is enough, and what was drawn comes back exactly."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from governance.site.web.charts.specimens import specimens
from tests.factories.people import Cast
from tests.functional.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The ticks of an axis that are shown (value, pixel), and the dots within the plot with their words and pixels.
SEEN = """(figure) => {
  const shown = (part) => getComputedStyle(part).display !== "none" && !part.closest("[display=none]");
  const ticks = [...figure.querySelectorAll(".chart-tick")].filter(shown).map((tick) =>
    ({ text: tick.textContent.trim(), x: Number(tick.getAttribute("x")), y: Number(tick.getAttribute("y")),
       isAcross: tick.getAttribute("text-anchor") === "middle" }));
  const inside = figure.querySelectorAll(".chart-picture [data-series] .chart-dot:not([data-out])");
  const dots = [...inside].filter(shown).map((dot) => {
    const [x, y] = dot.getAttribute("transform").match(/-?[0-9.]+/g).map(Number);
    return { words: dot.dataset.mark, x, y };
  });
  return { ticks, dots };
}"""


def ready(page: Page, slug: str) -> Locator:
    """The figure of a chart once its zoom can be used."""
    figure = page.locator(f"#{slug}")
    figure.scroll_into_view_if_needed()
    expect(figure.get_by_role("button", name="Zoom in")).to_be_enabled()
    return figure


def picture(figure: Locator) -> str:
    return figure.locator("svg.chart-picture").inner_html()


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.\u2212-]", "", text).replace("\u2212", "-"))


def read_by_ticks(seen: dict[str, list[dict[str, float | str | bool]]], *, across: bool) -> Callable[[float], float]:
    """The value at a pixel, between the first and the last tick of an axis: what a reader reads off it."""
    name, shift = ("x", 0) if across else ("y", -4)
    ticks = [(tick[name] + shift, number(tick["text"])) for tick in seen["ticks"] if tick["isAcross"] is across]
    (one, low), (other, high) = min(ticks), max(ticks)
    return lambda pixel: low + (pixel - one) / (other - one) * (high - low)


def assert_true(figure: Locator) -> int:
    """Every dot that is shown lies at its values, as the shown ticks tell them; how many these are."""
    seen = figure.evaluate(SEEN)
    x_of, y_of = read_by_ticks(seen, across=True), read_by_ticks(seen, across=False)
    plane = next(chart for chart in specimens() if chart.slug == "specimen-plane")
    known = {point.name: point for point in plane.points}
    for dot in seen["dots"]:
        point = known[max(filter(dot["words"].startswith, known), key=len)]
        assert x_of(dot["x"]) == pytest.approx(point.x, abs=0.02)
        assert y_of(dot["y"]) / 100 == pytest.approx(point.y, abs=0.0002)
    return len(seen["dots"])


def test_ticks_are_true_after_each_zoom_and_reset_restores_the_picture(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    figure = ready(visitor.page, "specimen-plane")
    before, table = picture(figure), figure.locator("table").inner_html()
    assert assert_true(figure) == 5
    said = figure.locator(".chart-zoomed")
    for _ in range(3):
        figure.get_by_role("button", name="Zoom in").click()
        shown = assert_true(figure)
        assert said.inner_text() == f"Zoomed: {shown} of 5 points shown"
    assert shown < 5
    assert picture(figure) != before
    figure.get_by_role("button", name="Zoom out").click()
    assert_true(figure)
    figure.get_by_role("button", name="Reset").click()
    assert (picture(figure), said.inner_text()) == (before, "")
    assert figure.locator("table").inner_html() == table
    assert (visitor.violations(), visitor.record.foreign, visitor.record.complaints) == ([], [], [])


def test_the_keyboard_alone_zooms_moves_reads_and_resets(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    page = visitor.page
    figure = ready(page, "specimen-plane")
    before, said = picture(figure), figure.locator(".chart-zoomed")
    page.keyboard.press("+")
    assert picture(figure) == before
    figure.get_by_role("group", name="Chart: Accuracy against latency").focus()
    for key in ("+", "+", "Shift+ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
        assert_true(figure)
    assert said.inner_text().startswith("Zoomed: ")
    tip = figure.locator(".chart-tip")
    read = []
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        read.append(tip.inner_text().partition(", on")[0].partition(", dominated")[0].partition(", ambiguous")[0])
        assert figure.locator(".is-read:not([data-out])").count() == 1
    assert read == ["student", "INT8, pruned", "INT8", "FP16", "baseline"]
    page.keyboard.press("-")
    assert_true(figure)
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    assert (picture(figure), said.inner_text()) == (before, "")


def test_ctrl_and_the_wheel_zoom_and_the_wheel_alone_scrolls(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    page = visitor.page
    figure = ready(page, "specimen-plane")
    before = picture(figure)
    box = figure.locator("svg.chart-picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    top = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(figure.locator(".chart-zoomed")).to_contain_text("Zoomed: ")
    assert page.evaluate("scrollY") == top
    assert_true(figure)
    zoomed = picture(figure)
    page.mouse.wheel(0, 60)
    page.wait_for_function("top => scrollY !== top", arg=top)
    assert picture(figure).replace(" is-read", "") == zoomed.replace(" is-read", "")
    figure.get_by_role("button", name="Reset").click()
    page.mouse.move(0, 0)
    assert picture(figure) == before


def test_a_range_that_is_drawn_with_the_mouse_fills_the_chart_and_opens_no_link(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    page = visitor.page
    figure = ready(page, "specimen-plane")
    address, dots = page.url, figure.evaluate(SEEN)["dots"]
    box = figure.locator("svg.chart-picture").bounding_box()
    assert box is not None
    scale = box["width"] / 720
    chosen = next(dot for dot in dots if dot["words"].startswith("student"))
    x, y = box["x"] + chosen["x"] * scale, box["y"] + chosen["y"] * scale
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert (figure.locator(".chart-zoomed").inner_text(), page.url) == ("", address)
    page.mouse.move(x - 30, y + 30)
    page.mouse.down()
    page.mouse.move(x + 5, y - 5, steps=3)
    page.mouse.move(x, y - 30, steps=3)
    page.mouse.move(x + 40, y - 30, steps=3)
    page.mouse.up()
    assert figure.locator(".chart-zoomed").inner_text() == "Zoomed: 1 of 5 points shown"
    assert page.url == address
    assert assert_true(figure) == 1
    figure.locator(".chart-picture a:has(.chart-dot:not([data-out]))").click()
    assert page.url.endswith("#metric-rows")


def test_bars_keep_their_zero_and_months_are_zoomed(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    figure = ready(visitor.page, "specimen-stack")
    levels = [tick for tick in figure.evaluate(SEEN)["ticks"] if not tick["isAcross"]]
    bar = figure.locator("[data-series='0'] .chart-bar").nth(2)
    height, width = bar.evaluate("bar => [bar.getBBox().height, bar.getBBox().width]")
    figure.get_by_role("button", name="Zoom in").click()
    seen = figure.evaluate(SEEN)["ticks"]
    assert [tick["text"] for tick in seen if tick["isAcross"]] == ["Aug", "Sep", "Oct", "Nov"]
    assert [tick for tick in seen if not tick["isAcross"]] == levels
    after = bar.evaluate("bar => [bar.getBBox().height, bar.getBBox().width]")
    assert after[0] == height
    assert after[1] == pytest.approx(width * 1.5, abs=0.2)
    assert figure.locator(".chart-zoomed").inner_text() == "Zoomed: 12 of 18 points shown"
    figure.get_by_role("button", name="Fraud").click()
    assert figure.locator(".chart-zoomed").inner_text() == "Zoomed: 8 of 12 points shown"


def test_without_script_no_button_of_the_zoom_is_shown(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(cast.reviewer_one)
    browser = visitor.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(visitor.page.context.cookies())  # type: ignore[arg-type]  # what it gives, it takes
    page = context.new_page()
    page.goto(f"{visitor.url}/styleguide/")
    assert page.locator("#specimen-plane svg.chart-picture").is_visible()
    assert not page.locator("#specimen-plane .chart-zoom").is_visible()
    context.close()
