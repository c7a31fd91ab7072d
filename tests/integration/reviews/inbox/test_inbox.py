"""The inbox shows each person exactly what needs them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from governance.findings.actions import Sighting, assign, close, raise_once
from governance.findings.enums import Severity
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.notifications.models import Notification
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmers, proposed_text, waits_for
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Condition
from reviews.inbox.actions import make_reminders
from reviews.inbox.queries.inbox import inbox_of
from reviews.quarterly.actions import action_items, agenda, cycles, meeting
from reviews.quarterly.models import ReviewCycle
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.absences import make_absence
from tests.factories.cycles import (
    decided,
    make_action,
    make_collecting,
    make_cycle,
    make_frozen,
    make_held,
    make_proposed,
    met_at,
)
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.governance.budgets.audited import changed
from tests.integration.reviews.requests.reading import enter, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]


def test_strangers_are_sent_to_the_login_page(client, cast: Cast) -> None:
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/")


Lines = list[tuple[str, str, str]]


def lines(user: User, kind: str = "") -> Lines:
    """The entries of the inbox of a person: reference, next step, address."""
    entries = enter(user).get("/").context["inbox"].entries
    return [(entry.ref, entry.step, entry.path) for entry in entries if kind in ("", entry.kind)]


def steps(user: User, kind: str = "") -> list[str]:
    return [step for _, step, _ in lines(user, kind)]


def test_nothing_to_do_says_what_will_stand_here(reviewer_one: User, auditor: User, author: User) -> None:
    assert "No vote is waiting" in words(enter(reviewer_one).get("/"))
    assert "Nothing is waiting for you." in words(enter(auditor).get("/"))
    assert "File a request before a model is trained" in words(enter(author).get("/"))


def test_a_requester_sees_drafts_and_what_is_missing(draft: ReviewRequest, author: User) -> None:
    assert lines(author) == [(draft.ref, "Finish the draft and submit it.", f"/requests/{draft.ref}/#next")]


def test_evidence_is_told_with_its_first_obstacle(submitted: ReviewRequest, author: User) -> None:
    (step,) = steps(author)
    assert step.startswith("A benchmark is still running; wait for it, or cancel it. And ")


def test_a_ready_request_says_so(ready: ReviewRequest, author: User) -> None:
    assert steps(author) == ["Nothing is missing: request the review."]


def test_a_review_waits_for_voters_and_on_others(in_review: ReviewRequest, cast: Cast) -> None:
    mine = enter(cast.author).get("/").context["inbox"]
    assert [entry.step for entry in mine.waiting_on_others] == ["Technical review: waiting for 2 votes of a reviewer."]
    assert mine.entries == ()
    assert lines(cast.reviewer_one) == [(in_review.ref, "Vote: Technical review.", f"/requests/{in_review.ref}/")]
    assert lines(cast.approver) == []


def test_no_vote_costs_a_query_of_its_own(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    def asked(user: User) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as found:
            inbox = inbox_of(person=person_of(user), now=now)
        return len([*inbox.entries, *inbox.waiting_on_others]), len(found)

    few = {user: asked(user) for user in (cast.reviewer_one, cast.author)}
    for number in (1, 2):
        version = make_version(by=cast.author, now=now, version=f"2.{number}.0", seed=number)
        walks.make_in_review(cast=cast, now=now, version=version)
    for user, (count, queries) in few.items():
        assert asked(user) == (count + 2, queries)
        assert count == 1


def test_no_more_than_fifty_votes_are_listed(
    in_review: ReviewRequest, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        version = make_version(by=cast.author, now=now, version=f"2.{number}.0", seed=number)
        walks.make_in_review(cast=cast, now=now, version=version)
    first, second, third = (ref for ref, *_ in lines(cast.reviewer_one))
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert "2 decisions and steps wait for you" in words(enter(cast.reviewer_one).get("/"))
    for place in (*(f"reviews.inbox.queries.{name}" for name in ("parts", "requests", "inbox")), "reviews.inbox.web"):
        monkeypatch.setattr(f"{place}.LISTED_MAX", 1)
    assert [ref for ref, *_ in lines(cast.reviewer_one)] == [second]
    assert "More than 1 of a kind wait for you. The first 1 to lapse are listed" in words(
        enter(cast.reviewer_one).get("/")
    )
    assert first == in_review.ref < second < third


def test_a_vote_leaves_the_inbox_of_its_voter(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert lines(cast.reviewer_one) == []
    waiting = enter(cast.author).get("/").context["inbox"].waiting_on_others
    assert [entry.step for entry in waiting] == ["Technical review: waiting for 1 vote of a reviewer."]


def test_changes_requested_come_back(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REQUEST_CHANGES,
        rationale="Measure returns.",
        by=cast.reviewer_one,
        now=now,
    )
    assert steps(cast.author) == ["A reviewer asked for changes: open the next revision."]


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
    path = f"/requests/{request.ref}/#authorization"
    number = request.decision.authorization.number
    assert lines(cast.author, "condition") == [(number, "Meet it, and have it confirmed.", path)]
    assert lines(cast.approver, "condition") == [(number, "Confirm it when it is met.", path)]
    assert lines(cast.finance, "condition") == []


def test_a_condition_is_not_told_to_an_owner_who_may_not_see_it(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    last = {"request": request, "stage_id": "gpu-budget", "choice": VoteChoice.APPROVE, "by": cast.approver, "now": now}
    promise = NewCondition(text="Publish the bill.", owner=cast.product, due_on=now.date() + timedelta(days=7))
    review.vote(**last, conditions=(promise,))
    assert len(lines(cast.product, "condition")) == 1
    people.revoke_role(user=cast.product, role=Role.PRODUCT_LEAD, by=None, now=now)
    assert lines(cast.product, "condition") == []
    for days in range(7):
        make_reminders(now=now + timedelta(days=days))
    assert not Notification.objects.filter(kind="condition_due").exists()


def test_each_entry_says_since_when_it_waits(cast: Cast, now: datetime) -> None:
    """Since when the step was theirs, which is never the moment of reading and never to come."""

    def since(user: User) -> list[datetime]:
        return [entry.since for entry in inbox_of(person=person_of(user), now=now + timedelta(days=2)).entries]

    item = make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now).asset)
    assert since(cast.author) == [item.opened_at]


@pytest.mark.parametrize(
    ("make", "name"), [(make_collecting, "collecting_at"), (make_frozen, "cut_off_at"), (make_held, "held_at")]
)
def test_a_quarterly_review_waits_since_it_came_into_its_state(
    cast: Cast, now: datetime, make: Callable[..., ReviewCycle], name: str
) -> None:
    cycle = make(now=now, **({"cast": cast} if make is make_held else {}))
    (entry,) = inbox_of(person=person_of(cast.approver), now=now).entries
    assert (entry.kind, entry.since) == ("quarterly review", getattr(cycle, name))


@pytest.mark.parametrize("kind", ["your request", "condition"])
def test_an_inbox_of_many_asks_as_often_as_one_of_few(
    policy: PolicyVersion, cast: Cast, now: datetime, kind: str
) -> None:
    def add(count: int, start: int) -> None:
        for number in range(start, start + count):
            if kind == "your request":
                walks.make_draft(by=cast.author, now=now, purpose=f"Purpose {number}")
            else:
                promise = {"owner": cast.author, "due_on": now.date() + timedelta(days=9), "set_by": cast.approver}
                Condition.objects.create(authorization=decided.decision.authorization, text=f"No. {number}", **promise)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            entries = inbox_of(person=person_of(cast.author), now=now).entries
        assert len({entry.title for entry in entries if entry.kind == kind}) > 0
        return len(found)

    decided = walks.make_decided(cast=cast, now=now) if kind == "condition" else None
    add(2, 0)
    few = queries()
    add(18, 2)
    assert queries() == few


def test_the_words_count_one_and_many(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    assert "One decision or step waits for you." in words(enter(cast.author).get("/"))
    make_action(cast=cast, now=now, asset=draft.model_version.asset)
    assert "2 decisions and steps wait for you. What lapses first is first." in words(enter(cast.author).get("/"))


def test_an_authorization_about_to_end_stands_in_its_owners_inbox(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    assert lines(cast.author) == []
    authorizations.expire_due(now=now + timedelta(days=340))
    number, step, _ = lines(cast.author)[0]
    assert (number, step) == (
        decided.decision.authorization.number,
        "File the request again to renew the authorization.",
    )
    assert lines(cast.reviewer_one) == []


def test_an_action_item_stands_with_its_owner_until_it_is_closed(cast: Cast, now: datetime) -> None:
    asset = make_version(by=cast.author, now=now).asset
    sooner, item = (make_action(cast=cast, now=at, asset=asset) for at in (now - timedelta(days=200), now))
    assert [ref for ref, _, _ in lines(cast.author)] == [sooner.ref, item.ref]
    page = enter(cast.author).get("/")
    assert "Overdue" in words(page)
    assert f'href="/action-items/{item.ref}/"' in html_of(page)
    assert lines(cast.approver, "action item") == []
    action_items.acknowledge(item=item, by=cast.author, now=now)
    action_items.finish(item=sooner, outcome="It is done.", by=cast.author, now=now)
    assert [(ref, step) for ref, step, _ in lines(cast.author)] == [(item.ref, "Close it when it is done.")]


def test_the_quarterly_review_stands_with_whoever_leads_it(cast: Cast, now: datetime) -> None:
    cycle = make_cycle(now=now)
    assert lines(cast.approver) == []
    for make, todo in (
        (make_collecting, "Collect the metric values before the cut-off, and check the agenda."),
        (make_frozen, "Read the packet, then open the meeting."),
        (lambda now: make_held(cast=cast, now=now), "Decide the remaining agenda items, then close the meeting."),
    ):
        held = make(now=now)
        for lead in (cast.approver, cast.product):
            assert lines(lead, "quarterly review") == [(cycle.quarter, todo, f"/cycles/{cycle.quarter}/")]
        for other in (cast.author, cast.finance, cast.auditor, cast.admin):
            assert lines(other, "quarterly review") == []
    cycles.close(cycle=held, by=cast.approver, now=met_at(now))
    assert lines(cast.approver, "quarterly review") == []


def test_a_change_stands_with_whoever_may_confirm_it(cast: Cast, now: datetime) -> None:
    change = changed(cast, now)
    inboxes = {user.username: inbox_of(person=person_of(user), now=now) for user in cast.everybody()}
    assert {name for name, inbox in inboxes.items() if inbox.entries} == {"finance"}
    (own,) = inboxes["approver"].waiting_on_others
    assert (own.ref, own.step) == (str(change), "Waiting for Finance.")
    (entry,) = inboxes["finance"].entries
    assert (entry.ref, entry.title, entry.step, entry.ends_at, entry.path) == (
        str(change),
        change.description,
        "Confirm or refuse what Approver proposed.",
        change.expires_at,
        f"/changes/{change.pk}/",
    )
    approvals.confirm(change=change, by=cast.finance, now=now)
    assert inbox_of(person=person_of(cast.finance), now=now).entries == ()


def test_who_can_confirm_a_change_is_read_once_for_each(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the entry of a change that is stuck, for its reason, and for the list of what waits for others."""
    change, asked = changed(cast, now), []

    def counted(row: Change) -> list[User]:
        asked.append(row.pk)
        return confirmers(row)

    monkeypatch.setattr("reviews.inbox.queries.inbox.confirmers", counted)
    (own,) = inbox_of(person=person_of(cast.approver), now=now).waiting_on_others
    assert (own.step, asked) == ("Waiting for Finance.", [change.pk])
    make_absence(cast.finance, now=now)
    for user in (cast.approver, cast.admin):
        asked.clear()
        inbox = inbox_of(person=person_of(user), now=now)
        assert [entry.step for entry in inbox.entries] == ["Only Finance can confirm it, who is absent."]
        assert (inbox.waiting_on_others, asked) == ((), [change.pk])
    people.revoke_role(user=cast.finance, role=Role.FINANCE, by=None, now=now)
    asked.clear()
    (entry,) = inbox_of(person=person_of(cast.approver), now=now).entries
    assert (entry.step, asked) == (waits_for(change), [change.pk])
    assert entry.step.startswith("No one can confirm it now. ")


