"""What is done between the event and its mail is not mailed, and who is concerned no longer is told so."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.notifications.actions.preferences import choose
from governance.notifications.domain.hours import MailHours
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import Notification
from governance.notifications.outbox.dispatches import dispatch_due
from governance.notifications.outbox.notices import notify
from governance.people.actions import people
from governance.people.domain.roles import Role
from reviews.authorizations.models import Authorization, Condition
from reviews.discussions.actions import comments
from reviews.inbox.actions import make_reminders
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.absences import confirmed
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import deliver_all, happened
from tests.standins.mail_server import MailServer

DAY = timedelta(days=1)


def mailed(mailbox: MailServer, words: str, *, at: datetime) -> set[str]:
    """Who got these words in a mail by then."""
    with time_machine.travel(at, tick=False):
        dispatch_due(now=at)
        deliver_all(at)
    return {message["To"].partition("@")[0] for message in mailbox.messages if words in message.as_string()}


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind, person__isnull=False).values_list("person__username", flat=True))


def daily(kind: str, *users: User, now: datetime) -> None:
    for user in users:
        choose(paces={kind: NoticePace.DIGEST}, hours=MailHours(), by=user, now=now)


def test_a_digest_names_no_finding_that_is_closed(cast: Cast, mailbox: MailServer, now: datetime) -> None:
    about = {"kind": "bill", "text": "t", "severity": Severity.LOW, "owner": cast.finance}
    sightings = [Sighting(subject=subject, key=subject, **about) for subject in ("Bill one", "Bill two")]
    first, _ = [findings.raise_once(sighting=each, by=None, now=now) for each in sightings]
    findings.close(finding=first, note="It was explained.", by=cast.approver, now=now)
    assert mailed(mailbox, "Bill two", at=now + DAY) == {"finance"}
    assert mailed(mailbox, "Bill one", at=now + DAY) == set()


def test_who_is_no_longer_responsible_for_a_finding_is_told_so(
    cast: Cast, mailbox: MailServer, now: datetime, as_: Callable[[User], Client]
) -> None:
    """They may not open the finding any more; the message about it leads elsewhere, and says nothing of it."""
    sighting = Sighting(kind="drift", subject="AUT-1", text="Slower.", severity=Severity.LOW, key="a")
    row = findings.raise_once(sighting=sighting, by=None, now=now)
    for hours, owner in enumerate([cast.author, cast.product]):
        at, due_on = now + timedelta(hours=hours), now.date() + DAY
        findings.assign(finding=row, owner=owner, due_on=due_on, by=cast.approver, now=at)
    page = as_(cast.author).get("/notifications/").content.decode()
    assert ("Product is responsible for it now." in page, "Slower." in page) == (True, False)
    assert mailed(mailbox, "is responsible for it now", at=now + 2 * DAY) == {"author"}
    assert mailed(mailbox, "Slower.", at=now + 2 * DAY) == {"product"}


def test_a_digest_names_no_mention_that_was_taken_back(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, now: datetime
) -> None:
    names = ("reviewer_one", "reviewer_two", "approver")
    says = {"kind": "request", "subject": in_review, "by": cast.author, "now": now}
    one, two, _ = [comments.start(text=f"@{name}, see this.", **says) for name in names]
    assert told("mentioned") == set(names)
    comments.withdraw(comment=one, by=cast.author, now=now)
    comments.edit(comment=two, text="Nobody must see this.", by=cast.author, now=now)
    assert mailed(mailbox, "mentions", at=now + DAY) == {"approver"}


def test_who_has_voted_meanwhile_is_not_reminded(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, now: datetime
) -> None:
    end = in_review.deadline_at
    assert end is not None
    daily("lapses", cast.reviewer_one, cast.reviewer_two, now=now)
    make_reminders(now=end - 2 * DAY)
    assert {"reviewer_one", "reviewer_two"} <= told("lapses")
    vote = {"stage_id": "technical", "choice": VoteChoice.APPROVE, "rationale": "Sound."}
    review.vote(request=in_review, by=cast.reviewer_one, now=end - 2 * DAY, **vote)
    asked = mailed(mailbox, "expires without your vote", at=end - timedelta(hours=1))
    assert asked & {"reviewer_one", "reviewer_two"} == {"reviewer_two"}


def test_the_end_of_before_is_not_mailed_after_an_extension(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, now: datetime
) -> None:
    end = in_review.deadline_at
    assert end is not None
    daily("lapses", cast.reviewer_one, now=now)
    make_reminders(now=end - 2 * DAY)
    requests.extend(request=in_review, days=5, reason="A holiday.", by=cast.approver, now=end - 2 * DAY)
    assert "reviewer_one" not in mailed(mailbox, "expires without your vote", at=end - timedelta(hours=1))


@pytest.mark.parametrize("is_met", [True, False])
def test_a_condition_that_is_met_is_not_mailed(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, now: datetime, is_met: bool
) -> None:
    walks.approve_technically(request=in_review, cast=cast, now=now)
    due_on = now.date() + 20 * DAY
    promise = NewCondition(text="Publish the bill.", owner=cast.author, due_on=due_on)
    vote = {"stage_id": "gpu-budget", "choice": VoteChoice.APPROVE, "conditions": (promise,)}
    review.vote(request=in_review, by=cast.approver, now=now, **vote)
    daily("condition_due", cast.author, now=now)
    before = now + 19 * DAY  # people are told on working days
    make_reminders(now=before)
    assert "author" in told("condition_due")
    if is_met:
        authorizations.confirm_condition(condition=Condition.objects.get(), by=cast.approver, now=before)
    assert mailed(mailbox, "is due on", at=before + DAY) == (set() if is_met else {"author"})


def test_what_is_about_something_else_is_kept(cast: Cast, mailbox: MailServer, now: datetime) -> None:
    """These kinds have other occasions too, which ask for nothing that can be done."""
    kinds = ("mentioned", "finding_assigned", "condition_due", "lapses", "authorization_ends")
    for kind in kinds:
        event = happened(kind=kind, key=f"other:{kind}", sentence=f"Told of {kind}.")
        notify(event=event, people=[cast.author], now=now)
    assert [mailed(mailbox, f"Told of {kind}.", at=now + DAY) for kind in kinds] == [{"author"}] * len(kinds)


def test_the_deputy_is_told_of_an_authorization_that_is_suspended(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    people.grant_role(user=cast.author, role=Role.REVIEWER, by=None, now=now)
    confirmed(cast.author, cast.reviewer_one, cast=cast, now=now)
    authorizations.revoke(authorization=Authorization.objects.get(), reason="It drifts.", by=cast.approver, now=now)
    rows = Notification.objects.filter(kind="authorization_ends").order_by("person__username")
    assert [(row.person.username, row.in_place_of) for row in rows] == [("author", None), ("reviewer_one", cast.author)]
