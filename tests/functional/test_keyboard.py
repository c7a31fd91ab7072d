"""Journeys of people by keyboard alone: real keys, each press counted, and the focus in view after each."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from playwright.sync_api import Locator, Page, expect

from governance.bills import tasks as bills_tasks
from governance.bills.actions import bills
from governance.bills.actions.bills import Delivery
from governance.budgets.actions.budget_changes import propose
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.models import BudgetAccount
from governance.people.approvals.models import Change
from governance.saved_views.models import SavedView
from governance.site.web.formatting import format_exact
from reviews.discussions.models import Comment
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import TicketSite
from tests.factories import requests as walks
from tests.factories.allocation import publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.discussions import make_comment
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.keyboard import keyboard, walk
from tests.functional.test_main_path import house
from tests.standins.jira_cloud import JiraCloud

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

JIRA_TOKEN = "standin-token"
SETTLED_MS = 500  # htmx settles what it swapped 20 ms later
LAPTOP = {"width": 1280, "height": 720}
Visit = Callable[[User | None], Visitor]


@pytest.fixture
def in_review(house: Cast, now: datetime) -> ReviewRequest:
    version = make_version(by=house.author, now=now)
    return walks.make_in_review(cast=house, now=now, version=version, title="Query rewriter")


def announced(page: Page, words: str) -> None:
    expect(page.locator("#announcements").get_by_text(words)).to_be_visible()


def test_a_vote_with_a_condition(visit: Visit, house: Cast, in_review: ReviewRequest, now: datetime) -> None:
    walks.approve_technically(request=in_review, cast=house, now=now)
    keys = keyboard(visit(house.approver))
    page = keys.page
    keys.skip_to("To the content")
    assert keys.activate(page.locator("#waiting").get_by_role("link", name="Query rewriter")) <= 4
    keys.skip_to("To the decision")
    assert keys.reach(page.get_by_label("Approve", exact=True)) == 2
    keys.press("Space")
    keys.write(page.get_by_label("Rationale"), "Latency and quality hold.")
    keys.reach(page.locator("summary", has_text="Approve with conditions"))
    keys.press("Enter")
    keys.write(page.get_by_label("Condition 1"), "Publish the bill.")
    keys.reach(page.locator("#vote-owner_1"))
    keys.type(house.author.get_full_name() or house.author.username)
    keys.reach(page.locator("#vote-due_on_1"))
    keys.type((now + timedelta(days=14)).strftime("%m%d%Y"))
    keys.activate(page.get_by_role("button", name="Cast the vote"), at_most=20)
    announced(page, "Your vote is cast")
    in_review.refresh_from_db()
    assert in_review.decision.outcome == "approved_with_conditions"
    condition = in_review.decision.authorization.conditions.get()
    assert (condition.text, condition.owner) == ("Publish the bill.", house.author)
    assert keys.presses <= 35
    for size in (LAPTOP, {"width": 1440, "height": 900}):  # the message hides no place
        page.set_viewport_size(size)
        assert list(walk(keys)) == []


def test_a_budget_is_approved_from_the_inbox(visit: Visit, house: Cast, now: datetime) -> None:
    account = BudgetAccount.objects.get(unit="USD")
    wish = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=Decimal(45_000))
    change = propose(wish=wish, reason="Prices rose in this quarter.", by=house.approver, now=now)
    keys = keyboard(visit(house.finance))
    keys.skip_to("To the content")
    keys.activate(keys.page.locator("#waiting").get_by_role("link", name=change.description))
    keys.skip_to("To the content")
    assert keys.activate(keys.page.get_by_role("button", name="Confirm")) <= 3
    assert Change.objects.get(pk=change.pk).state == "confirmed"


def test_where_the_money_of_a_bill_went(visit: Visit, cast: Cast, now: datetime) -> None:
    make_version(by=cast.author, now=now, slug="visual-search")
    publish_rules(cast=cast, now=now)
    rows = [row(), row(Tags="", EffectiveCost="3.005", SkuId="sku-1"), row(Tags="", EffectiveCost="1", SkuId="sku-2")]
    upload = ContentFile(csv_bytes(rows), name="bill.csv")
    bill = bills.receive(upload=upload, delivery=Delivery(), by=cast.finance, now=now)
    bills_tasks.ingest_bill(bill.pk)
    keys = keyboard(visit(cast.finance), "/bills/")
    page, counts = keys.page, []
    amount = format_exact(Decimal("4.005"), unit="USD")
    for name in (f"Bill {bill.pk}", amount, "AmazonSageMaker", "sku-1"):
        keys.skip_to("To the rows" if "/spend/" in page.url else "To the content")
        counts.append(keys.activate(page.locator("main").get_by_role("link", name=re.compile(re.escape(name))).first))
    assert counts == [5, 3, 1, 1]
    assert "sku-1" in page.locator("main").inner_text()


def test_a_jira_is_connected(visit: Visit, house: Cast) -> None:
    """From the settings, by links and buttons alone; each page is entered by its skip link."""
    with JiraCloud() as jira:
        keys = keyboard(visit(house.admin), "/settings/")
        page = keys.page
        steps: tuple[tuple[dict[str, str], Locator], ...] = (
            ({}, page.locator("main").get_by_role("link", name="Jira")),
            ({}, page.get_by_role("link", name="Add a site").first),
            ({"#id_name": "Ours", "#id_base_url": jira.url}, page.get_by_role("button", name="Continue")),
            (
                {"#id_account": jira.config.email, "#id_credential": JIRA_TOKEN},
                page.get_by_role("button", name="Save and continue"),
            ),
            ({"#id_project": "MR"}, page.get_by_role("button", name="Show the issue types")),
            ({"#id_issue_type": "Model Review"}, page.get_by_role("button", name="Save and continue")),
            ({}, page.get_by_role("link", name="Activate").first),
            ({}, page.get_by_role("button", name="Activate the site")),
        )
        for entries, way_on in steps:
            keys.enter()
            for place, words in entries.items():
                keys.write(page.locator(place), words)
            keys.activate(way_on, at_most=20)
        announced(page, "Ours is active.")
    assert TicketSite.objects.get().is_ok is True
    assert keys.presses <= 105


def test_the_palette_leads_to_a_request_and_gives_the_focus_back(
    visit: Visit, house: Cast, in_review: ReviewRequest
) -> None:
    keys = keyboard(visit(house.author), "/models/")
    page = keys.page
    brand, words = page.get_by_role("link", name="Weighbridge"), page.locator("#palette-words")
    keys.reach(brand)
    keys.press("Control+k")
    expect(words).to_be_focused()
    keys.type("rewriter")
    hit = page.locator("#palette-hits").get_by_role("link", name=re.compile("Query rewriter")).first
    expect(hit).to_be_visible()
    keys.press("ArrowDown")
    keys.look()
    keys.press("ArrowUp")
    expect(words).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(brand).to_be_focused()
    keys.look()
    keys.press("Control+k")
    keys.type(in_review.ref)
    expect(page.locator("#palette-hits").get_by_role("link").first).to_contain_text(in_review.ref)
    with page.expect_navigation():
        keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Query rewriter")


def test_the_palette_opens_no_hit_of_words_that_were_replaced(
    visit: Visit, house: Cast, in_review: ReviewRequest, now: datetime
) -> None:
    version = make_version(by=house.author, now=now, slug="other", seed=9)
    other = walks.make_draft(by=house.author, now=now, version=version, title="Another one")
    keys = keyboard(visit(house.author), "/models/")
    page = keys.page
    keys.press("Control+k")
    keys.type(in_review.ref)
    expect(page.locator("#palette-hits").get_by_role("link").first).to_contain_text(in_review.ref)
    page.route("**/search/suggestions/**", lambda _: None)  # the answer is still on its way
    keys.press("Control+a")
    keys.type(other.ref)
    with page.expect_navigation():
        keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Another one")


def test_a_view_is_saved_removed_and_saved_again_by_undo(visit: Visit, house: Cast, in_review: ReviewRequest) -> None:
    keys = keyboard(visit(house.author), "/requests/")
    page = keys.page
    keys.skip_to("To the content")
    keys.write(page.locator(".filters input").first, "rewriter")
    with page.expect_navigation():
        keys.press("Enter")
    keys.reach(page.locator("summary", has_text="Save this view"))
    keys.press("Enter")
    keys.write(page.locator(".save-view").get_by_label("Name"), "Rewriters")
    with page.expect_navigation():
        keys.press("Enter")
    announced(page, "is saved")
    view = SavedView.objects.get()
    assert view.name == "Rewriters"
    keys.visitor.go("/saved-views/")
    keys.skip_to("To the content")
    keys.activate(page.get_by_role("button", name="Remove"))
    assert not SavedView.objects.exists()
    before = keys.presses
    keys.skip_to("To the message")
    keys.activate(page.get_by_role("button", name="Undo"), at_most=2)
    assert keys.presses - before <= 6
    announced(page, "is saved again")
    assert SavedView.objects.get().name == "Rewriters"
    expect(page.locator("#announcements")).to_be_focused()
    keys.look()
    keys.reach(page.get_by_role("button", name="Dismiss"), at_most=2)
    keys.press("Enter")
    expect(page.locator("#announcements .message")).to_have_count(0)
    keys.look()


def test_a_thread_is_read_answered_and_resolved(
    visit: Visit, house: Cast, in_review: ReviewRequest, now: datetime
) -> None:
    make_comment(in_review, by=house.author, now=now)
    keys = keyboard(visit(house.reviewer_one), f"/requests/{in_review.ref}/")
    page = keys.page
    keys.skip_to("To the decision")
    thread = page.locator("article.thread")
    keys.reach(page.get_by_role("link", name="1 thread is open"))
    keys.press("Enter")
    keys.reach(thread.locator("summary", has_text="Reply"))
    keys.press("Enter")
    keys.write(thread.get_by_label("Comment").or_(thread.get_by_role("textbox")).first, "All of it.")
    keys.activate(thread.get_by_role("button", name="Reply"))
    assert keys.presses <= 15
    expect(thread.get_by_text("All of it.").first).to_be_visible()
    assert Comment.objects.count() == 2
    assert keys.activate(thread.get_by_role("button", name="Resolve")) <= 6  # it goes on at the reply
    expect(thread.get_by_text(re.compile("Resolved by"))).to_be_visible()


def test_a_list_is_walked_and_a_line_opened(visit: Visit, house: Cast, now: datetime) -> None:
    for number in range(30):
        version = make_version(by=house.author, now=now, slug=f"m{number}", seed=number)
        walks.make_draft(by=house.author, now=now, version=version, title=f"Draft {number}")
    keys = keyboard(visit(house.author), "/requests/")
    lines = keys.page.locator("[data-rows] tbody a.row-link")
    for _ in range(lines.count()):
        keys.press("j")
        keys.look()
    expect(lines.last).to_be_focused()
    for _ in range(lines.count() - 2):
        keys.press("k")
        keys.look()
    expect(lines.nth(1)).to_be_focused()
    title = lines.nth(1).inner_text()
    with keys.page.expect_navigation():
        keys.press("Enter")
    expect(keys.page.get_by_role("heading", level=1)).to_have_text(title)


def test_menu_search_keys_and_terms_give_the_focus_back(visit: Visit, house: Cast, in_review: ReviewRequest) -> None:
    keys = keyboard(visit(house.reviewer_one), f"/requests/{in_review.ref}/")
    page = keys.page
    menu = page.locator("details.menu")
    keys.reach(menu.locator("summary"))
    keys.press("Enter")
    keys.press("Tab")
    keys.look()
    keys.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    keys.press("Enter")
    keys.reach(page.locator(".crumbs a").first)
    expect(menu).not_to_have_attribute("open", "")
    for key, place in (("?", "#keys button"), ("/", "#search")):
        keys.press(key)
        keys.reach(page.locator(place), at_most=1)
        keys.press("Escape")
        keys.look()
    mark = page.locator("main a[data-term]").first
    keys.reach(mark)
    keys.press("Enter")
    keys.look()
    keys.press("Escape")
    expect(mark).to_be_focused()


def test_single_keys_can_be_switched_off(visit: Visit, house: Cast, in_review: ReviewRequest) -> None:
    page = keyboard(visit(house.reviewer_one), "/requests/").page
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Single keys: on").press("Enter")
    page.reload()  # the browser remembers it
    for key in "?/jk":
        page.keyboard.press(key)
    expect(page.locator("#keys, #search:focus, [data-cursor]").filter(visible=True)).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Single keys: off").press("Enter")
    page.locator("details.menu summary").click()
    page.keyboard.press("j")
    expect(page.locator("[data-cursor]")).to_have_count(1)


def test_a_swap_keeps_the_focus(visit: Visit, house: Cast, now: datetime) -> None:
    version = make_version(by=house.author, now=now)
    request = walks.make_submitted(by=house.author, now=now, version=version)
    keys = keyboard(visit(house.author), f"/requests/{request.ref}/checklist/")
    page = keys.page
    keys.skip_to("To the content")
    item = page.locator("#item-cheaper-alternatives")
    keys.write(item.get_by_label("Answer"), "None.")
    for words, said in (("None.", "needs at least 40 characters."), ("It was compared. " * 5, "Complete")):
        keys.reach(item.get_by_label("Answer"), back=said == "Complete")
        keys.press("Control+a")
        keys.type(words)
        keys.reach(item.get_by_role("button", name="Answer"))
        keys.press("Enter")
        expect(item.get_by_text(said)).to_be_visible()
        page.wait_for_timeout(SETTLED_MS)
        keys.look()
    keys.reach(item.locator("summary"))
    keys.press("Enter")
    page.route("**/cheaper-alternatives/", lambda route: route.abort())
    answer = item.get_by_role("button", name="Answer")
    keys.reach(answer)
    keys.press("Enter")
    announced(page, "The server did not answer as expected.")
    expect(answer).to_be_focused()
    keys.look()
    keys.visitor.go(f"/requests/{request.ref}/")
    keys.skip_to("To the decision")
    keys.press("Shift+Tab")
    before = keys.look()
    with page.expect_response(re.compile("/progress/")):
        pass
    page.wait_for_timeout(SETTLED_MS)
    assert keys.look() == before
