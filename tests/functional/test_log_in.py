"""Log-in and second factors by hand, in a browser, under the content policy."""

from collections.abc import Callable
from datetime import datetime

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from reviews.discussions.models import Comment
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import PASSWORD, Cast, totp_code
from tests.functional.conftest import Visitor
from tests.functional.test_pages import _write_rulebook

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_approver_logs_in_and_sets_up_a_factor(
    visit: Callable[[User | None], Visitor], cast: Cast, settings: Settings
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    visitor = visit(None)
    page = visitor.page
    page.goto(f"{visitor.url}/requests/")
    page.locator("#id_login").fill("approver")
    page.locator("#id_password").fill(PASSWORD)
    assert page.locator("#passkey_login").is_visible()
    violations = visitor.violations()
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/")
    assert page.get_by_text("Your role needs a second factor").first.is_visible()
    violations += visitor.violations()
    page.goto(f"{visitor.url}/accounts/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/totp/activate/**")
    assert page.locator("svg path").count() > 0
    secret = page.locator("code").inner_text()
    page.locator("#id_code").fill(totp_code(secret))
    violations += visitor.violations()
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/recovery-codes/**")
    violations += visitor.violations()
    page.goto(f"{visitor.url}/requests/")
    assert page.url == f"{visitor.url}/requests/"
    assert Authenticator.objects.filter(user=cast.approver, type="totp").count() == 1
    assert (violations, visitor.record.foreign, visitor.record.complaints) == ([], [], [])


def log_in_again(page: Page, user: User) -> None:
    """Log in on the page to which the end of a session led."""
    page.wait_for_url("**/accounts/login/**")
    page.locator("#id_login").fill(user.username)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def reviewed_page(visit: Callable[[User | None], Visitor], cast: Cast, now: datetime) -> tuple[Page, ReviewRequest]:
    """The page of a request in review, as its first reviewer sees it, and the request."""
    _write_rulebook(cast, now)
    request = walks.make_in_review(cast=cast, now=now)
    visitor = visit(cast.reviewer_one)
    visitor.go(f"/requests/{request.ref}/")
    return visitor.page, request


def test_what_was_typed_survives_the_end_of_a_session(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    request = walks.make_draft(by=cast.author, now=now)
    visitor = visit(cast.author)
    page = visitor.page
    visitor.go(f"/requests/{request.ref}/")
    comment = page.locator("#discussion").get_by_label("Comment")
    comment.fill("Please measure returns too.")
    page.context.clear_cookies(name="sessionid")
    page.locator("#discussion").get_by_role("button", name="Comment", exact=True).click()
    log_in_again(page, cast.author)
    page.wait_for_url(f"**/requests/{request.ref}/")
    expect(comment).to_have_value("Please measure returns too.")
    assert Comment.objects.count() == 0
    page.locator("#discussion").get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#discussion .comment-text", has_text="Please measure returns too.")).to_be_visible()
    expect(page.locator("#discussion #start-text")).to_have_value("")
    assert [row.texts.get().text for row in Comment.objects.all()] == ["Please measure returns too."]


def test_what_was_typed_is_not_shown_to_the_next_person(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    page, request = reviewed_page(visit, cast, now)
    rationale = page.get_by_label("Rationale")
    page.get_by_label("Approve", exact=True).check()
    rationale.fill("Between us: the figures are wrong.")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Cast the vote").click()
    log_in_again(page, cast.reviewer_two)
    page.wait_for_url(f"**/requests/{request.ref}/")
    expect(rationale).to_have_value("")
    expect(page.locator("#announcements")).not_to_contain_text("Your entries are back")
    assert page.evaluate("sessionStorage.getItem('unsent')") is None


def test_no_part_of_a_page_becomes_the_log_in_page(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    page, _ = reviewed_page(visit, cast, now)
    said = page.locator("#announcements")
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Rationale").fill("It holds.")
    page.get_by_label("Rationale").blur()
    expect(said).to_contain_text("Your session has ended")
    expect(page.locator("form", has=page.get_by_label("Rationale"))).to_contain_text("saved as a draft by itself")
    expect(page.get_by_label("Rationale")).to_have_value("It holds.")
    said.get_by_role("button", name="Dismiss").click()
    page.keyboard.press("Control+k")
    page.keyboard.type("vis")
    expect(said).to_contain_text("Your session has ended")
    expect(page.locator("#palette-hits")).to_be_empty()
    assert page.locator("input[type=password]").count() == 0


def test_a_page_that_refuses_is_said_and_not_put_into_another(
    visit: Callable[[User | None], Visitor], cast: Cast
) -> None:
    visitor = visit(cast.author)
    page = visitor.page
    visitor.go("/models/")
    refused = "<!DOCTYPE html><html><body><h1>403</h1><p data-reason>Your account\n is not active.</p></body></html>"
    page.route("**/search/suggestions/**", lambda route: route.fulfill(status=403, body=refused))
    page.keyboard.press("Control+k")
    page.keyboard.type("vis")
    expect(page.locator("#announcements")).to_contain_text("Your account is not active.")
    expect(page.locator("#palette-hits")).to_be_empty()


def test_a_form_of_a_part_leads_through_the_log_in_and_its_entries_come_back(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    _write_rulebook(cast, now)
    request = walks.make_submitted(by=cast.author, now=now)
    visitor = visit(cast.author)
    page = visitor.page
    visitor.go(f"/requests/{request.ref}/checklist/")
    form = page.locator("form[hx-post*='/checklist/']", has=page.locator("textarea")).first
    place, action = form.locator("textarea").first, form.get_attribute("action")
    form.evaluate("each => each.closest('details')?.setAttribute('open', '')")
    place.evaluate("each => { each.value = 'See the run of May.'; }")
    page.context.clear_cookies(name="sessionid")
    form.evaluate("each => each.requestSubmit()")
    page.wait_for_url("**/accounts/login/**")
    page.locator("#id_login").fill("author")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"**/requests/{request.ref}/**")
    expect(page.locator(f"form[action='{action}'] textarea").first).to_have_value("See the run of May.")


def test_whoever_logs_out_finds_no_entries_on_the_way_back(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    visitor = visit(cast.author)
    page = visitor.page
    visitor.go("/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")
    page.locator("#id_login").fill("author")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Your inbox")).to_be_visible()
    expect(page.locator("#announcements")).not_to_contain_text("Your entries are back")
    assert page.evaluate("sessionStorage.getItem('unsent')") is None
