"""A mail and a page tell of nothing that their reader may not see any more; a mail asks for nothing that is done."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance.absences.actions.absences import state_absence
from governance.absences.domain import Period
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.inventory.models import ModelVersion
from governance.jobs.enums import JobState
from governance.notifications.actions.preferences import choose, unsubscribe
from governance.notifications.domain.hours import MailHours, quiet_end
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import Dispatch, Notification
from governance.notifications.outbox.dispatches import dispatch_due
from governance.notifications.outbox.notices import notify
from governance.notifications.outbox.reading import mark_read
from governance.notifications.queries.messages import mail_of
from governance.notifications.queries.relevance import readable
from governance.people.actions import grants
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.people.queries.people import person_of
from reviews.quarterly.actions.cycles import plan
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import review
from tests.factories.people import Cast, make_person
from tests.integration.governance.notifications.conftest import deliver_all, happened
from tests.standins.mail_server import MailServer

As = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
NIGHT, MORNING = datetime(2026, 5, 4, 21, 50, tzinfo=UTC), datetime(2026, 5, 5, 7, tzinfo=UTC)
QUIET = MailHours(quiet_from=22, quiet_to=7)
DAY = timedelta(days=1)


def mailed_at(now: datetime) -> set[str]:
    with time_machine.travel(now, tick=False):
        dispatch_due(now=now)
        return {row.state for row in deliver_all(now)}


def test_who_may_not_see_a_request_any_more_is_not_mailed_its_title(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, as_: As, api: Api, now: datetime
) -> None:
    RoleGrant.objects.filter(user=cast.reviewer_one).delete()
    for kind in ("lapses", "decided"):
        event = happened(kind=kind, key=kind, path=f"/requests/{in_review.ref}/", sentence="Query rewriter lapses.")
        notify(event=event, people=[cast.reviewer_one, cast.reviewer_two], now=now)
    mailed_at(now + 2 * DAY)
    told = {message["To"] for message in mailbox.messages if "Query rewriter lapses." in message.as_string()}
    assert told == {cast.reviewer_two.email}
    assert cast.reviewer_one.email not in {message["To"] for message in mailbox.messages}
    page = as_(cast.reviewer_one).get("/notifications/").content.decode()
    assert "Query rewriter" not in page
    assert "you may not see any more" in page
    assert api(cast.reviewer_one).get("/api/v1/notifications/").json()["results"] == []
    assert "Query rewriter lapses." in as_(cast.reviewer_two).get("/notifications/").content.decode()


def test_a_digest_asks_for_no_vote_that_is_cast(
    cast: Cast, mailbox: MailServer, in_review: ReviewRequest, now: datetime
) -> None:
    asked = set(Notification.objects.filter(kind="vote_asked").values_list("person__username", flat=True))
    assert asked == {"reviewer_one", "reviewer_two"}
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.APPROVE,
        rationale="The evidence is complete.",
        by=cast.reviewer_one,
        now=now,
    )
    mailed_at(now + DAY)
    asking = [message for message in mailbox.messages if "Asked to vote" in message.as_string()]
    assert {message["To"] for message in asking} == {cast.reviewer_two.email}


def test_a_digest_asks_for_no_change_that_is_confirmed(cast: Cast, mailbox: MailServer, now: datetime) -> None:
    second = make_person("admin2", Role.ADMIN, now=now)
    why = "The platform team reviews more models."
    change = grants.propose_grant(user=cast.outsider, role=Role.REVIEWER, reason=why, by=cast.admin, now=now)
    assert Notification.objects.get(kind="change_waits").person == second
    approvals.confirm(change=change, by=second, now=now)
    mailed_at(now + DAY)
    assert [message for message in mailbox.messages if "Change to confirm" in message.as_string()] == []


def test_the_finding_of_another_person_is_not_mailed(cast: Cast, now: datetime) -> None:
    sighting = Sighting(kind="bill", subject="b", text="t", severity=Severity.LOW, key="k")
    row = findings.raise_once(sighting=sighting, by=None, now=now)
    notify(event=happened(path=f"/findings/{row.pk}/"), people=[cast.author, cast.finance], now=now)
    rows = list(Notification.objects.all())
    assert readable(rows, person=person_of(cast.author)) == []
    assert readable(rows, person=person_of(cast.finance)) == rows


def test_versions_and_cycles_are_told_only_to_whoever_may_see_them(
    cast: Cast, version: ModelVersion, now: datetime
) -> None:
    (cycle,) = plan(now=now)
    for path in (f"/versions/{version.pk}/", f"/cycles/{cycle.quarter}/", "/versions/x/"):
        notify(event=happened(path=path, key=path), people=[cast.author, cast.approver, cast.outsider], now=now)
    seen = {
        user.username: [row.path for row in readable(user.notifications.order_by("pk"), person=person_of(user))]
        for user in (cast.author, cast.approver, cast.outsider)
    }
    paths = [f"/versions/{version.pk}/", f"/cycles/{cycle.quarter}/"]
    assert seen == {"author": paths[:1], "approver": paths, "outsider": []}


def test_quiet_hours_hold_what_was_made_before_them(cast: Cast, mailbox: MailServer) -> None:
    choose(paces={}, hours=QUIET, by=cast.author, now=NIGHT)
    notify(event=happened(kind="lapses"), people=[cast.author], now=NIGHT)
    dispatch_due(now=NIGHT)
    at_night = NIGHT + timedelta(hours=5)
    with time_machine.travel(at_night, tick=False):
        (row,) = deliver_all(at_night)
    assert (row.state, row.next_attempt_at, mailbox.messages) == (JobState.QUEUED, MORNING, [])
    with time_machine.travel(MORNING, tick=False):
        (row,) = deliver_all(MORNING)
    assert (row.state, len(mailbox.messages)) == (JobState.DONE, 1)


@pytest.mark.parametrize(("about", "left"), [("lapses", []), ("", []), ("decided", ["Nearly over."])])
def test_whoever_unsubscribes_in_quiet_hours_gets_no_mail_after_them(
    cast: Cast, mailbox: MailServer, about: str, left: list[str]
) -> None:
    choose(paces={}, hours=QUIET, by=cast.author, now=NIGHT)
    notify(event=happened(kind="lapses", sentence="Nearly over."), people=[cast.author], now=NIGHT)
    (dispatch,) = dispatch_due(now=NIGHT)
    at_night = NIGHT + timedelta(hours=5)
    with time_machine.travel(at_night, tick=False):
        deliver_all(at_night)
    unsubscribe(person=cast.author, about=about, now=at_night)
    with time_machine.travel(MORNING, tick=False):
        (row,) = deliver_all(MORNING)
    assert row.state == JobState.DONE
    assert [text for text in ["Nearly over."] for mail in mailbox.messages if text in mail.as_string()] == left
    again = mail_of(Dispatch.objects.get(pk=dispatch.pk), now=MORNING, is_repetition=True)
    assert again is not None, "what may have been sent before stays the same mail"


def test_of_a_digest_that_waits_only_the_kinds_that_are_mailed_are_left(cast: Cast) -> None:
    for kind in ("decided", "failed"):
        notify(event=happened(kind=kind, key=kind, sentence=kind), people=[cast.author], now=NIGHT)
    (dispatch,) = dispatch_due(now=NIGHT + DAY)
    paces = {"failed": NoticePace.PAGE, "decided": NoticePace.AT_ONCE}
    choose(paces=paces, hours=MailHours(), by=cast.author, now=NIGHT + DAY)
    mail = mail_of(dispatch, now=NIGHT + DAY)
    assert mail is not None
    assert [line.sentence for line in mail.lines] == ["decided"]


def test_an_absence_holds_what_was_made_before_it(cast: Cast, mailbox: MailServer, now: datetime) -> None:
    notify(event=happened(kind="lapses"), people=[cast.finance], now=now)
    dispatch_due(now=now)
    last_day = now.date() + 3 * DAY
    state_absence(person=cast.finance, period=Period(now.date(), last_day), by=cast.finance, now=now)
    with time_machine.travel(now, tick=False):
        (row,) = deliver_all(now)
    assert (row.state, row.next_attempt_at.date(), mailbox.messages) == (JobState.QUEUED, last_day + DAY, [])


def test_what_was_read_or_has_lapsed_is_left_out_unless_it_may_have_been_sent(cast: Cast) -> None:
    for key, until in (("read", None), ("lapsed", NIGHT + DAY), ("open", NIGHT + 3 * DAY)):
        notify(event=happened(kind="lapses", key=key, until=until, sentence=key), people=[cast.author], now=NIGHT)
    (dispatch,) = dispatch_due(now=NIGHT)
    mark_read(person=cast.author, ids=[Notification.objects.get(key="read").pk], now=NIGHT)
    dispatch = Dispatch.objects.select_related("person").get(pk=dispatch.pk)

    def sentences(**more: bool) -> list[str]:
        mail = mail_of(dispatch, now=NIGHT + 2 * DAY, **more)
        return [line.sentence for line in mail.lines] if mail else []

    assert sentences() == ["open"]
    assert sentences(is_repetition=True) == ["read", "lapsed", "open"]
    mark_read(person=cast.author, now=NIGHT)
    assert sentences() == []


@pytest.mark.parametrize(
    ("hours", "at", "end"),
    [
        (QUIET, NIGHT, NIGHT),
        (QUIET, NIGHT + timedelta(minutes=10), MORNING),
        (QUIET, MORNING - timedelta(seconds=1), MORNING),
        (MailHours(quiet_from=1, quiet_to=4, time_zone="Asia/Kolkata"), datetime(2026, 5, 4, 20, tzinfo=UTC), None),
    ],
)
def test_the_end_of_quiet_hours(hours: MailHours, at: datetime, end: datetime | None) -> None:
    expected = end or datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
    assert quiet_end(hours, now=at) == expected
