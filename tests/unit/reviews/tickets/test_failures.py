"""What breaks on the way. The bar everywhere: exactly one ticket, and never a wait inside the adapter."""

import socket
import time
from collections.abc import Callable

import pytest

from reviews.tickets.jira.flavors import CLOUD
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import (
    CredentialRefused,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    Paragraph,
    RateLimited,
    RemoteTicket,
    TicketGone,
    TrackerError,
    TrackerUnreachable,
)
from tests.standins.jira_cloud import JiraCloud
from tests.unit.reviews.tickets.conftest import DRAFT

Make = Callable[..., JiraTracker]
CREATE = "POST .*/issue$"


def open_once(tracker: JiraTracker) -> RemoteTicket:
    """As the tasks do: search first, because an earlier attempt may have left a ticket."""
    return tracker.find(DRAFT.label) or tracker.open(DRAFT)


@pytest.mark.parametrize(
    "fault",
    [{"drop_after_commit": True}, {"fail_503_after_commit": True}, {"delay_s": 1.6}],
    ids=lambda fault: next(iter(fault)),
)
def test_an_answer_lost_after_the_commit_makes_one_ticket(jira: JiraCloud, tracker_for: Make, fault: dict) -> None:
    tracker = tracker_for(**({"read_timeout_s": 1.0} if "delay_s" in fault else {}))
    jira.order(CREATE, **fault)
    with pytest.raises(OutcomeUnknown, match="may have been done anyway") as unknown:
        tracker.open(DRAFT)
    assert unknown.value.settle_s == 0.5
    adopted = open_once(tracker)
    assert (adopted.key, adopted.duplicates) == ("MR-1", ())
    assert len(jira.issues.issues) == 1


@pytest.mark.parametrize("fault", [{"drop_before_commit": True}, {"status": 502}], ids=lambda fault: next(iter(fault)))
def test_a_request_lost_before_the_commit_is_sent_again(jira: JiraCloud, tracker: JiraTracker, fault: dict) -> None:
    jira.order(CREATE, **fault)
    with pytest.raises(OutcomeUnknown):
        tracker.open(DRAFT)
    assert open_once(tracker).key == "MR-1"
    assert len(jira.issues.issues) == 1


