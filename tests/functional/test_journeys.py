"""Journeys of people, counted as the browser sees them: actions of a person, seconds, refusals, and what is in view."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from benchmarking.runs.models import Run
from governance.budgets.actions.budget_changes import propose
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.models import BudgetAccount
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.approvals.models import Change
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import TicketSite
from tests.factories import requests as walks
from tests.factories.models import govern, make_version
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.test_main_path import FIELDS_SHOWN_MAX, file_request, house
from tests.standins.jira_cloud import JiraCloud

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECONDS_MAX = 120
"""A journey takes some seconds; on a machine with other work a minute. What takes longer is stuck."""
JIRA_TOKEN = "standin-token"
Visit = Callable[[User | None], Visitor]
FIELDS_SHOWN_OF = """
part => [...document.getElementById(part).querySelectorAll(":is(input:not([type=hidden]), select, textarea)")]
  .filter((field) => field.checkVisibility()).length
"""
DESK = {"width": 1440, "height": 900}
COUNT = """
const count = (event) => event.isTrusted && sessionStorage.setItem("actions", actions() + 1);
const actions = () => Number(sessionStorage.getItem("actions"));
addEventListener("pointerdown", count, true);
addEventListener("keydown", (event) => event.key === "Enter" && count(event), true);
"""


@dataclass
class Journey:
    """A person on the way, whose clicks and Enter keys the browser counts over all pages."""

    visitor: Visitor
    began: float = field(default_factory=time.monotonic)
    waited_s: float = 0.0
    refusals: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def actions(self) -> int:
        found: int = self.page.evaluate("Number(sessionStorage.getItem('actions'))")
        return found

    def click(self, place: Locator) -> None:
        place.click()
        self.page.wait_for_load_state()

    @contextmanager
    def others_act(self) -> Iterator[None]:
        """What others do meanwhile, such as a worker, is no time of this person."""
        began = time.monotonic()
        yield
        self.waited_s += time.monotonic() - began

    def end(self, *, actions_max: int) -> None:
        """The count of the journey, which no refusal stopped. Its time is the machine's: nobody stops to think here."""
        seconds = time.monotonic() - self.began - self.waited_s
        print(f"{os.environ['PYTEST_CURRENT_TEST']}: {self.actions} actions, {seconds:.1f} s")
        assert self.actions <= actions_max
        assert seconds <= SECONDS_MAX
        assert self.refusals == []


def journey(visitor: Visitor, start: str = "/") -> Journey:
    visitor.page.set_viewport_size(DESK)
    visitor.page.add_init_script(COUNT)
    way = Journey(visitor)
    visitor.page.on(
        "response", lambda got: way.refusals.append(f"{got.status} {got.url}") if got.status >= 400 else None
    )
    visitor.go(start)
    return way


def test_a_request_goes_to_review_on_the_first_try(visit: Visit, house: Cast, tmp_path: Path, now: datetime) -> None:
    """From the inbox to the reviewers: each open item leads to where it is settled, and nothing is refused."""
    way = journey(visit(house.author))
    page = way.page
    file_request(page, tmp_path)
    way.click(page.get_by_role("button", name="Save, then check and submit"))
    way.click(page.get_by_role("button", name="Submit the request"))
    expect(page.locator("#announcements").get_by_text("A review is mandatory")).to_be_visible()
    assert way.actions <= 12
    request = ReviewRequest.objects.get()
    with way.others_act():
        govern(dataset=request.dataset, by=house.author, now=now)
        walks.finish_run(run=Run.objects.get(asked_for=request.ref), now=timezone.now())
        told = outbox.deliver(pk=OutboxMessage.objects.get(kind="run.finished").pk, now=timezone.now())
        assert (told.state, told.error) == (JobState.DONE, "")
        way.visitor.go(f"/requests/{request.ref}/")
    items = page.locator("#next li")
    assert items.count() > 0
    for _ in range(items.count()):
        if items.count():
            settle_first(way, items)
    way.click(page.get_by_role("button", name="Request the review"))
    expect(page.locator("#next-title")).to_have_text("Technical review: 2 more approvals needed")
    request.refresh_from_db()
    assert request.state == "in_review"
    way.end(actions_max=22)


