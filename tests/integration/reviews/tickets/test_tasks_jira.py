"""The ticket's messages with the real adapter, over HTTP, against the stand-in of Jira Cloud: exactly one ticket."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.kinds import backoff
from governance.jobs.models import OutboxMessage
from governance.operations import actions as effect_actions
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket, TicketComment, TicketSite
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver, states
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter

CREATE = "POST .*/issue$"
SETTLE_S = 1
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(params=[JiraCloud, JiraDataCenter])
def jira(request: pytest.FixtureRequest, db: None, now: datetime) -> Iterator[JiraCloud]:
    with request.param() as there:
        sites.site_at(there, now=now, settle_s=SETTLE_S)
        effects.route_waiting(now=now)
        yield there


def test_a_ticket_with_its_reasons_and_a_link_back(submitted: ReviewRequest, jira: JiraCloud, clock: Clock) -> None:
    assert states(deliver(clock)) == [JobState.DONE]
    (issue,) = jira.issues.issues
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.key, ticket.url) == ("linked", "MR-1", f"{jira.url}/browse/MR-1")
    assert (ticket.remote_id, ticket.status) == (issue["id"], "To Do")
    assert issue["fields"]["labels"] == [ticket.label]
    assert issue["fields"]["summary"] == f"{submitted.ref} Model review: Visual search, autumn model"
    assert "The rule needs a measured or billed value of Latency p95" in str(issue["fields"]["description"])
    assert f"https://weighbridge.test/requests/{submitted.ref}/" in str(issue)
    assert len(jira.requests(f"POST {jira.root}/issue ")) == 1


@pytest.mark.parametrize("fault", [{"drop_after_commit": True}, {"fail_503_after_commit": True}])
def test_a_lost_answer_is_adopted(
    submitted: ReviewRequest, jira: JiraCloud, clock: Clock, fault: dict[str, bool]
) -> None:
    jira.order(CREATE, **fault)
    (message,) = deliver(clock)
    assert (message.state, message.is_uncertain) == (JobState.QUEUED, True)
    assert "may have been done anyway" in message.error
    wait = max(timedelta(seconds=SETTLE_S), backoff(1))
    assert (Ticket.objects.get().state, message.next_attempt_at) == ("uncertain", clock.now() + wait)
    assert states(deliver(clock, after_s=wait.total_seconds())) == [JobState.DONE]
    assert (len(jira.issues.issues), Ticket.objects.get().key) == (1, "MR-1")


def test_a_request_that_never_arrived_is_sent_again(submitted: ReviewRequest, jira: JiraCloud, clock: Clock) -> None:
    jira.order(CREATE, drop_before_commit=True)
    deliver(clock)
    assert (Ticket.objects.get().state, len(jira.issues.issues)) == ("uncertain", 0)
    while JobState.DONE not in states(deliver(clock, after_s=600)):
        assert clock.now() < submitted.deadline_at
    assert len(jira.issues.issues) == 1


def test_a_failing_link_opens_no_second_ticket_while_search_lags(
    submitted: ReviewRequest, jira: JiraCloud, clock: Clock
) -> None:
    jira.config.index_lag_s = 60.0
    jira.order("POST .*/remotelink$", status=429, retry_after="7")
    (message,) = deliver(clock)
    assert (message.state, message.next_attempt_at) == (JobState.QUEUED, clock.now() + timedelta(seconds=7))
    assert states(deliver(clock, after_s=7)) == [JobState.DONE]
    assert len(jira.issues.issues) == 1


def test_a_label_the_screens_lose_keeps_the_ticket_and_calls_a_person(
    submitted: ReviewRequest, jira: JiraCloud, cast: Cast, clock: Clock
) -> None:
    jira.order(CREATE, strip_labels=True)
    (message,) = deliver(clock)
    assert message.state == JobState.PAUSED
    assert "add the field Labels to the screens" in message.error
    assert (Ticket.objects.get().key, Ticket.objects.get().state) == ("MR-1", "linked")
    effect_actions.resume_all(by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    assert len(jira.issues.issues) == 1


def test_a_wrong_token_pauses_in_words_and_resumes(
    submitted: ReviewRequest, jira: JiraCloud, cast: Cast, clock: Clock
) -> None:
    sites.replace_token(TicketSite.objects.get(), "stale")
    (message,) = deliver(clock)
    assert message.state == JobState.PAUSED
    assert "store it in the settings of the site" in message.error
    assert deliver(clock, after_s=86_400) == []
    sites.replace_token(TicketSite.objects.get(), jira.config.token)
    effect_actions.resume_all(by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    assert len(jira.issues.issues) == 1


def test_slowing_down_is_obeyed(submitted: ReviewRequest, jira: JiraCloud, clock: Clock) -> None:
    jira.order(CREATE, status=429, retry_after="120")
    (message,) = deliver(clock)
    assert (message.state, message.is_uncertain) == (JobState.QUEUED, False)
    assert message.next_attempt_at == clock.now() + timedelta(seconds=120)
    assert deliver(clock, after_s=119) == []
    assert len(jira.requests(f"POST {jira.root}/issue ")) == 1


def test_the_whole_review_is_told_once(policy: object, cast: Cast, jira: JiraCloud, clock: Clock) -> None:
    walks.make_decided(cast=cast, now=clock.now())
    jira.order("POST .*/comment$", drop_after_commit=True)
    assert JobState.QUEUED in states(deliver(clock))
    deliver(clock, after_s=60)
    assert not OutboxMessage.objects.filter(kind__startswith="ticket.").exclude(state=JobState.DONE).exists()
    (issue,) = jira.issues.issues
    text = " ".join(str(comment["body"]) for comment in issue["comments"])
    for words in ("review required", "reviewers are asked", "Fast and cheap"):
        assert text.count(words) == 1
    assert Ticket.objects.get().status == "Done"


def test_a_ticket_deleted_there_is_never_made_again(submitted: ReviewRequest, jira: JiraCloud, clock: Clock) -> None:
    deliver(clock)
    jira.issues.delete("MR-1")
    effects.notify_request_ticket(
        request=submitted, occasion="in_review", reason="Please vote.", by=None, now=clock.now()
    )
    assert states(deliver(clock)) == [JobState.DONE]
    assert "deleted" in AuditEvent.objects.get(kind="ticket.updated").reason
    assert len(jira.requests(f"POST {jira.root}/issue ")) == 1


def test_a_comment_restricted_later_is_forgotten_and_ours_stay(
    submitted: ReviewRequest, jira: JiraCloud, clock: Clock
) -> None:
    deliver(clock)
    effects.notify_request_ticket(request=submitted, occasion="in_review", reason="Vote.", by=None, now=clock.now())
    deliver(clock)
    (ours,) = jira.issues.issues[0]["comments"]
    _, theirs = jira.issues.add_comment("MR-1", {"body": ours["body"]}, author="a-person")
    seen = []
    for limit in (None, {"type": "role", "value": "Administrators"}):
        for said in (ours, theirs):
            jira.issues.change_comment("MR-1", said["id"], ours["body"], visibility=limit)
        inbound.request_read(ticket=Ticket.objects.get(), occasion=str(limit), by=None, now=clock.now())
        assert states(deliver(clock)) == [JobState.DONE]
        seen.append(dict(TicketComment.objects.values_list("remote_id", "is_ours")))
    assert seen == [{ours["id"]: True, theirs["id"]: False}, {ours["id"]: True}]


def test_a_connection_test_over_http(cast: Cast, jira: JiraCloud, clock: Clock) -> None:
    effect_actions.request_check(by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE] * 2
    names = [step["name"] for step in TicketSite.objects.get().steps]
    assert names == ["Server", "Account", "Project", "Permissions", "Issue type", "Fields"]
    details = AuditEvent.objects.get(kind="tracker.checked").details
    assert details["ok"] is True
    assert details["sentence"].endswith(".")
