"""The portfolio of a quarter in a browser: models are selected on the chart or by keys, and their sums are told."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.factories import requests as walks
from tests.factories.cycles import make_cycle
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.test_pages import _write_rulebook
from tests.functional.test_quarter_path import faults

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def chosen(page: Page) -> int:
    """How many rows are marked; each has its box ticked and its dot marked."""
    marked = page.locator("#models-today tr[data-chosen]")
    ticked = page.locator("#models-today .row-box:checked").count()
    assert marked.count() == ticked == page.locator(".chart-dot.is-brushed").count()
    return ticked


def drag(page: Page, *, to: tuple[float, float]) -> None:
    """Drag over the plot from its upper left corner, so far of its width and height."""
    page.locator("#portfolio-chart").scroll_into_view_if_needed()
    inner = page.locator("#portfolio-chart svg.chart-picture > g").first.bounding_box()
    assert inner is not None
    page.mouse.move(inner["x"] + 2, inner["y"] + 2)
    page.mouse.down()
    page.mouse.move(inner["x"] + 40, inner["y"] + 40)
    page.mouse.move(inner["x"] + inner["width"] * to[0] - 2, inner["y"] + inner["height"] * to[1] - 2)
    page.mouse.up()


def test_models_are_selected_on_the_chart_and_by_keys(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    _write_rulebook(cast, now)
    walks.make_decided(cast=cast, now=now)
    walks.make_in_review(cast=cast, now=now, version=make_version(by=cast.author, now=now, slug="ranker"))
    cycle, visitor = make_cycle(now=now), visit(cast.approver)
    page = visitor.page
    visitor.go(f"/cycles/{cycle.quarter}/portfolio/")
    page.locator("#portfolio-chart").scroll_into_view_if_needed()
    bar = page.get_by_role("group", name="Selection")
    said, toggle = bar.get_by_role("status"), bar.get_by_role("button", name="Drag to select")
    expect(toggle).to_be_enabled()
    expect(page.get_by_role("button", name="Zoom in").first).to_be_enabled()
    assert (chosen(page), said.inner_text()) == (0, "")
    boxes = page.locator("#models-today .row-box")
    boxes.first.focus()
    page.keyboard.press("Space")
    cost = float(page.locator("#models-today tbody tr").first.get_attribute("data-cost") or "")
    expect(said).to_have_text(f"1 of 2 selected: cost ${cost:,.0f}, no value known")
    assert chosen(page) == 1
    bar.get_by_role("button", name="Clear the selection").press("Enter")
    expect(said).to_have_text("")
    expect(toggle).to_be_focused()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    drag(page, to=(1, 1))
    expect(said).to_have_text(f"2 of 2 selected: cost ${2 * cost:,.0f}, no value known")
    assert chosen(page) == 2
    assert page.locator("#portfolio-chart[data-zoomed]").count() == 0
    assert faults(visitor) == []
    toggle.click()
    drag(page, to=(0.6, 0.6))
    expect(page.locator("#portfolio-chart[data-zoomed]")).to_have_count(1)
    assert chosen(page) == 2
    assert (visitor.violations(), visitor.record.foreign, visitor.record.complaints) == ([], [], [])
