"""Whatever the server of a site answers, an operation ends in an error of the port: in time, in little memory."""

import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reviews.tickets.jira.answers import BoundedAdapter, _Whole
from reviews.tickets.jira.reader import JiraReader
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import OutcomeUnknown, Paragraph, TicketDraft, TrackerError, TrackerUnreachable
from tests.standins.hostile_http import ANSWERS, odd, serving
from weighbridge.core.parsing.http_answers import RETRY_AFTER_MAX_S

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
# The slow answers last 20 s. Where a test needs a right answer as well, the time is long enough for a busy machine.
TIMEOUT_S, PATIENT_S, IN_TIME_S, MEMORY_BYTES = 1.0, 15.0, 18.0, 150_000_000
API = "/rest/api/3"
ITSELF = {
    f"{API}/serverInfo": json.dumps({"deploymentType": "Cloud"}).encode(),
    f"{API}/myself": json.dumps({"accountId": "us", "displayName": "Weighbridge"}).encode(),
}
DRAFT = TicketDraft(label="weighbridge-test-1", summary="S", body=(Paragraph("P"),))
OPERATIONS: dict[str, Callable[[JiraReader], Any]] = {
    "read": lambda jira: jira.read("10001"),
    "statuses": lambda jira: jira.read_statuses(["10001"]),
    "find": lambda jira: jira.find(DRAFT.label),
    "open": lambda jira: jira.open(DRAFT),
    "move": lambda jira: jira.transition("10001", "Done"),
}


def failure_of(url: str, act: Callable[[JiraReader], Any], *, timeout_s: float = TIMEOUT_S) -> TrackerError:
    settings = JiraSettings(url=url, email="bot@acme.example", token="t", project="MR", read_timeout_s=timeout_s)
    jira = JiraReader(settings, clock=lambda: NOW)
    tracemalloc.start()
    began_s = time.monotonic()
    try:
        with pytest.raises(TrackerError) as failed:
            act(jira)
        assert time.monotonic() - began_s < IN_TIME_S
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
    finally:
        tracemalloc.stop()
        jira.close()
    assert 0 < len(failed.value.reason) < 1_000
    return failed.value


@pytest.mark.parametrize("operation", ["read", "open"])
@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_of_a_hostile_server_is_taken_for_one(name: str, operation: str) -> None:
    with serving(ANSWERS[name], first=ITSELF) as url:
        failed = failure_of(url, OPERATIONS[operation])
    if isinstance(failed, TrackerUnreachable) and failed.retry_after_s is not None:
        assert 0 <= failed.retry_after_s <= RETRY_AFTER_MAX_S


@pytest.mark.parametrize("name", ANSWERS)
def test_nor_is_it_taken_for_jira(name: str) -> None:
    with serving(ANSWERS[name]) as url:
        failure_of(url, OPERATIONS["find"])


@pytest.mark.parametrize("name", ANSWERS)
def test_the_connection_test_says_so(name: str) -> None:
    with serving(ANSWERS[name], first=ITSELF) as url:
        settings = JiraSettings(url=url, email="bot@acme.example", token="t", project="MR", read_timeout_s=TIMEOUT_S)
        health = JiraReader(settings, clock=lambda: NOW).check()
    assert not health.ok
    assert health.sentence


FIELDS = {"status": {"name": "Open"}, "updated": "2026-11-24T12:00:00.000+0000", "labels": []}
ISSUE = {"id": "10001", "key": "MR-1", "fields": FIELDS}
ODD = {
    "a path for an id": ISSUE | {"id": "../../admin"},
    "dots for a key": ISSUE | {"id": "..", "key": ".."},
    "a list for an id": ISSUE | {"id": ["10001"]},
    "an id of 1,000 digits": ISSUE | {"id": "1" * 1_000},
    "a list for the fields": ISSUE | {"fields": []},
    "a number for the status": ISSUE | {"fields": FIELDS | {"status": 5}},
    "a text for the status": ISSUE | {"fields": FIELDS | {"status": "Open"}},
    "a number for a time": ISSUE | {"fields": FIELDS | {"updated": 5}},
    "a time of the year 1": ISSUE | {"fields": FIELDS | {"updated": "0001-01-01T00:00:00.000+2359"}},
    "a time of the year 9999": ISSUE | {"fields": FIELDS | {"updated": "9999-12-31T23:59:59.000-2359"}},
    "lists everywhere": {"issues": [[]], "transitions": [[]], "id": [], "key": []},
    "texts everywhere": {"issues": "no", "transitions": "no", "id": "1/2", "key": "3/4"},
    "objects for lists": {"issues": {"a": 1}, "transitions": {"a": 1}, "id": {}, "key": {}},
    "numbers for lists": {"issues": 5, "transitions": 5},
    "nothing for lists": {"issues": None, "transitions": None, "id": None, "key": None},
    "empty": {},
}


