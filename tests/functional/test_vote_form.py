"""The form of a vote: its fields never lie on each other, and its draft does not outlive the vote."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Route

from reviews.notes.models import DraftVote
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import review
from tests.factories import requests as walks
from tests.factories.people import Cast, make_person
from tests.functional.conftest import Visitor
from tests.functional.test_pages import _write_rulebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS_PX = (1440, 1000, 390)
# Of each line: pairs of parts of its fields that overlap, and parts that leave the form.
FAULTS = """() => [...document.querySelectorAll(".condition-line")].flatMap((line) => {
  const form = line.closest("form").getBoundingClientRect();
  const parts = [...line.querySelectorAll("label, input, select, textarea")].map((part) => [
    part.tagName + part.textContent.slice(0, 20), part.getBoundingClientRect()]);
  const out = parts.filter(([, box]) => box.left < form.left || box.right > form.right + 0.5);
  const on = parts.flatMap(([name, a], at) => parts.slice(at + 1).filter(([, b]) =>
    a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5
  ).map(([other]) => `${name} on ${other}`));
  return [...out.map(([name]) => `${name} is outside`), ...on];
})"""


def test_the_fields_of_a_condition_do_not_overlap(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    _write_rulebook(cast, now)
    make_person("wolfeschlegelsteinhausen.bergerdorff", now=now)
    request = walks.make_in_review(cast=cast, now=now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    visitor = visit(cast.approver)
    found = {}
    for width_px in WIDTHS_PX:
        visitor.page.set_viewport_size({"width": width_px, "height": 900})
        visitor.go(f"/requests/{request.ref}/")
        visitor.page.get_by_text("Approve with conditions").click()
        assert visitor.page.locator(".condition-line").count() > 0
        found[width_px] = visitor.page.evaluate(FAULTS)
    assert found == {width_px: [] for width_px in WIDTHS_PX}


def test_a_draft_is_not_sent_behind_its_vote(
    visit: Callable[[User | None], Visitor], cast: Cast, now: datetime
) -> None:
    _write_rulebook(cast, now)
    request = walks.make_in_review(cast=cast, now=now)
    visitor = visit(cast.reviewer_one)
    visitor.go(f"/requests/{request.ref}/")
    page, sent = visitor.page, list[str]()
    page.on("request", lambda each: sent.append(f"{each.method} {each.url.rpartition('/requests/')[2]}"))

    def answer_late(route: Route) -> None:
        page.wait_for_timeout(2_000)  # longer than a form waits before it saves itself
        route.continue_()

    page.route("**/votes/", answer_late)
    page.get_by_label("Approve", exact=True).check()
    page.get_by_label("Rationale").fill("Latency and quality hold.")
    page.get_by_role("button", name="Cast the vote").click()
    page.get_by_text("Your vote is cast").wait_for()
    vote = f"POST {request.ref}/votes/"
    assert [each for each in sent[sent.index(vote) :] if f"{request.ref}/votes" in each] == [vote]
    assert not DraftVote.objects.exists()
    assert request.votes.get().person == cast.reviewer_one
