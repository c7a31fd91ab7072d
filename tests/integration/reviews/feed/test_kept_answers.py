"""The gate answers from what it read a moment ago: as old as the setting allows, and never for another feed."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken
from governance.site.domain import memory
from reviews.feed.models import FeedEntry
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations
from tests.factories.people import Cast

KEEPS_S = 5.0


class Clock:
    """The clock of what is kept; no other test asked at these moments."""

    now_s = 1e9

    def pass_span(self) -> None:
        """The time for which things are kept passes."""
        Clock.now_s += KEEPS_S


@pytest.fixture
def clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"GATE_KEEPS_S": KEEPS_S}
    clock = Clock()
    for _ in range(1000):
        clock.pass_span()  # beyond the span of entries too
    monkeypatch.setattr(memory.time, "monotonic", lambda: clock.now_s)
    return clock


@pytest.fixture
def gate(cast: Cast, now: datetime) -> APIClient:
    token = people.create_token(user=cast.auditor, valid_days=1, scope=TokenScope.GATE, by=None, now=now)
    return APIClient(headers={"Authorization": f"Token {token}"})


def ask(gate: APIClient, request: ReviewRequest) -> tuple[Any, int]:
    """The answer, and the number of queries that it took."""
    question = {"subject": request.model_version.digest, "env": request.environment}
    with CaptureQueriesContext(connection) as queries:
        answer = gate.get("/api/v1/gate/", question)
    return answer, len(queries)


def test_the_second_question_asks_no_database(clock: Clock, decided: ReviewRequest, gate: APIClient) -> None:
    (first, queries), (second, more) = ask(gate, decided), ask(gate, decided)
    assert (first.json()["answer"], second.json()["answer"]) == ("allow", "allow")
    assert first.json()["statement"] == second.json()["statement"] == decided.decision.authorization.envelope
    assert (queries, more) == (5, 0)  # token, its use, roles, head, entry
    clock.pass_span()
    assert ask(gate, decided)[1] == 3  # token, roles and head; the entry is fixed by the root of the feed


def test_a_revocation_denies_after_the_time_for_which_things_are_kept(
    clock: Clock, decided: ReviewRequest, gate: APIClient, cast: Cast, now: datetime
) -> None:
    assert ask(gate, decided)[0].json()["answer"] == "allow"
    authorizations.revoke(authorization=decided.decision.authorization, reason="It leaks.", by=cast.approver, now=now)
    clock.pass_span()
    assert ask(gate, decided)[0].json()["answer"] == "deny"


def test_a_token_ends_after_the_time_for_which_things_are_kept(
    clock: Clock, decided: ReviewRequest, gate: APIClient
) -> None:
    assert ask(gate, decided)[0].status_code == 200
    call_command("revoke_tokens", "auditor", verbosity=0)
    assert ApiToken.objects.get().revoked_at
    clock.pass_span()
    assert ask(gate, decided)[0].status_code == 401


def test_what_was_rolled_back_is_not_answered(
    clock: Clock, decided: ReviewRequest, gate: APIClient, cast: Cast, now: datetime
) -> None:
    """As after a backup was restored: the feed is as long as before, or shorter, and has another root."""
    ask(gate, decided)
    with transaction.atomic():
        held = decided.decision.authorization
        authorizations.revoke(authorization=held, reason="It leaks.", by=cast.approver, now=now)
        clock.pass_span()
        assert ask(gate, decided)[0].json()["answer"] == "deny"
        transaction.set_rollback(True)
    clock.pass_span()
    assert FeedEntry.objects.latest("position").standing == "authorized"
    assert ask(gate, decided)[0].json()["answer"] == "allow"
