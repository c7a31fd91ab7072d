"""A stand-in of Jira for one test, and a tracker that speaks to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reviews.tickets.jira.flavors import CLOUD, DATA_CENTER
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import Fields, Heading, Link, Paragraph, TicketDraft
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

DRAFT = TicketDraft(
    label="weighbridge-test-mrr-2026-0042",
    summary="Review of sentiment 3.1 for claims triage",
    body=(
        Heading("Why a review is needed"),
        Paragraph("The policy asks for it:\ntraining costs more than it may."),
        Fields((("training_cost_usd", "12000.00 USD (declared)"), ("latency_p95_ms", ""))),
        Link("The request", "http://localhost:8000/requests/MRR-2026-0042/"),
    ),
)


@pytest.fixture(params=["cloud", "data_center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraCloud]:
    with JiraCloud() if request.param == "cloud" else JiraDataCenter() as standin:
        yield standin


def account_of(jira: JiraCloud) -> dict[str, Any]:
    """Address, flavor and credential of a stand-in, as settings of the adapter."""
    if isinstance(jira, JiraDataCenter):
        return {"url": jira.url, "token": jira.config.token, "flavor": DATA_CENTER}
    return {"url": jira.url, "token": jira.config.token, "flavor": CLOUD, "email": jira.config.email}


def body_of(jira: JiraCloud, text: str) -> Any:
    """A comment of a person, in the format of the flavor."""
    if isinstance(jira, JiraDataCenter):
        return text
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


@pytest.fixture
def tracker_for(jira: JiraCloud) -> Iterator[Callable[..., JiraTracker]]:
    made: list[JiraTracker] = []

    def make(**changes: Any) -> JiraTracker:
        account = account_of(jira) | {"project": jira.config.project, "settle_s": 0.5}
        tracker = JiraTracker(JiraSettings(**(account | changes)), clock=lambda: NOW)
        made.append(tracker)
        return tracker

    yield make
    for tracker in made:
        tracker.close()


@pytest.fixture
def tracker(tracker_for: Callable[..., JiraTracker]) -> JiraTracker:
    return tracker_for()
