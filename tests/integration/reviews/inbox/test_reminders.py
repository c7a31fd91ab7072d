"""Reminders are made once, for whoever can act; the next in line is told when nobody did."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from governance.absences.actions.absences import end_absence
from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from governance.jobs.ticks import request_regular_jobs
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.inbox.actions import make_reminders
from reviews.inbox.models import Reminder
from reviews.inbox.queries.inbox import inbox_of
from reviews.inbox.queries.reminders import reminders_of
from reviews.inbox.tasks import MAKE
from reviews.inbox.tasks import make_reminders as handle
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories.absences import confirmed, make_absence, propose
from tests.factories.models import make_version
from tests.factories.people import Cast, make_person
from tests.threads import together

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    """A Wednesday; thirty days later is a Friday."""
    return datetime(2026, 7, 1, 12, tzinfo=UTC)


def told() -> list[str]:
    rows = Reminder.objects.select_related("person", "in_place_of").order_by("pk")
    return [
        f"{row.kind} {'escalated' if row.days_before is None else row.days_before} {row.person.username}"
        + (f" for {row.in_place_of.username}" if row.in_place_of else "")
        for row in rows
    ]


def test_voters_are_reminded_three_days_and_one_day_before(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    end = now + 30 * DAY
    assert make_reminders(now=end - 8 * DAY) == 0
    assert make_reminders(now=end - 3 * DAY) == 3
    assert told() == ["vote 3 reviewer_one", "vote 3 reviewer_two", "vote escalated approver"]
    assert make_reminders(now=end - 3 * DAY + HOUR) == 0
    review.vote(
        request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=end - 2 * DAY
    )
    assert make_reminders(now=end - 1 * DAY) == 1
    assert told()[3:] == ["vote 1 reviewer_two"]
    assert make_reminders(now=end) == 0
    event = AuditEvent.objects.filter(kind="reminder.made").order_by("position").last()
    assert event is not None
    assert (event.subject, event.details["person"], event.actor_id) == (in_review.ref, "reviewer_two", "")
    assert AuditEvent.objects.filter(kind="reminder.escalated").count() == 1


def test_the_inbox_shows_what_lapses_first_first_and_drops_what_is_done(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    at = now + 27 * DAY
    make_reminders(now=at)
    voter, lead = person_of(cast.reviewer_one), person_of(cast.approver)
    (entry,) = inbox_of(person=voter, now=at).entries
    assert (entry.kind, entry.ref, entry.ends_at) == ("vote", in_review.ref, now + 30 * DAY)
    assert (entry.step, entry.lapses_soon, entry.is_escalated) == ("Vote: Technical review.", True, False)
    (entry,) = inbox_of(person=lead, now=at).entries
    assert (entry.kind, entry.ref, entry.is_escalated) == ("escalation", in_review.ref, True)
    (line,) = reminders_of(lead, now=at)
    assert (line.is_escalation, line.text.partition(".")[0]) == (True, "The request has waited for too long")
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=at)
    assert reminders_of(voter, now=at) == ()
    assert reminders_of(lead, now=at) == ()
    assert len(reminders_of(person_of(cast.reviewer_two), now=at)) == 1
    assert reminders_of(person_of(cast.reviewer_two), now=now + 31 * DAY) == ()


def test_an_extension_makes_new_reminders(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_reminders(now=now + 27 * DAY)
    requests.extend(request=in_review, days=7, reason="Both reviewers are away.", by=cast.approver, now=now + 28 * DAY)
    assert reminders_of(person_of(cast.reviewer_one), now=now + 28 * DAY) == ()
    assert make_reminders(now=now + 34 * DAY) == 2 + 1
    assert len(reminders_of(person_of(cast.reviewer_one), now=now + 34 * DAY)) == 1


def test_the_deputy_is_reminded_and_the_absent_person_is_not(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    at = now + 27 * DAY
    first = confirmed(cast.reviewer_one, cast.product, cast=cast, now=at)
    make_absence(cast.reviewer_two, now=at)
    make_reminders(now=at)
    assert told() == ["vote 3 product for reviewer_one", "vote escalated approver"]
    (line,) = reminders_of(person_of(cast.product), now=at)
    assert line.in_place_of == "Reviewer One"
    assert reminders_of(person_of(cast.reviewer_one), now=at) == ()
    end_absence(absence=first, by=cast.reviewer_one, now=at)
    assert reminders_of(person_of(cast.product), now=at) == ()
    make_reminders(now=at + HOUR)
    assert told()[2:] == ["vote 3 reviewer_one"]


def test_a_reminder_of_a_deputy_ends_with_the_absence(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    """Also of what is no vote: the requester is there again."""
    at = now + 29 * DAY
    people.grant_role(user=cast.author, role=Role.DATA_STEWARD, by=None, now=at)
    absence = confirmed(cast.author, cast.product, cast=cast, now=at)
    make_reminders(now=at)
    assert "answer 1 product for author" in told()
    assert [line.in_place_of for line in reminders_of(person_of(cast.product), now=at)] == ["Author"]
    end_absence(absence=absence, by=cast.author, now=at)
    assert reminders_of(person_of(cast.product), now=at) == ()


def test_a_deputy_with_an_interest_is_not_asked(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    at = now + 27 * DAY
    people.grant_role(user=cast.author, role=Role.PRODUCT_LEAD, by=None, now=at)
    confirmed(cast.reviewer_one, cast.author, cast=cast, now=at)
    make_reminders(now=at)
    assert told() == ["vote 3 reviewer_two", "vote escalated approver"]


def test_requesters_are_reminded_of_open_evidence(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    at = now + 29 * DAY
    make_reminders(now=at)
    assert told() == ["answer 1 author", "answer escalated approver"]
    assert (
        reminders_of(person_of(cast.author), now=at)[0].text == "The request expires unless its evidence is completed."
    )
    requests.withdraw(request=submitted, reason="No longer needed.", by=cast.author, now=at)
    assert reminders_of(person_of(cast.author), now=at) == ()


def test_a_deputy_who_must_not_see_the_request_is_not_told(submitted: ReviewRequest, cast: Cast, now: datetime) -> None:
    at = now + 29 * DAY
    people.grant_role(user=cast.author, role=Role.DATA_STEWARD, by=None, now=at)
    stranger = make_person("stranger", Role.PRODUCT_LEAD, now=at)
    confirmed(cast.author, stranger, cast=cast, now=at)
    people.revoke_role(user=stranger, role=Role.PRODUCT_LEAD, by=cast.admin, now=at)
    make_reminders(now=at)
    assert told() == ["answer escalated approver"]


def test_authorizations_and_clearances_that_end(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    authorization = Authorization.objects.get()
    version = make_version(by=cast.author, now=now, slug="other")
    cleared = walks.make_submitted(by=cast.author, now=now, environment="dev", version=version)
    ReviewRequest.objects.filter(pk=cleared.pk).update(
        state="cleared", deadline_at=authorization.expires_at + HOUR, grace_ends_at=authorization.expires_at + HOUR
    )
    at = authorization.expires_at - 2 * HOUR
    make_reminders(now=at)
    assert told() == ["clearance 1 author", "authorization 1 author"]
    lines = reminders_of(person_of(cast.author), now=at)
    assert [line.kind for line in lines] == ["authorization", "clearance"]
    assert lines[0].subject == decided.ref


def test_a_proposal_that_lapses_reminds_who_can_confirm_it(cast: Cast, now: datetime) -> None:
    absence = make_absence(cast.reviewer_one, now=now, last=20)
    change = propose(absence, cast.finance, by=cast.approver, now=now)
    at = change.expires_at - HOUR
    make_reminders(now=at)
    assert told() == ["change 1 admin"]
    (line,) = reminders_of(person_of(cast.admin), now=at)
    assert (line.subject, line.change_id, line.title) == (str(change), change.pk, change.description)
    people.revoke_role(user=cast.admin, role=Role.ADMIN, by=None, now=at)
    assert reminders_of(person_of(cast.admin), now=at) == ()
    people.grant_role(user=cast.admin, role=Role.ADMIN, by=None, now=at)
    assert len(reminders_of(person_of(cast.admin), now=at)) == 1
    approvals.confirm(change=change, by=cast.admin, now=at)
    assert reminders_of(person_of(cast.admin), now=at) == ()


def test_in_grace_the_leads_are_told_even_if_somebody_voted(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    ReviewRequest.objects.filter(pk=in_review.pk).update(grace_ends_at=now + 35 * DAY)
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert make_reminders(now=now + 23 * DAY) == 0
    at = now + 31 * DAY
    make_reminders(now=at)
    assert "vote escalated approver" in told()
    assert reminders_of(person_of(cast.approver), now=at)[0].due_at == now + 35 * DAY
    occasions = OutboxMessage.objects.filter(kind="ticket.tell", payload__occasion="escalated")
    assert occasions.count() == 1


def test_escalation_changes_nobodys_rights(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    at = now + 27 * DAY
    before = inbox_of(person=person_of(cast.approver), now=at).entries
    make_reminders(now=at)
    (entry,) = inbox_of(person=person_of(cast.approver), now=at).entries
    assert (before, entry.kind) == ((), "escalation")
    assert voting_rights_of(snapshot_of(in_review, now=at), person=person_of(cast.approver)) == ()


def test_the_hour_is_enqueued_once_whatever_the_clock_does(cast: Cast, now: datetime) -> None:
    for at in (now, now + HOUR / 2, now + HOUR, now, now + HOUR / 3):
        request_regular_jobs(at)
    assert sorted(OutboxMessage.objects.filter(kind=MAKE).values_list("key", flat=True)) == [
        "reminders.make:2026-07-01T12",
        "reminders.make:2026-07-01T13",
    ]
    handle(OutboxMessage.objects.filter(kind=MAKE)[0])


def test_installations_choose_their_days(in_review: ReviewRequest, settings: Settings, now: datetime) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REMIND_DAYS": [5], "ESCALATE_PERCENT": 100}
    make_reminders(now=now + 23 * DAY)
    assert told() == ["vote 5 reviewer_one", "vote 5 reviewer_two"]


def test_a_reminder_never_changes(in_review: ReviewRequest, now: datetime) -> None:
    make_reminders(now=now + 27 * DAY)
    assert str(Reminder.objects.earliest("pk")) == f"vote {in_review.ref}"
    with pytest.raises(DatabaseError), transaction.atomic():
        Reminder.objects.update(due_at=now)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_reminder_once(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    at = now + 27 * DAY
    made = together([lambda: make_reminders(now=at), lambda: make_reminders(now=at), lambda: make_reminders(now=at)])
    assert sorted(told()) == ["vote 3 reviewer_one", "vote 3 reviewer_two", "vote escalated approver"]
    assert sum(one for one in made if isinstance(one, int)) == 3
    assert AuditEvent.objects.filter(kind__startswith="reminder.").count() == 3
    assert OutboxMessage.objects.filter(kind="ticket.tell", payload__occasion="escalated").count() == 1