@pytest.mark.parametrize("operation", ["read", "statuses", "find", "move"])
@pytest.mark.parametrize("name", ODD)
def test_an_answer_of_another_form_is_an_error_of_the_port(name: str, operation: str) -> None:
    with serving(odd(ODD[name]), first=ITSELF) as url:
        failure_of(url, OPERATIONS[operation], timeout_s=PATIENT_S)


@pytest.mark.parametrize("name", [name for name, document in ODD.items() if document.get("id") != "10001"])
def test_a_ticket_without_an_id_may_have_been_opened(name: str) -> None:
    with serving(odd(ODD[name]), first=ITSELF) as url:
        assert isinstance(failure_of(url, OPERATIONS["open"], timeout_s=PATIENT_S), OutcomeUnknown)


@pytest.mark.parametrize(
    "page",
    [
        {"comments": "none", "total": 1},
        {"comments": [5], "total": 1},
        {"comments": [{"id": "1/2"}], "total": 1},
        {"comments": [{"id": "1", "author": [], "created": "", "updated": ""}], "total": 1},
        {"comments": [{"id": "1", "author": "us", "body": 5}], "total": "many"},
        {"comments": {"a": 1}, "total": 1},
    ],
)
def test_comments_of_another_form_are_an_error_of_the_port(page: object) -> None:
    right = ITSELF | {f"{API}/issue/10001": json.dumps(ISSUE).encode()}
    with serving(odd(page), first=right) as url:
        failure_of(url, OPERATIONS["read"], timeout_s=PATIENT_S)


@pytest.mark.parametrize("time_of", ["0001-01-01T00:00:00.000+2359", "9999-12-31T23:59:59.000-2359"])
def test_a_time_that_cannot_be_is_none(time_of: str) -> None:
    with serving(odd({"issues": [ISSUE | {"fields": FIELDS | {"updated": time_of}}]}), first=ITSELF) as url:
        failure_of(url, OPERATIONS["statuses"], timeout_s=PATIENT_S)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_leads_around_the_limits(scheme: str) -> None:
    adapter = BoundedAdapter()
    for manager in (adapter.poolmanager, adapter.proxy_manager_for("http://127.0.0.1:9")):
        pool = manager.pool_classes_by_scheme[scheme]
        assert issubclass(pool.ConnectionCls, _Whole)


def test_a_list_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"id": "1", "created": FIELDS["updated"], "updated": FIELDS["updated"], "body": {}, "items": []}
    page = {"comments": [entry], "values": [entry], "total": 10**9}
    right = ITSELF | {f"{API}/issue/10001": json.dumps(ISSUE).encode()}
    comments = {f"{API}/issue/10001/{part}": json.dumps(page).encode() for part in ("comment", "changelog")}
    settings_of = {"email": "bot@acme.example", "token": "t", "project": "MR", "read_timeout_s": PATIENT_S}
    with serving(odd({}), first=right | comments) as url:
        jira = JiraReader(JiraSettings(url=url, **settings_of), clock=lambda: NOW)
        read = jira.read("10001")
        assert (len(read.comments), read.moves) == (100, ())
        monkeypatch.setattr("reviews.tickets.jira.tracker.LIST_S", -1.0)
        with pytest.raises(TrackerUnreachable, match="took too long"):
            jira.read("10001")
        jira.close()