def test_the_sentence_after_a_proposal_reads_once_who_can_confirm_it(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, asked = changed(cast, now), []

    def counted(row: Change) -> list[User]:
        asked.append(row.pk)
        return confirmers(row)

    monkeypatch.setattr("governance.people.approvals.queries.confirmers", counted)
    assert proposed_text(change).endswith("under Changes. Ask Finance.")
    people.revoke_role(user=cast.finance, role=Role.FINANCE, by=None, now=now)
    assert " Ask " not in proposed_text(change)
    assert asked == [change.pk] * 2


def test_stuck_effects_are_for_operators(submitted: ReviewRequest, cast: Cast) -> None:
    OutboxMessage.objects.filter(kind="ticket.open").update(state=JobState.PAUSED, error="No Jira is configured.")
    assert lines(cast.approver, "delivery") == [("", "No Jira is configured.", "/integrations/")]
    assert "1 delivery failed: ticket open" in words(enter(cast.approver).get("/"))
    assert lines(cast.reviewer_one, "delivery") == []


def test_a_finding_stands_with_its_owner_or_with_those_who_assign_it(cast: Cast, now: datetime) -> None:
    sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key="over")
    finding = raise_once(sighting=sighting, by=None, now=now)
    for person in (cast.finance, cast.approver, cast.admin):
        assert lines(person, "finding") == [("", "Assign it to a person.", "/findings/?state=open&owner=none")]
    assert lines(cast.author, "finding") == lines(cast.auditor, "finding") == []
    raise_once(sighting=replace(sighting, key="again"), by=None, now=now)
    assert steps(cast.finance, "finding") == ["Assign each to a person."]
    due_on = now.date() + timedelta(days=3)
    assign(finding=finding, owner=cast.author, due_on=due_on, by=cast.finance, now=now)
    assert lines(cast.author) == [(str(finding), "Look into it, and close it with a note.", f"/findings/{finding.pk}/")]
    assert steps(cast.finance, "finding") == ["Assign it to a person."]
    finding.refresh_from_db()
    close(finding=finding, note="It was corrected.", by=cast.author, now=now)
    assert lines(cast.author) == []


