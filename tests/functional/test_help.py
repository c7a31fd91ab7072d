"""`?` beside a term: its meaning in place, with the keyboard too; without script, the glossary."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, expect

from governance.site.domain.glossary import term_of
from tests.factories.people import Cast
from tests.functional.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAGE, MARK = "/styleguide/", "What is basis?"


def test_the_meaning_opens_by_a_click_and_escape_gives_the_focus_back(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.outsider)
    visitor.go(PAGE)
    mark, note = visitor.page.get_by_role("link", name=MARK), visitor.page.get_by_role("dialog", name="Basis")
    mark.focus()
    visitor.page.keyboard.press("Enter")
    expect(note).to_be_focused()
    expect(note.locator("p")).to_have_text(term_of("basis").meaning)
    assert Axe().run(visitor.page).response["violations"] == []
    below = note.bounding_box()["y"] - mark.bounding_box()["y"]
    assert 0 < below < 60
    visitor.page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(mark).to_be_focused()
    assert (visitor.violations(), visitor.record.complaints) == ([], [])
    mark.click()
    note.get_by_role("link", name="Glossary").click()
    expect(visitor.page).to_have_url(re.compile(r"/help/glossary/#basis$"))
    expect(visitor.page.locator("dt:target")).to_have_text("Basis")


def test_without_script_the_mark_leads_to_the_glossary(
    browser: Browser, visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.outsider)
    context = browser.new_context(java_script_enabled=False, storage_state=visitor.page.context.storage_state())
    page = context.new_page()
    page.goto(f"{visitor.url}{PAGE}")
    page.get_by_role("link", name=MARK).click()
    expect(page).to_have_url(f"{visitor.url}/help/glossary/#basis")
    context.close()
