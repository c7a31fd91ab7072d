"""The inbox shows each person exactly what needs them."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.approvals import actions as approvals
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.inbox.queries.inbox import inbox_of
from reviews.quarterly.actions import action_items, cycles
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.cycles import make_action, make_collecting, make_cycle, make_frozen, make_held, met_at
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.governance.budgets.audited import changed
from tests.integration.reviews.requests.reading import enter, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def test_strangers_are_sent_to_the_login_page(client, cast: Cast) -> None:
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/")


def test_nothing_to_do_says_what_will_stand_here(reviewer_one: User, auditor: User, author: User) -> None:
    assert "No vote is waiting" in words(enter(reviewer_one).get("/"))
    assert "Nothing is waiting for you." in words(enter(auditor).get("/"))
    assert "None of your requests is waiting for you" in words(enter(author).get("/"))


def test_a_requester_sees_drafts_and_what_is_missing(draft: ReviewRequest, author: User) -> None:
    page = enter(author).get("/")
    inbox = page.context["inbox"]
    assert [(line.ref, line.todo) for line in inbox.waiting_for_me] == [(draft.ref, "Finish the draft and submit it.")]
    assert not inbox.is_empty


def test_evidence_is_told_with_its_first_obstacle(submitted: ReviewRequest, author: User) -> None:
    line = enter(author).get("/").context["inbox"].waiting_for_me[0]
    assert line.todo.startswith("A benchmark is still running; wait for it, or cancel it. And ")


def test_a_ready_request_says_so(ready: ReviewRequest, author: User) -> None:
    line = enter(author).get("/").context["inbox"].waiting_for_me[0]
    assert line.todo == "Nothing is missing: request the review."


def test_a_review_waits_for_voters_and_on_others(in_review: ReviewRequest, cast: Cast) -> None:
    mine = enter(cast.author).get("/").context["inbox"]
    assert [line.todo for line in mine.waiting_on_others] == ["Technical review: waiting for 2 votes of a reviewer."]
    assert (mine.to_vote, mine.waiting_for_me) == ((), ())
    assert [line.todo for line in enter(cast.reviewer_one).get("/").context["inbox"].to_vote] == [
        "Your vote: Technical review."
    ]
    assert enter(cast.approver).get("/").context["inbox"].to_vote == ()


def test_a_vote_leaves_the_inbox_of_its_voter(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert enter(cast.reviewer_one).get("/").context["inbox"].to_vote == ()
    waiting = enter(cast.author).get("/").context["inbox"].waiting_on_others
    assert [line.todo for line in waiting] == ["Technical review: waiting for 1 vote of a reviewer."]


def test_changes_requested_come_back(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REQUEST_CHANGES,
        rationale="Measure returns.",
        by=cast.reviewer_one,
        now=now,
    )
    line = enter(cast.author).get("/").context["inbox"].waiting_for_me[0]
    assert line.todo == "A reviewer asked for changes: open the next revision."


def test_conditions_stand_with_who_owes_and_who_confirms(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    promise = NewCondition(text="Publish the bill.", owner=cast.author, due_on=now.date() + timedelta(days=7))
    review.vote(
        request=request,
        stage_id="gpu-budget",
        choice=VoteChoice.APPROVE,
        conditions=(promise,),
        by=cast.approver,
        now=now,
    )
    own = enter(cast.author).get("/")
    assert [(line.text, line.is_mine, line.is_overdue) for line in own.context["inbox"].conditions] == [
        ("Publish the bill.", True, False)
    ]
    assert "Meet it, and have it confirmed." in words(own)
    assert [line.is_mine for line in enter(cast.approver).get("/").context["inbox"].conditions] == [False]
    assert enter(cast.finance).get("/").context["inbox"].conditions == ()


def test_an_authorization_about_to_end_stands_in_its_owners_inbox(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    assert enter(cast.author).get("/").context["inbox"].authorizations == ()
    authorizations.expire_due(now=now + timedelta(days=340))
    lines = enter(cast.author).get("/").context["inbox"].authorizations
    assert [(line.ref, line.state) for line in lines] == [(decided.ref, "pending_expiration")]
    assert enter(cast.reviewer_one).get("/").context["inbox"].authorizations == ()


def test_an_action_item_stands_with_its_owner_until_it_is_closed(cast: Cast, now: datetime) -> None:
    asset = make_version(by=cast.author, now=now).asset
    sooner, item = (make_action(cast=cast, now=at, asset=asset) for at in (now - timedelta(days=200), now))
    page = enter(cast.author).get("/")
    inbox = page.context["inbox"]
    assert [(line.ref, line.is_overdue) for line in inbox.actions] == [(sooner.ref, True), (item.ref, False)]
    assert (inbox.is_empty, "Overdue" in words(page)) == (False, True)
    assert f'href="/action-items/{item.ref}/"' in html_of(page)
    assert enter(cast.approver).get("/").context["inbox"].actions == ()
    action_items.acknowledge(item=item, by=cast.author, now=now)
    action_items.finish(item=sooner, outcome="It is done.", by=cast.author, now=now)
    page = enter(cast.author).get("/")
    assert [(line.ref, line.state) for line in page.context["inbox"].actions] == [(item.ref, "acknowledged")]
    assert "Close it when it is done." in words(page)


def test_the_quarterly_review_stands_with_whoever_leads_it(cast: Cast, now: datetime) -> None:
    cycle = make_cycle(now=now)
    assert enter(cast.approver).get("/").context["inbox"].cycles == ()
    for make, todo in (
        (make_collecting, "Collect the metric values before the cut-off, and check the agenda."),
        (make_frozen, "Read the packet, then open the meeting."),
        (lambda now: make_held(cast=cast, now=now), "Decide the remaining agenda items, then close the meeting."),
    ):
        held = make(now=now)
        for lead in (cast.approver, cast.product):
            page = enter(lead).get("/")
            assert [(line.quarter, line.state, line.todo) for line in page.context["inbox"].cycles] == [
                (cycle.quarter, held.state, todo)
            ]
            assert (f'href="/cycles/{cycle.quarter}/"' in html_of(page), todo in words(page)) == (True, True)
        for other in (cast.author, cast.finance, cast.auditor, cast.admin):
            assert enter(other).get("/").context["inbox"].cycles == ()
    cycles.close(cycle=held, by=cast.approver, now=met_at(now))
    assert enter(cast.approver).get("/").context["inbox"].is_empty


def test_a_change_stands_with_whoever_may_confirm_it(cast: Cast, now: datetime) -> None:
    change = changed(cast, now)
    lines = {user.username: inbox_of(person=person_of(user), now=now).changes for user in cast.everybody()}
    assert {name for name, changes in lines.items() if changes} == {"finance"}
    (own,) = inbox_of(person=person_of(cast.approver), now=now).proposed
    assert (own.id, own.waits_for) == (change.pk, "Finance")
    assert "Finance" in words(enter(cast.approver).get("/"))
    (line,) = lines["finance"]
    assert (line.id, line.ref, line.description, line.proposed_by, line.expires_at) == (
        change.pk,
        str(change),
        change.description,
        "Approver",
        change.expires_at,
    )
    assert not inbox_of(person=person_of(cast.finance), now=now).is_empty
    approvals.confirm(change=change, by=cast.finance, now=now)
    assert inbox_of(person=person_of(cast.finance), now=now).changes == ()


def test_stuck_effects_are_for_operators(submitted: ReviewRequest, cast: Cast) -> None:
    OutboxMessage.objects.filter(kind="ticket.open").update(state=JobState.PAUSED, error="No Jira is configured.")
    stuck = enter(cast.approver).get("/").context["inbox"].stuck
    assert [(line.kind, line.state, line.reason, line.count) for line in stuck] == [
        ("ticket.open", "paused", "No Jira is configured.", 1)
    ]
    assert enter(cast.reviewer_one).get("/").context["inbox"].stuck == ()
    assert "No Jira is configured." in words(enter(cast.approver).get("/"))