def settle_first(way: Journey, items: Locator) -> None:
    """Follow the first open item to its place, settle everything there, and come back to the decision."""
    page = way.page
    way.click(items.first.get_by_role("link", name="Show"))
    part = urlsplit(page.url).fragment
    place = page.locator(f"#{part}")
    expect(place).to_be_in_viewport()
    assert 0 < page.evaluate(FIELDS_SHOWN_OF, part) <= FIELDS_SHOWN_MAX
    if part == "checklist":
        for name, answer in walks.ANSWERS.items():
            answer_item(way, place.locator(f"#item-{name}"), **answer)
    else:
        place.get_by_label("Explain the difference").fill("The claim was made for batches of eight.")
        way.click(place.get_by_role("button", name="Explain"))
        expect(place.get_by_text("The claim was made for batches of eight.").first).to_be_visible()
    way.click(page.locator("#tabs").get_by_role("link", name="Decision"))


def answer_item(way: Journey, place: Locator, *, text: str = "", is_attested: bool = False) -> None:
    if is_attested:
        place.get_by_label("I confirm this").check()
    else:
        place.get_by_label("Answer").fill(text)
    way.click(place.get_by_role("button", name="Answer"))
    expect(place.get_by_text("Complete")).to_be_visible()


def test_evidence_and_vote_are_in_one_view_and_a_vote_takes_three_actions(
    visit: Visit, house: Cast, now: datetime
) -> None:
    version = make_version(by=house.author, now=now)
    request = walks.make_in_review(cast=house, now=now, version=version, title="Query rewriter")
    way = journey(visit(house.reviewer_one))
    page = way.page
    way.click(page.locator("#waiting").get_by_role("link", name="Query rewriter"))
    for part in ("#question", "#deciding", "#votes"):
        expect(page.locator(part)).to_be_in_viewport()
    expect(page.get_by_label("Approve", exact=True)).to_be_in_viewport(ratio=1)
    page.get_by_label("Approve", exact=True).check()
    page.get_by_label("Rationale").fill("Latency and quality hold.")
    way.click(page.get_by_role("button", name="Cast the vote"))
    expect(page.locator("#announcements").get_by_text("Your vote is cast")).to_be_visible()
    expect(page.locator("#question")).to_be_in_viewport()
    assert request.votes.count() == 1
    way.end(actions_max=3)


def test_a_budget_is_approved_from_the_inbox_in_two_clicks(visit: Visit, house: Cast, now: datetime) -> None:
    account = BudgetAccount.objects.get(unit="USD")
    wish = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=Decimal(45_000))
    change = propose(wish=wish, reason="Prices rose in this quarter.", by=house.approver, now=now)
    way = journey(visit(house.finance))
    way.click(way.page.locator("#waiting").get_by_role("link", name=change.description))
    expect(way.page.get_by_role("button", name="Confirm")).to_be_in_viewport()
    way.click(way.page.get_by_role("button", name="Confirm"))
    expect(way.page.get_by_role("heading", level=1)).to_contain_text("Confirmed")
    assert Change.objects.get(pk=change.pk).state == "confirmed"
    way.end(actions_max=2)


def test_a_jira_is_connected_without_a_shell(visit: Visit, house: Cast) -> None:
    """Every step is reached from the settings, by links and buttons alone."""
    with JiraCloud() as jira:
        way = journey(visit(house.admin), "/settings/")
        page = way.page
        way.click(page.locator("main").get_by_role("link", name="Jira"))
        way.click(page.get_by_role("link", name="Add a site").first)
        page.get_by_label("Name").fill("Ours")
        page.get_by_role("textbox", name="Address").fill(jira.url)
        way.click(page.get_by_role("button", name="Continue"))
        page.get_by_role("textbox", name="E-mail address of the account").fill(jira.config.email)
        page.locator("#id_credential").fill(JIRA_TOKEN)
        way.click(page.get_by_role("button", name="Save and continue"))
        page.get_by_label("Project", exact=True).select_option("MR")
        way.click(page.get_by_role("button", name="Show the issue types"))
        page.locator("#id_issue_type").select_option("Model Review")
        way.click(page.get_by_role("button", name="Save and continue"))
        way.click(page.get_by_role("link", name="Activate").first)
        way.click(page.get_by_role("button", name="Activate the site"))
        expect(page.locator("#announcements").get_by_text("Ours is active.")).to_be_visible()
    assert TicketSite.objects.get().is_ok is True
    way.end(actions_max=12)
