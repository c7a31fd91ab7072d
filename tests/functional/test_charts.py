"""Charts of the style guide in a browser: they can be used with the pointer and with keys.

That every mark can be seen, in both themes and without color, is tested by pixels in `test_chart_contrast`.
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from tests.factories.people import Cast
from tests.functional.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_chart_answers_the_pointer_the_keys_and_its_key(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(cast.reviewer_one)
    visitor.go("/styleguide/")
    page = visitor.page
    figure = page.locator("#specimen-stack")
    figure.scroll_into_view_if_needed()
    toggle = figure.get_by_role("button", name="Fraud")
    toggle.wait_for()
    tip = figure.locator(".chart-tip")
    figure.locator("[data-series='1'] .chart-bar").first.hover()
    assert tip.inner_text().replace("\xa0", " ") == "Jul, Fraud: $2,100"
    group = figure.get_by_role("group", name="Chart: Spend by month and team")
    group.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() == "Jul, Search: $8,200"
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "false"
    assert not figure.locator("[data-series='1'] .chart-bar").first.is_visible()
    toggle.click()
    assert figure.locator("[data-series='1'] .chart-bar").first.is_visible()
    dots = page.locator("#specimen-dots")
    dots.scroll_into_view_if_needed()
    page.locator("#specimen-dots[data-lively]").wait_for()
    dots.locator("a").first.click()
    assert page.url.endswith("#metric-rows")
    assert (visitor.violations(), visitor.record.foreign, visitor.record.complaints) == ([], [], [])


def test_without_a_chart_no_script_of_charts_is_loaded(visit: Callable[[User | None], Visitor], cast: Cast) -> None:
    visitor = visit(cast.reviewer_one)
    loaded: list[str] = []
    visitor.page.on("request", lambda request: loaded.append(request.url))
    visitor.go("/")
    visitor.page.wait_for_timeout(300)
    assert not [url for url in loaded if "charts.js" in url]
    visitor.go("/styleguide/")
    assert not [url for url in loaded if "charts.js" in url]
    visitor.page.locator("#specimen-band").scroll_into_view_if_needed()
    visitor.page.locator("#specimen-band[data-lively]").wait_for()
    assert len([url for url in loaded if "charts.js" in url]) == 1


def test_the_cost_bands_follow_the_form_without_leaving_the_page(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.author)
    visitor.go("/costs/")
    page = visitor.page
    example = page.get_by_text("This is an example.")
    assert example.is_visible()
    before = page.locator("#result").inner_text()
    field = page.locator("[name=requests_per_year]")
    field.fill("40000000")
    field.blur()
    page.wait_for_function("before => document.querySelector('#result')?.innerText !== before", arg=before)
    page.locator("#cost-bands").scroll_into_view_if_needed()
    page.locator("#cost-bands[data-lively]").wait_for()
    page.wait_for_url(lambda address: "requests_per_year=40000000" in address)
    assert example.count() == 0
    assert (visitor.violations(), visitor.record.foreign, visitor.record.complaints) == ([], [], [])
