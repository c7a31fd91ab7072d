"""Promise 4: neither adapter nor stand-in drifts from Atlassian's description of Jira Cloud (Prism judges between
them).
"""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reviews.tickets.jira.client import JiraClient
from reviews.tickets.jira.reader import JiraReader
from reviews.tickets.jira.settings import STATUSES, JiraSettings
from reviews.tickets.ports import Fields, Heading, LabelLost, Link, Misconfigured, Paragraph, TicketDraft, TicketGone
from tests.promises import harness_report, prism
from tests.promises.tickets import LONG
from tests.standins.jira_cloud import JiraCloud

KNOWN_QUIRKS: dict[str, str] = {}
"""What may depart, and why: "request|response METHOD path: message" to a reason."""

PAGE = "http://localhost:8000/requests/MRR-2026-0042/"
DRAFT = TicketDraft(
    label="weighbridge-test-mrr-2026-0042",
    summary="Review of sentiment 3.1",
    body=(
        Heading("Why"),
        Paragraph("Training costs\nmore than it may."),
        Fields((("training_cost_usd", "12000.00 USD"), ("latency_p95_ms", ""))),
        Link("The request", PAGE),
    ),
)


READ_COMMENTS = 120  # more than a page

if LONG:
    prism.install()
pytestmark = pytest.mark.skipif(bool(prism.missing()), reason=prism.missing())


class Judged:
    """Stand-in, Prism before it, and what Prism found."""

    def __init__(self, jira: JiraCloud, url: str) -> None:
        self.jira, self.url = jira, url
        self.seen: list[str] = []
        self.departures: list[str] = []
        self.all_seen: list[str] = []
        self.all_departures: list[str] = []

    def hear(self, answer: Any, *arguments: object, **options: object) -> None:
        """Note an answer of the adapter's own session."""
        request = f"{answer.request.method} {answer.request.path_url.partition('?')[0]}"
        self.seen.append(f"{request} {answer.status_code}")
        self.departures += departures(request, answer.headers)
        self.all_seen.append(self.seen[-1])
        self.all_departures += departures(request, answer.headers)


def departures(request: str, headers: Any) -> list[str]:
    """What Prism says of one request and its answer."""
    return [
        f"{found['location'][0]} {request}: {'.'.join(map(str, found['location'][1:]))} {found['message']}"
        for found in json.loads(headers.get("sl-violations", "[]"))
    ]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    with JiraCloud() as jira, prism.between(jira.url, work=tmp_path_factory.mktemp("prism")) as url:
        judged = Judged(jira, url)
        yield judged
        departures = [each for each in judged.all_departures if each not in KNOWN_QUIRKS]
        operations = {re.sub(r"/\d+", "/ID", line.rpartition(" ")[0]) for line in judged.all_seen}
        counts = {"requests": len(judged.all_seen), "operations": len(operations), "departures": len(departures)}
        harness_report.tell("contract", __file__, **counts, known_quirks=len(KNOWN_QUIRKS))


