"""Back-tests of many requests: a worker computes them once a day, and the page shows how far one is."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from governance.audit.models import AuditEvent
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.backtests import backtest, cases, stored
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.evidence.test_backtest import DEV, client_of

STARTED = "policy.backtest_started"


@pytest.fixture
def url(policy: PolicyVersion, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of a back-test of three requests, where two are many."""
    first = walks.make_submitted(by=cast.author, now=now, purpose="Purpose 0", **DEV)
    for number in (1, 2):
        version, purpose = first.model_version, f"Purpose {number}"
        walks.make_submitted(by=cast.author, now=now, version=version, purpose=purpose, **DEV)
    for module, name in ((stored, "DIRECT_MAX"), (cases, "BLOCK"), (backtest, "BLOCK")):
        monkeypatch.setattr(module, name, 2)
    return f"/rulebook/policies/{policy.name}/{policy.number}/backtest/"


@pytest.fixture
def lead(cast: Cast) -> Client:
    return client_of(cast.approver)


def text_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_a_worker_computes_it_once_a_day(url: str, lead: Client, cast: Cast) -> None:
    assert "Start the back-test" in text_of(lead, url)
    given = {"quarters": "4", "against": "1"}
    answers = [client.post(f"{url}start/", given) for client in (lead, client_of(cast.auditor))]
    assert [answer["Location"] for answer in answers] == [f"{url}?quarters=4&against=1"] * 2
    message = OutboxMessage.objects.get(kind=stored.KIND)
    assert AuditEvent.objects.get(kind=STARTED).details == {"against": "default v1", "quarters": 4}
    assert "Waiting for a worker" in text_of(lead, url)
    delivered = outbox.deliver(pk=message.pk, now=timezone.now())
    assert delivered is not None
    assert (delivered.state, delivered.payload["read"], delivered.payload["total"]) == (JobState.DONE, 2, 3)
    assert lead.get(url).context["backtest"].request_count == 3
    assert text_of(lead, f"{url}requests.csv").count("MRR-") == 3


def test_its_page_shows_how_far_it_is(url: str, lead: Client) -> None:
    lead.post(f"{url}start/")
    rows = OutboxMessage.objects.filter(kind=stored.KIND)
    payload = rows.get().payload | {"read": 2, "total": 3}
    rows.update(state=JobState.CLAIMED, payload=payload)
    page = text_of(lead, url)
    assert "Requests evaluated: 2 of 3" in page
    assert 'hx-trigger="every 2s"' in page
    rows.update(state=JobState.QUEUED, attempts=1, error="The disk is full.")
    assert "Another attempt will follow." in text_of(lead, url)
    rows.update(state=JobState.DEAD)
    page = text_of(lead, url)
    assert "The back-test failed. An operator can retry it." in page
    assert "The disk is full." in page
    assert "every 2s" not in page


def test_a_result_that_the_cache_lost_is_computed_again(url: str, lead: Client) -> None:
    lead.post(f"{url}start/")
    message = OutboxMessage.objects.get(kind=stored.KIND)
    outbox.deliver(pk=message.pk, now=timezone.now())
    cache.delete(message.key)
    assert lead.get(url).context["backtest"].request_count == 3


def test_a_program_starts_it_and_asks_until_it_is_done(url: str, lead: Client) -> None:
    address, start = f"/api/v1{url}", {"quarters": 4, "against": 1}
    refused = lead.get(address, start)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert "POST to this address starts it." in refused.json()["detail"]
    assert OutboxMessage.objects.filter(kind=stored.KIND).count() == 0
    started = lead.post(address, start, content_type="application/json")
    assert (started.status_code, started.json()) == (202, {"state": "queued", "read": 0, "total": 0})
    rows = OutboxMessage.objects.filter(kind=stored.KIND)
    rows.update(payload=rows.get().payload | {"read": 2, "total": 3})
    assert "has evaluated 2 of 3. Ask again later." in lead.get(address, start).json()["detail"]
    rows.update(state=JobState.DEAD)
    assert "this one failed. An operator can retry it." in lead.get(address, start).json()["detail"]
    rows.update(state=JobState.QUEUED)
    outbox.deliver(pk=rows.get().pk, now=timezone.now())
    assert lead.get(address, start).json()["request_count"] == 3


def test_a_file_without_a_result_leads_to_the_page(url: str, lead: Client) -> None:
    answer = lead.get(f"{url}requests.csv?quarters=4&against=1")
    assert (answer.status_code, answer["Location"]) == (302, f"{url}?quarters=4&against=1")


def test_nobody_starts_one_who_may_not_see_every_request(url: str, author: User) -> None:
    assert client_of(author).post(f"{url}start/").status_code == 403
    assert client_of(author).post(f"/api/v1{url}").status_code == 403
    assert not OutboxMessage.objects.filter(kind=stored.KIND).exists()
    assert not AuditEvent.objects.filter(kind=STARTED).exists()
