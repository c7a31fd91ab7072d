"""Drafts in a browser: saved by themselves, never submitted on Enter, not overwritten by a second window."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from governance.inventory.models import ModelVersion
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.functional.conftest import Visitor, follow
from tests.functional.test_main_path import clean, house

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[[User | None], Visitor]


@pytest.fixture
def version(house: Cast, now: datetime) -> ModelVersion:
    return make_version(by=house.author, now=now)


def test_a_form_saves_itself_and_follows_what_is_chosen(visit: Visit, house: Cast, version: ModelVersion) -> None:
    visitor = visit(house.author)
    page = visitor.page
    visitor.go("/requests/new/")
    state = page.locator("#autosave")
    expect(state).to_contain_text("Choose what is filed and where it will run")
    page.get_by_role("link", name="2. Version").click()
    page.locator("#id_model_version").select_option(str(version.pk))
    expect(state).to_contain_text("The review could not start as things stand.")
    expect(state).to_contain_text("Not saved. Title: This field is required.")
    page.get_by_role("link", name="3. Purpose and business case").click()
    page.locator("#id_title").fill("Visual search")
    page.locator("#id_purpose").fill(walks.PURPOSE)
    page.locator("#id_business_case").fill("Raises conversion by 1.5 %.")
    page.get_by_role("link", name="5. Metric values").click()
    page.locator("#id_training_gpu_hours").fill("320")
    page.get_by_role("link", name="1. Model").click()
    page.locator("#id_environment").select_option("dev")
    expect(state).to_contain_text("Saved at")
    expect(state).to_contain_text("Training GPU hours is 320")
    draft = ReviewRequest.objects.get()
    assert (draft.title, draft.metric_records.count()) == ("Visual search", 0)
    assert urlsplit(page.url).path == f"/requests/{draft.ref}/edit/"
    assert clean(visitor) == []
    page.get_by_role("link", name="3. Purpose and business case").click()
    page.locator("#id_title").press("Enter")
    expect(page.locator("#announcements").get_by_text("is saved as a draft")).to_be_visible()
    draft.refresh_from_db()
    assert (draft.state, draft.metric_records.count()) == ("draft", 1)
    follow(page.get_by_role("link", name="Check and submit"))
    assert clean(visitor) == []
    page.get_by_role("button", name="Submit the request").dblclick()
    expect(page.locator("#announcements").get_by_text("Submitted")).to_be_visible()


def test_two_windows_and_a_lost_connection(visit: Visit, house: Cast, version: ModelVersion, now: datetime) -> None:
    draft = walks.make_draft(by=house.author, now=now, version=version)
    first, second = visit(house.author), visit(house.author)
    for visitor in (first, second):
        visitor.go(f"/requests/{draft.ref}/edit/#about")
    first.page.locator("#id_title").fill("From the first window")
    first.page.locator("#id_title").blur()
    expect(first.page.locator("#autosave")).to_contain_text("Saved at")
    second.page.locator("#id_title").fill("From the second window")
    second.page.locator("#id_title").blur()
    expect(second.page.locator("#autosave")).to_contain_text("was changed since you opened this page")
    draft.refresh_from_db()
    assert draft.title == "From the first window"
    first.page.route("**/autosave/", lambda route: route.abort())
    first.page.locator("#id_title").fill("Nobody hears this")
    first.page.locator("#id_title").blur()
    expect(first.page.locator("#announcements")).to_contain_text("Your entries are still on this page")
    expect(first.page.locator("#id_title")).to_have_value("Nobody hears this")
    first.page.unroute("**/autosave/")
    first.page.context.clear_cookies()
    first.page.locator("#id_purpose").fill("Logged out")
    first.page.locator("#id_purpose").blur()
    expect(first.page.locator("#autosave")).to_be_visible()
    expect(first.page.locator("#id_purpose")).to_have_value("Logged out")