@pytest.fixture
def tracker(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> Iterator[JiraReader]:
    """Writer and reader of tickets over one connection, each request and answer judged."""
    judged.seen.clear()
    judged.departures.clear()
    made = JiraClient.__init__

    def heard(self: JiraClient, settings: JiraSettings) -> None:
        made(self, settings)
        self._session.hooks["response"].append(judged.hear)

    monkeypatch.setattr(JiraClient, "__init__", heard)
    account = {"email": judged.jira.config.email, "token": judged.jira.config.token, "project": "MR"}
    tracker = JiraReader(JiraSettings(url=judged.url, **account), clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    yield tracker
    tracker.close()


def unknown(judged: Judged) -> list[str]:
    return [departure for departure in judged.departures if departure not in KNOWN_QUIRKS]


def test_all_that_is_ever_asked_keeps_the_contract(judged: Judged, tracker: JiraReader) -> None:
    assert tracker.check().ok
    assert tracker.find(DRAFT.label) is None
    ticket = tracker.open(DRAFT)
    assert tracker.find(DRAFT.label) == ticket
    tracker.link(ticket.id, url=PAGE, title="MRR-2026-0042", global_id=DRAFT.label)
    tracker.link(ticket.id, url=PAGE, title="MRR-2026-0042", global_id=DRAFT.label)
    first = tracker.comment(ticket.id, DRAFT.body, marker="event-1")
    assert tracker.comment(ticket.id, DRAFT.body, marker="event-1") == first
    for status in {*STATUSES.values(), "In Review"}:
        tracker.transition(ticket.id, status)
    assert unknown(judged) == []
    assert {line.rsplit(" ", 1)[0].replace(f"issue/{ticket.id}", "issue/ID") for line in judged.seen} == {
        "GET /rest/api/3/serverInfo",
        "GET /rest/api/3/myself",
        "GET /rest/api/3/project/MR",
        "GET /rest/api/3/mypermissions",
        "GET /rest/api/3/issue/createmeta/MR/issuetypes",
        "GET /rest/api/3/issue/createmeta/MR/issuetypes/10001",
        "POST /rest/api/3/search/jql",
        "POST /rest/api/3/issue",
        "GET /rest/api/3/issue/ID",
        "POST /rest/api/3/issue/ID/remotelink",
        "GET /rest/api/3/issue/ID/comment",
        "POST /rest/api/3/issue/ID/comment",
        "GET /rest/api/3/issue/ID/transitions",
        "POST /rest/api/3/issue/ID/transitions",
    }


def test_what_is_read_after_a_hint_keeps_the_contract(judged: Judged, tracker: JiraReader) -> None:
    """A ticket that people moved and commented: read again whole, in pages, and looked at in bulk."""
    ticket = tracker.open(DRAFT)
    tracker.comment(ticket.id, DRAFT.body, marker="event-2")
    for number in range(READ_COMMENTS):
        said = judged.jira.issues.add_comment(
            ticket.key, {"body": said_of(f"Comment {number}")}, author="712020:a-person"
        )
        assert said[0] == 201
    ways = judged.jira.issues.transitions(ticket.id)[1]["transitions"]
    moved = judged.jira.issues.transition(ticket.id, {"transition": {"id": ways[0]["id"]}}, author="712020:a-person")
    assert moved[0] == 204
    judged.seen.clear()
    found = tracker.read(ticket.id)
    assert [comment.text.strip() for comment in found.comments if not comment.is_by_us] == [
        f"Comment {number}" for number in range(READ_COMMENTS)
    ]
    assert [(move.status, move.author_id) for move in found.moves] == [(ways[0]["to"]["name"], "712020:a-person")]
    assert found.moves[0].category
    assert set(tracker.read_statuses([ticket.id, "404"])) == {ticket.id}
    with pytest.raises(TicketGone):
        tracker.read("404")
    assert unknown(judged) == []
    assert {line.replace(f"issue/{ticket.id}", "issue/ID") for line in judged.seen} >= {
        "GET /rest/api/3/issue/ID 200",
        "GET /rest/api/3/issue/ID/comment 200",
        "GET /rest/api/3/issue/ID/changelog 200",
        "GET /rest/api/3/status 200",
        "POST /rest/api/3/issue/bulkfetch 200",
        "GET /rest/api/3/issue/404 404",
    }
    assert sum("/comment " in line for line in judged.seen) == 2, "two pages"


def said_of(text: str) -> dict[str, Any]:
    """A comment as Jira keeps it."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def test_refusals_keep_the_contract(judged: Judged, tracker: JiraReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(judged.jira.config.screen, "customfield_10020", "Cost center")
    judged.jira.config.required.append("customfield_10020")
    with pytest.raises(Misconfigured, match="Cost center is required"):
        tracker.open(DRAFT)
    judged.jira.config.required.remove("customfield_10020")
    judged.jira.order("POST .*/issue$", strip_labels=True)
    with pytest.raises(LabelLost):
        tracker.open(DRAFT)
    for attempt in (
        lambda: tracker.comment("404", DRAFT.body, marker="event-1"),
        lambda: tracker.transition("404", "Done"),
        lambda: tracker.link("404", url=PAGE, title="x", global_id="y"),
    ):
        with pytest.raises(TicketGone):
            attempt()
    monkeypatch.setattr(judged.jira.config, "token", "renewed")
    assert "does not accept the account" in tracker.check().sentence
    assert {line[-3:] for line in judged.seen} >= {"400", "404", "401"}
    assert unknown(judged) == []


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"jql": 1}, "request"),
        ({"jql": "key = MR-1", "reconcileIssues": ["one"]}, "request"),
        ({"jql": "key = MR-1", "fields": None}, "request"),
    ],
)
def test_the_judge_sees_a_bad_request(judged: Judged, payload: dict[str, Any], place: str) -> None:
    found = ask(judged, payload)
    assert {departure.partition(" ")[0] for departure in found} == {place}


def test_the_judge_sees_a_bad_answer(judged: Judged) -> None:
    judged.jira.order("POST .*/search/jql", status=200, body={"issues": "none", "isLast": "yes"})
    assert {departure.partition(" ")[0] for departure in ask(judged, {"jql": "key = MR-1"})} == {"response"}


def ask(judged: Judged, payload: dict[str, Any]) -> list[str]:
    """What the judge finds when `payload` is sent to the search."""
    account = base64.b64encode(f"{judged.jira.config.email}:{judged.jira.config.token}".encode()).decode()
    headers = {"Authorization": f"Basic {account}", "Content-Type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    sent = urllib.request.Request(f"{judged.url}/rest/api/3/search/jql", json.dumps(payload).encode(), headers)
    try:
        with opener.open(sent, timeout=20) as answer:
            return departures("POST search/jql", answer.headers)
    except urllib.error.HTTPError as refused:
        with refused:
            return departures("POST search/jql", refused.headers)


def test_the_description_is_read_whole(tmp_path: Path) -> None:
    """The two traps: examples that are JSON inside strings, and a server that does not say it is Cloud."""
    paths = prism.prepared()["paths"]
    answer = paths["/rest/api/3/serverInfo"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["example"]["deploymentType"] == "Cloud"
    assert isinstance(answer["example"]["versionNumbers"], list)
