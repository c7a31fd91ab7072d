"""A request that waits for reviewers has days of grace, and a platform lead extends its deadline once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import ChecklistVersion
from reviews.authorizations.models import Authorization
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import requests, review
from reviews.workflow.tasks import expire_due, expired_requests
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
REASON = "The only reviewer who knows this is ill."


@pytest.fixture
def waiting(checklist: ChecklistVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """In review under a policy with five days of grace after thirty."""
    source = LEAN + "\ngrace_days: 5\n"
    rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
    return walks.make_in_review(cast=cast, now=now)


def test_grace_keeps_the_request_and_authorizes_nothing(waiting: ReviewRequest, now: datetime) -> None:
    assert waiting.lapses_at == now + 35 * DAY
    in_grace = now + 31 * DAY
    assert [waiting.is_in_grace(now + days * DAY) for days in (29, 30, 34, 35)] == [False, True, True, False]
    expire_due(in_grace)
    waiting.refresh_from_db()
    assert waiting.state == "in_review"
    assert not Authorization.objects.exists()
    with refused(WrongState, match="The deadline of this request has not passed"):
        requests.expire(request=waiting, now=in_grace)
    expire_due(now + 35 * DAY)
    waiting.refresh_from_db()
    assert waiting.state == "expired"
    last = f"{now + 35 * DAY:%Y-%m-%d}"
    assert AuditEvent.objects.get(kind="request.expired").reason == f"Nobody acted before {last}."


def test_a_request_that_never_was_in_review_has_no_grace(waiting: ReviewRequest, cast: Cast, now: datetime) -> None:
    ReviewRequest.objects.filter(pk=waiting.pk).update(state="evidence")
    assert expired_requests(now=now + 30 * DAY) == [waiting]
    ReviewRequest.objects.filter(pk=waiting.pk).update(revision=2)
    assert expired_requests(now=now + 30 * DAY) == []
    assert expired_requests(now=now + 35 * DAY) == [waiting]


def test_reviewers_still_decide_in_grace_by_the_same_rules(waiting: ReviewRequest, cast: Cast, now: datetime) -> None:
    later = now + 31 * DAY
    row = review.vote(
        request=waiting,
        stage_id="technical",
        choice=VoteChoice.REQUEST_CHANGES,
        rationale="The latency is missing.",
        by=cast.reviewer_one,
        now=later,
    )
    assert (row.state, row.is_in_grace(later)) == ("changes_requested", True)
    assert expired_requests(now=later) == []


def test_a_lead_extends_once_with_a_reason(waiting: ReviewRequest, cast: Cast, now: datetime) -> None:
    later = now + 32 * DAY
    row = requests.extend(request=waiting, days=7, reason=REASON, by=cast.approver, now=later)
    assert (row.deadline_at, row.grace_ends_at, row.extended_at) == (later + 7 * DAY, later + 12 * DAY, later)
    event = AuditEvent.objects.get(kind="request.extended")
    assert (event.reason, event.details["days"]) == (REASON, 7)
    assert OutboxMessage.objects.filter(kind="ticket.tell", payload__occasion="extended").count() == 1
    with refused(WrongState, match="extended before; that is possible once"):
        requests.extend(request=waiting, days=7, reason=REASON, by=cast.approver, now=later)


def test_who_may_extend(waiting: ReviewRequest, cast: Cast, now: datetime) -> None:
    for user in cast.everybody():
        if user != cast.approver:
            with refused(NotAllowed, match="Only a platform lead may extend the deadline"):
                requests.extend(request=waiting, days=7, reason=REASON, by=user, now=now)
    for days, reason, field in ((0, REASON, "days"), (31, REASON, "days"), (7, "late", "reason")):
        with refused(Invalid, field=field):
            requests.extend(request=waiting, days=days, reason=reason, by=cast.approver, now=now)
    team = Team.objects.get(slug="search")
    people.grant_role(user=cast.approver, role=Role.REQUESTER, team=team, by=None, now=now)
    with refused(NotAllowed, match="who has no interest in this request must extend its deadline"):
        requests.extend(request=waiting, days=7, reason=REASON, by=cast.approver, now=now)


def test_what_has_ended_is_not_extended(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    with refused(WrongState, match="it has no deadline that can be extended"):
        requests.extend(request=decided, days=7, reason=REASON, by=cast.approver, now=now)
    draft = walks.make_draft(by=cast.author, now=now, purpose="Another purpose")
    with refused(WrongState, match="it has no deadline that can be extended"):
        requests.extend(request=draft, days=7, reason=REASON, by=cast.approver, now=now)


def test_the_page_says_when_it_lapses(
    waiting: ReviewRequest,
    cast: Cast,
    as_: Callable[[User], Client],
    api: Callable[[User | None], APIClient],
    now: datetime,
) -> None:
    ReviewRequest.objects.filter(pk=waiting.pk).update(deadline_at=now - DAY, grace_ends_at=now + 4 * DAY)
    path = f"/requests/{waiting.ref}/"
    page = " ".join(as_(cast.author).get(path).content.decode().split())
    assert "In grace: lapses on" in page
    assert "unless the reviewers decide" in page
    assert "Extend the deadline" not in page
    lead = as_(cast.approver)
    assert lead.post(f"{path}extend/", {"days": "99", "reason": REASON}).status_code == 400
    answer = lead.post(f"{path}extend/", {"days": "3", "reason": REASON}, follow=True)
    assert f"The deadline is now {now + 3 * DAY:%Y-%m-%d}" in answer.content.decode()
    said = api(cast.author).get(f"/api/v1{path}").json()
    assert (said["is_in_grace"], said["lapses_at"] > said["deadline_at"]) == (False, True)
    refusal = api(cast.approver).post(f"/api/v1{path}extend/", {"days": 3, "reason": REASON}, format="json")
    assert (refusal.status_code, refusal.json()["detail"]) == (
        409,
        "The deadline was extended before; that is possible once.",
    )
    assert api(cast.author).post(f"/api/v1{path}extend/", {}, format="json").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_two_clicks_extend_once(waiting: ReviewRequest, cast: Cast, now: datetime) -> None:
    def extend() -> ReviewRequest:
        return requests.extend(request=waiting, days=7, reason=REASON, by=cast.approver, now=now)

    answers = together([extend, extend])
    assert sorted(type(answer).__name__ for answer in answers) == ["ReviewRequest", "WrongState"]
    waiting.refresh_from_db()
    assert waiting.deadline_at == now + 37 * DAY


def test_the_database_knows_no_grace_before_the_deadline(waiting: ReviewRequest, now: datetime) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewRequest.objects.filter(pk=waiting.pk).update(grace_ends_at=now)