def test_a_benchmark_that_failed_stands_with_whoever_started_it(cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    plan = {"scenario": "SingleStream", "min_samples": 100}
    run = run_actions.queue(key="f", version=version, dataset=None, plan=plan, asked_for="", by=cast.author, now=now)
    assert lines(cast.author) == []
    held = Run.claim(pk=run.pk, now=now, lease=timedelta(hours=1))
    jobs.fail(row=held, reason="The model ran out of memory.", now=now)
    assert lines(cast.author) == [(f"Run {run.pk}", "The model ran out of memory.", f"/runs/{run.pk}/")]
    assert lines(cast.approver) == []
    later = inbox_of(person=person_of(cast.author), now=now + timedelta(days=15))
    assert later.entries == ()


@pytest.mark.parametrize(
    ("left", "note"),
    [
        (2, "2 agenda items are undecided"),
        (1, "1 agenda item is undecided"),
        (0, "0 agenda items are undecided"),
    ],
)
def test_a_meeting_counts_the_items_of_its_agenda_that_are_undecided(
    cast: Cast, now: datetime, left: int, note: str
) -> None:
    held, when = make_held(cast=cast, now=now), {"by": cast.approver, "now": met_at(now)}
    first, second, removed = make_proposed(cycle=held, cast=cast, now=met_at(now), count=3)
    agenda.remove(item=removed, reason="It was sold last week.", **when)
    for item in [first, second][: 2 - left]:
        meeting.decide(item=item, decided=decided(cast, now), **when)
    entries = inbox_of(person=person_of(cast.approver), now=met_at(now)).entries
    assert [entry.note for entry in entries if entry.kind == "quarterly review"] == [note]


def test_one_kind_is_shown_alone(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_action(cast=cast, now=now, asset=draft.model_version.asset)
    client = enter(cast.author)
    assert len(client.get("/").context["entries"]) == 2
    assert [entry.ref for entry in client.get("/?kind=your+request").context["entries"]] == [draft.ref]
    assert len(client.get("/?kind=nothing").context["entries"]) == 2


def test_the_api_gives_the_same_entries(draft: ReviewRequest, cast: Cast, api: Api) -> None:
    (entry,) = api(cast.author).get("/api/v1/inbox/").json()
    assert (entry["kind"], entry["ref"], entry["path"]) == ("your request", draft.ref, f"/requests/{draft.ref}/#next")
    assert api(None).get("/api/v1/inbox/").status_code == 401
