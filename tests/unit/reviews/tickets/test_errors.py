from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests  # noqa: TID251 -- what the adapter meets is made by hand here
from jira import JIRAError

from reviews.tickets.jira.errors import Operation, error_from_response, translate_errors
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import (
    CredentialRefused,
    FailureReach,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    TrackerError,
    TrackerUnreachable,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = JiraSettings(url="https://acme.atlassian.net", email="bot@acme.example", token="s3cret", project="MR")
READ = Operation(what="read the ticket", write=False)
WRITE = Operation(what="open the ticket", write=True)
ON_TICKET = Operation(what="add a comment", write=True, ticket="10001")


def answer(status: int, body: str = "", **headers: str) -> JIRAError:
    response = requests.Response()
    response.status_code, response._content = status, body.encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return JIRAError(status_code=status, response=response)


def meaning(error: JIRAError, doing: Operation) -> TrackerError:
    return error_from_response(error, doing, settings=SETTINGS, now=NOW)


@pytest.mark.parametrize(
    ("status", "doing", "kind"),
    [
        (429, READ, RateLimited),
        (429, WRITE, RateLimited),
        (408, READ, TrackerUnreachable),
        (408, WRITE, OutcomeUnknown),
        (500, READ, TrackerUnreachable),
        (500, WRITE, OutcomeUnknown),
        (503, READ, TrackerUnreachable),
        (503, WRITE, OutcomeUnknown),
        (504, ON_TICKET, OutcomeUnknown),
        (409, ON_TICKET, TrackerUnreachable),
        (400, WRITE, Misconfigured),
        (401, READ, CredentialRefused),
        (403, WRITE, Misconfigured),
        (404, WRITE, Misconfigured),
        (404, ON_TICKET, TicketGone),
        (410, READ, Misconfigured),
        (410, ON_TICKET, TicketGone),
        (413, ON_TICKET, Misconfigured),
        (422, WRITE, Misconfigured),
    ],
)
def test_what_each_status_asks_of_the_caller(status: int, doing: Operation, kind: type[TrackerError]) -> None:
    error = meaning(answer(status), doing)
    assert type(error) is kind
    assert error.reason.endswith(".")
    assert "s3cret" not in error.reason


@pytest.mark.parametrize("status", [403, 404, 410])
def test_without_a_project_none_is_named(status: int) -> None:
    said = error_from_response(answer(status), READ, settings=replace(SETTINGS, project=""), now=NOW).reason
    assert "project" not in said
    assert "MR" in meaning(answer(status), READ).reason


def test_what_is_too_large_is_said() -> None:
    error = meaning(answer(413), ON_TICKET)
    assert error.reason.endswith(
        "because it is larger than Jira allows: raise the limit of attachments in Jira, or attach the file by hand."
    )
    assert "screens" not in error.reason
    assert error.reach is FailureReach.TICKET


def test_an_unknown_outcome_waits_for_the_longer_of_both() -> None:
    assert meaning(answer(503), WRITE).settle_s == 45.0
    assert meaning(answer(503, Retry_After="10"), WRITE).settle_s == 45.0
    assert meaning(answer(503, Retry_After="90"), WRITE).settle_s == 90.0


def test_refused_fields_are_named_in_jiras_words() -> None:
    body = (
        '{"errorMessages": ["No."], "errors": {"customfield_10020": "Cost center is required.", "duedate": "Bad date"}}'
    )
    error = meaning(answer(400, body), WRITE)
    assert error.fields == ("customfield_10020", "duedate")
    assert "Jira says: customfield_10020: Cost center is required.; duedate: Bad date; No." in error.reason
    assert "fields of the route" in error.reason


def test_a_label_that_cannot_be_set_is_told_apart() -> None:
    error = meaning(answer(400, '{"errors": {"labels": "Field cannot be set."}}'), WRITE)
    assert error.fields == ("labels",)
    assert "add the field Labels to the screens of project MR" in error.reason


@pytest.mark.parametrize("body", ["<html>no</html>", "[]", '"text"', '{"errors": []}', '{"errorMessages": null}', ""])
def test_a_body_of_any_shape_still_gives_a_sentence(body: str) -> None:
    error = meaning(answer(400, body), WRITE)
    assert error.reason == (
        "Jira refused to open the ticket (answer 400). Correct the project's screens, or the project, issue type and "
        "fields of the route."
    )


def test_long_messages_are_cut() -> None:
    error = meaning(answer(403, '{"errorMessages": ["%s"]}' % ("x" * 1000)), WRITE)
    assert len(error.reason) < 500


def test_an_error_without_an_answer_is_still_one() -> None:
    assert type(meaning(JIRAError("?"), WRITE)) is Misconfigured


@pytest.mark.parametrize(
    ("raised", "doing", "kind"),
    [
        (requests.ConnectTimeout(), WRITE, TrackerUnreachable),
        (requests.exceptions.ProxyError(), WRITE, TrackerUnreachable),
        (requests.ConnectionError("dropped"), WRITE, OutcomeUnknown),
        (requests.ConnectionError(), WRITE, OutcomeUnknown),
        (requests.ConnectionError("dropped"), READ, TrackerUnreachable),
        (requests.exceptions.SSLError("UNEXPECTED_EOF"), WRITE, OutcomeUnknown),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), WRITE, Misconfigured),
        (requests.ReadTimeout(), WRITE, OutcomeUnknown),
        (requests.ReadTimeout(), READ, TrackerUnreachable),
        (requests.exceptions.ChunkedEncodingError(), WRITE, OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError(), READ, TrackerUnreachable),
        (requests.TooManyRedirects(), WRITE, Misconfigured),
        (requests.exceptions.InvalidURL(), READ, Misconfigured),
        (ValueError("no JSON"), READ, Misconfigured),
        (ValueError("no JSON"), WRITE, OutcomeUnknown),
        (KeyError("id"), WRITE, OutcomeUnknown),
        (TypeError("a list"), READ, Misconfigured),
    ],
)
def test_silence_and_nonsense(raised: Exception, doing: Operation, kind: type[TrackerError]) -> None:
    with pytest.raises(TrackerError) as error, translate_errors(doing, settings=SETTINGS, clock=lambda: NOW):
        raise raised
    assert type(error.value) is kind
    assert error.value.__cause__ is raised
    assert error.value.reason.endswith(".")


def test_what_is_in_words_already_passes() -> None:
    gone = TicketGone("It is gone.")
    with pytest.raises(TicketGone) as error, translate_errors(READ, settings=SETTINGS, clock=lambda: NOW):
        raise gone
    assert error.value is gone
