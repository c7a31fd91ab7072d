"""A person is mentioned in a comment with the keyboard alone; with the pointer; and without script."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from reviews.discussions.models import Comment, Mention
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.functional.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[[User | None], Visitor]


@pytest.fixture
def draft(cast: Cast, now: datetime) -> ReviewRequest:
    return walks.make_draft(by=cast.author, now=now)


def begun(visit: Visit, cast: Cast, draft: ReviewRequest) -> tuple[Visitor, Locator]:
    """The page of a discussion with the focus in its comment, reached by keys."""
    visitor = visit(cast.author)
    visitor.go(f"/discussions/request/{draft.ref}/")
    text = visitor.page.get_by_label("Comment", exact=True)
    for _ in range(40):
        if text.evaluate("area => area === document.activeElement"):
            break
        visitor.page.keyboard.press("Tab")
    return visitor, text


def chosen(page: Page) -> str:
    return page.locator('[role="option"][aria-selected="true"]').inner_text()


def test_a_person_is_mentioned_with_the_keyboard_alone(visit: Visit, cast: Cast, draft: ReviewRequest) -> None:
    visitor, text = begun(visit, cast, draft)
    page = visitor.page
    page.keyboard.type("See this, @rev")
    options = page.get_by_role("listbox", name="People you can mention").get_by_role("option")
    expect(options).to_have_text(["@reviewer_one Reviewer One", "@reviewer_two Reviewer Two"])
    expect(page.locator(".mentions [role=status]").first).to_contain_text("2 people.")
    assert text.get_attribute("role") == "combobox"
    assert text.get_attribute("aria-expanded") == "true"
    assert chosen(page) == "@reviewer_one Reviewer One"
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "@reviewer_two Reviewer Two"
    active = text.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text() == "@reviewer_two Reviewer Two"
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "@reviewer_one Reviewer One"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert text.input_value() == "See this, @reviewer_two "
    expect(options).to_have_count(0)
    assert text.get_attribute("role") is None
    page.keyboard.type("and @approver")
    expect(options).to_have_text(["@approver Approver"])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(options).to_have_count(1)
    page.keyboard.press("Tab")
    assert text.input_value() == "See this, @reviewer_two and @approver "
    assert text.evaluate("area => area === document.activeElement")
    page.keyboard.type("@nobody")
    expect(page.locator(".mentions [role=status]").first).to_have_text("Nobody who can see this has such a name.")
    for _ in "@nobody":
        page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".comment-text")).to_have_text("See this, @reviewer_two and @approver")
    assert set(Mention.objects.values_list("person__username", flat=True)) == {"reviewer_two", "approver"}
    assert visitor.violations() == []
    assert visitor.record.complaints == []
    assert visitor.record.foreign == []


def test_a_person_is_mentioned_with_the_pointer(visit: Visit, cast: Cast, draft: ReviewRequest) -> None:
    visitor, text = begun(visit, cast, draft)
    text.fill("Before  after")
    for _ in " after":
        visitor.page.keyboard.press("ArrowLeft")
    visitor.page.keyboard.type("@rev")
    visitor.page.get_by_role("option", name="@reviewer_two").click()
    assert text.input_value() == "Before @reviewer_two after"
    visitor.page.keyboard.type(" x@rev")
    visitor.page.wait_for_timeout(400)
    expect(visitor.page.get_by_role("option")).to_have_count(0)


def test_an_answer_that_does_not_come_leaves_the_comment_as_it_was(
    visit: Visit, cast: Cast, draft: ReviewRequest
) -> None:
    visitor, _ = begun(visit, cast, draft)
    visitor.page.route("**/people/**", lambda route: route.abort())
    visitor.page.keyboard.type("See @reviewer_one")
    visitor.page.wait_for_timeout(400)
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".comment-text")).to_have_text("See @reviewer_one")
    assert Comment.objects.count() == 1


def test_the_script_is_loaded_where_a_comment_is_written(visit: Visit, cast: Cast, draft: ReviewRequest) -> None:
    asked: list[str] = []
    visitor = visit(cast.author)
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    visitor.go("/")
    visitor.go(f"/discussions/request/{draft.ref}/")
    assert not [name for name in asked if name.startswith("mentions")]
    with visitor.page.expect_request("**/mentions*"):
        visitor.page.get_by_label("Comment", exact=True).focus()
    visitor.page.wait_for_timeout(300)
    assert len([name for name in asked if name.startswith("mentions")]) == 1