def test_ten_lost_answers_make_one_ticket(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order(CREATE, drop_after_commit=True, times=-1)
    attempts = 0
    for _ in range(10):
        try:
            open_once(tracker)
        except OutcomeUnknown:
            attempts += 1
    assert (attempts, len(jira.issues.issues)) == (1, 1)


def test_retries_are_off_a_503_is_one_request_and_no_wait(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order(CREATE, status=503, retry_after="30", times=-1)
    began_s = time.monotonic()
    with pytest.raises(OutcomeUnknown) as unknown:
        tracker.open(DRAFT)
    assert time.monotonic() - began_s < 20
    assert unknown.value.settle_s == 30
    assert jira.requests(f"POST {jira.root}/issue ") == [f"POST {jira.root}/issue 503"]


def test_a_dropped_read_is_one_request_too(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/serverInfo", drop_before_commit=True, times=-1)
    with pytest.raises(TrackerUnreachable, match="cannot be reached"):
        tracker.open(DRAFT)
    assert jira.requests("GET") == [f"GET {jira.root}/serverInfo 0"]
    assert jira.requests("POST") == []


@pytest.mark.parametrize(
    ("retry_after", "headers", "wait_s"),
    [
        ("17", {}, 17.0),
        ("Tue, 24 Nov 2026 12:00:20 GMT", {}, 20.0),
        (None, {}, None),
        (None, {"X-RateLimit-Reset": "2026-11-24T12:00:05Z"}, 5.0),
    ],
    ids=["seconds", "date", "absent", "reset"],
)
def test_asked_to_slow_down_in_any_form(
    jira: JiraCloud, tracker_for: Make, retry_after: str | None, headers: dict[str, str], wait_s: float | None
) -> None:
    tracker = tracker_for()
    jira.order(CREATE, status=429, retry_after=retry_after, headers=headers)
    with pytest.raises(RateLimited) as limited:
        tracker.open(DRAFT)
    assert (limited.value.retry_after_s, limited.value.reach) == (wait_s, "tracker")
    assert len(jira.requests(f"POST {jira.root}/issue ")) == 1
    sent = len(jira.site.log)
    with pytest.raises(RateLimited, match="was not asked to search for the ticket") as silent:
        tracker.find(DRAFT.label)
    assert silent.value.retry_after_s == (5.0 if wait_s is None else wait_s)
    assert len(jira.site.log) == sent
    assert tracker_for().open(DRAFT).key == "MR-1"


def test_too_many_writes_of_one_ticket_are_that_tickets_matter(jira: JiraCloud, tracker_for: Make) -> None:
    jira.site.limits.windows = ((20, 60.0),)  # wide enough for a slow machine
    opened = tracker_for().open(DRAFT)
    for number in range(20):
        tracker_for().link(opened.id, url="http://localhost/", title="x", global_id=str(number))
    with pytest.raises(RateLimited) as limited:
        tracker_for().link(opened.key, url="http://localhost/", title="x", global_id="20")
    assert limited.value.reach == "ticket"
    assert 0 < limited.value.retry_after_s <= 60
    assert tracker_for().open(DRAFT).key == "MR-2"
    assert tracker_for().comment("10002", (Paragraph("x"),), marker="m") == "10002001"


def test_the_connection_test_tells_how_long_to_wait(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/myself", status=429, retry_after="30")
    assert (tracker.check().ok, tracker.check().retry_after_s) == (False, 30.0)
    assert len(jira.requests(f"GET {jira.root}/myself")) == 1


@pytest.mark.parametrize(
    ("answer", "reach"),
    [
        ({"status": 400, "body": {"errors": {"summary": "Too odd."}}}, "alike"),
        ({"status": 400, "body": {"errorMessages": ["Too odd."]}}, "ticket"),
        ({"status": 401}, "tracker"),
        ({"status": 403}, "alike"),
        ({"status": 404}, "tracker"),
        ({"status": 409}, "ticket"),
    ],
)
def test_how_far_a_failure_goes(jira: JiraCloud, tracker: JiraTracker, answer: dict, reach: str) -> None:
    jira.order(CREATE, **answer)
    with pytest.raises(TrackerError) as failure:
        tracker.open(DRAFT)
    assert failure.value.reach == reach


@pytest.mark.parametrize("reason", ["AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"])
@pytest.mark.parametrize(("status", "body"), [(404, {}), (403, {}), (200, {"issues": []})])
def test_a_server_that_answers_as_if_nobody_had_signed_in_refuses_the_credential(
    jira: JiraCloud, tracker: JiraTracker, reason: str, status: int, body: dict
) -> None:
    jira.order(".*", status=status, body=body, headers={"X-Seraph-LoginReason": reason}, times=-1)
    for ask in (lambda: tracker.find(DRAFT.label), lambda: tracker.comment("10001", (Paragraph("x"),), marker="m")):
        with pytest.raises(CredentialRefused, match="Create a new token"):
            ask()


def test_a_ticket_that_is_gone_is_no_refused_credential(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("POST .*/comment", status=404, headers={"X-Seraph-LoginReason": "OK"})
    with pytest.raises(TicketGone):
        tracker.comment("10001", (Paragraph("x"),), marker="m")


def test_nobody_listening_means_nothing_was_done(tracker_for: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = tracker_for(url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(TrackerUnreachable, match="cannot be reached") as unreachable:
            closed.open(DRAFT)
    assert not isinstance(unreachable.value, OutcomeUnknown)


def test_a_server_gone_between_two_calls_means_nothing_was_done(tracker_for: Make) -> None:
    with JiraCloud() as leaving:
        tracker = tracker_for(url=leaving.url, flavor=CLOUD, email=leaving.config.email)
        assert tracker.find(DRAFT.label) is None
        tracker._client.disconnect()  # the next call dials anew
    with pytest.raises(TrackerUnreachable):
        tracker.open(DRAFT)


def test_a_wrong_token_is_told(tracker_for: Make) -> None:
    with pytest.raises(Misconfigured, match=r"does not accept the .* settings of the site") as refused:
        tracker_for(token="wrong-token").open(DRAFT)
    assert "wrong-token" not in refused.value.reason


def test_a_missing_permission_is_told(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order(CREATE, status=403, body={"errorMessages": ["You cannot create issues here."], "errors": {}})
    with pytest.raises(
        Misconfigured, match=r"may not open the ticket in Jira.*Jira says: You cannot create issues here\."
    ):
        tracker.open(DRAFT)


def test_a_project_that_is_gone_is_told(tracker_for: Make) -> None:
    with pytest.raises(Misconfigured, match="project: valid project is required") as refused:
        tracker_for(project="NONE").open(DRAFT)
    assert refused.value.fields == ("project",)


def test_a_wrong_path_is_told(tracker_for: Make, jira: JiraCloud) -> None:
    with pytest.raises(Misconfigured, match="Check the address of the site"):
        tracker_for(url=f"{jira.url}/rest/nowhere").find(DRAFT.label)


def test_a_required_field_is_named(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.config.required.append("customfield_10020")
    with pytest.raises(Misconfigured, match="customfield_10020: Cost center is required") as refused:
        tracker.open(DRAFT)
    assert refused.value.fields == ("customfield_10020",)
    assert jira.issues.issues == []


def test_a_screen_without_labels_opens_nothing(jira: JiraCloud, tracker: JiraTracker) -> None:
    del jira.config.screen["labels"]
    with pytest.raises(Misconfigured, match="add the field Labels") as refused:
        tracker.open(DRAFT)
    assert not isinstance(refused.value, LabelLost)
    assert jira.issues.issues == []


def test_a_redirect_is_not_followed(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order(CREATE, status=302, headers={"Location": f"{jira.root}/myself"})
    with pytest.raises(Misconfigured, match="it redirects"):
        tracker.open(DRAFT)
    assert jira.requests(f"GET {jira.root}/myself") == []


@pytest.mark.parametrize("body", ["<html>please log in</html>", [], {}])
def test_a_created_answer_that_says_nothing_is_an_unknown_outcome(
    jira: JiraCloud, tracker: JiraTracker, body: object
) -> None:
    jira.order(CREATE, status=201, body=body)
    with pytest.raises(OutcomeUnknown, match="could not be read"):
        tracker.open(DRAFT)


def test_a_login_page_before_jira_is_told(jira: JiraCloud, tracker: JiraTracker) -> None:
    jira.order("GET .*/serverInfo", status=200, body="<html>please log in</html>")
    with pytest.raises(Misconfigured, match="no login page or proxy"):
        tracker.find(DRAFT.label)


def test_another_server_than_it_was_is_told(jira: JiraCloud, tracker: JiraTracker) -> None:
    other = "Cloud" if jira.config.deployment == "Server" else "Server"
    info = {"version": "10.0.0", "versionNumbers": [10, 0, 0], "deploymentType": other}
    jira.order("GET .*/serverInfo", status=200, body=info)
    with pytest.raises(Misconfigured, match=f"reports the type {other}, not Jira"):
        tracker.find(DRAFT.label)
    jira.order("GET .*/serverInfo", status=200, body={"version": "1"})
    with pytest.raises(Misconfigured, match="reports the type unknown"):
        tracker.find(DRAFT.label)


def test_a_comment_whose_answer_was_lost_is_written_once(jira: JiraCloud, tracker: JiraTracker) -> None:
    ticket = tracker.open(DRAFT)
    jira.order("POST .*/comment", drop_after_commit=True)
    with pytest.raises(OutcomeUnknown):
        tracker.comment(ticket.id, (Paragraph("once"),), marker="event-1", may_exist=False)
    tracker.comment(ticket.id, (Paragraph("once"),), marker="event-1")
    assert len(jira.issues.issues[0]["comments"]) == 1


@pytest.mark.parametrize("path", ["transitions", "remotelink"])
def test_moves_and_links_may_simply_be_repeated(jira: JiraCloud, tracker: JiraTracker, path: str) -> None:
    ticket = tracker.open(DRAFT)
    jira.order(f"POST .*/{path}", drop_after_commit=True)

    def effect() -> object:
        if path == "transitions":
            return tracker.transition(ticket.id, "Done")
        return tracker.link(ticket.id, url="http://localhost/", title="x", global_id="y")

    with pytest.raises(OutcomeUnknown):
        effect()
    effect()
    (issue,) = jira.issues.issues
    assert (issue["status"] == "10003") is (path == "transitions")
    assert len(issue["links"]) == (path == "remotelink")


def test_every_failure_is_a_tracker_error(jira: JiraCloud, tracker: JiraTracker) -> None:
    for status in (300, 305, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 501, 502, 503, 504):
        jira.order(CREATE, status=status)
        with pytest.raises(TrackerError):
            tracker.open(DRAFT)
    assert jira.issues.issues == []
