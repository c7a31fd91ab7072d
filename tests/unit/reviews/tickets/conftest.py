"""A stand-in of Jira for one test, and a tracker that speaks to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import Fields, Heading, Link, Paragraph, TicketDraft
from tests.standins.jira_cloud import JiraCloud

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


@pytest.fixture
def jira() -> Iterator[JiraCloud]:
    with JiraCloud() as standin:
        yield standin


@pytest.fixture
def tracker_for(jira: JiraCloud) -> Iterator[Callable[..., JiraTracker]]:
    made: list[JiraTracker] = []

    def make(**changes: Any) -> JiraTracker:
        account = {"email": jira.config.email, "token": jira.config.token, "project": jira.config.project}
        tracker = JiraTracker(
            JiraSettings(**({"url": jira.url, "settle_s": 0.5} | account | changes)), clock=lambda: NOW
        )
        made.append(tracker)
        return tracker

    yield make
    for tracker in made:
        tracker.close()


@pytest.fixture
def tracker(tracker_for: Callable[..., JiraTracker]) -> JiraTracker:
    return tracker_for()
