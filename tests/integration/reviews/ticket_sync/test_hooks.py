"""`/hooks/jira/` by every answer it gives, and the pages and commands around it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from reviews.ticket_sync import api as hooks
from reviews.ticket_sync import tasks as inbound_tasks
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets.models import ExternalIdentity, Ticket, WebhookDelivery
from reviews.tickets.ports import RemoteComment
from tests.factories.people import Cast
from tests.integration.reviews.tickets.audited import issue, judged, linked, moved
from tests.standins.memory_tracker import MemoryTracker

SECRET = "a secret"
Send = Callable[..., int]


@pytest.fixture
def ticket(policy: PolicyVersion, cast: Cast, now: datetime, settings: object) -> Ticket:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {
        "JIRA_INBOUND": {"secrets": [SECRET], "moves": {}, "nightly": "pull"}
    }
    return linked(cast, now)


def send(body: bytes | object, **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    said = {"X-Hub-Signature": f"sha256={signed}", "X-Atlassian-Webhook-Identifier": "one"} | headers
    return Client().post("/hooks/jira/", data=raw, content_type="application/json", headers=said).status_code


OURS = {"issue": {"id": "10001"}}


def test_every_answer(ticket: Ticket) -> None:
    assert Client().get("/hooks/jira/").status_code == 405
    assert send(OURS, **{"X-Hub-Signature": "sha256=00"}) == 401
    assert send(b"not json") == 400
    assert send(OURS, **{"X-Atlassian-Webhook-Identifier": "x" * 201}) == 400
    assert send({"issue": {"id": "777"}}) == 204
    assert send({"webhookEvent": "project_updated"}) == 204
    assert WebhookDelivery.objects.count() == 0
    assert [send(OURS), send(OURS)] == [202, 200]


def test_without_an_identifier_the_body_is_one(ticket: Ticket) -> None:
    nameless = {"X-Atlassian-Webhook-Identifier": ""}
    assert [send(OURS, **nameless), send(OURS, **nameless), send(OURS | {"n": 2}, **nameless)] == [202, 200, 202]


def test_what_could_not_be_stored_is_asked_for_again(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**arguments: object) -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr(inbound, "receive", fail)
    assert send(OURS) == 503
    monkeypatch.undo()
    assert send(OURS) == 202


def test_a_body_larger_than_jiras_is_not_read_through(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BODY_BYTES_MAX", 10)
    assert send(OURS) == 413


def test_without_secrets_nobody_is_believed(ticket: Ticket, settings: object) -> None:
    settings.WEIGHBRIDGE["JIRA_INBOUND"]["secrets"] = []
    assert send(OURS) == 401


def test_the_request_page_shows_comments_and_refused_moves(ticket: Ticket, cast: Cast, now: datetime) -> None:
    inbound.link_account(user=cast.reviewer_one, account_id="r1", by=None, now=now)
    said = [
        RemoteComment(id=str(n), author_id=who, author=name, text=text, created_at=now, updated_at=now)
        for n, (who, name, text) in enumerate([("r1", "R", "Known."), ("x", "Xenia", "<b>Unknown</b>")])
    ]
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now, comments=tuple(said)), now=now)
    judged(ticket, moved(status="Done", category="done", at=now), now)
    client = Client()
    client.force_login(cast.author)
    page = client.get(f"/requests/{ticket.request.ref}/").content.decode()
    assert "&lt;b&gt;Unknown&lt;/b&gt;" in page
    assert page.count("not linked to a Weighbridge account") == 1
    assert "Reviewer One" in page
    assert "Moving the ticket decides nothing" in page
    assert "In Review" in page
    inbound.record_gone(ticket=ticket, reason="Deleted.", now=now)
    assert "The ticket no longer exists in Jira." in client.get(f"/requests/{ticket.request.ref}/").content.decode()


def test_the_integrations_page_counts(ticket: Ticket, cast: Cast, settings: object) -> None:
    send(OURS)
    client = Client()
    assert client.get("/integrations/inbound/").status_code == 302
    client.force_login(cast.author)
    assert "/integrations/inbound/" in client.get("/integrations/").content.decode()
    page = client.get("/integrations/inbound/").content.decode()
    assert "1 in 24 hours, 1 in total" in " ".join(page.split())
    assert "none yet" in page
    settings.WEIGHBRIDGE["JIRA_INBOUND"]["secrets"] = []
    assert "JIRA_WEBHOOK_SECRETS" in client.get("/integrations/inbound/").content.decode()


class Twin(MemoryTracker):
    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def jira(settings: object, monkeypatch: pytest.MonkeyPatch) -> Twin:
    twin = Twin()
    account = {"url": "https://jira.test", "email": "bot@example.org", "token": "t"}
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"JIRA": settings.WEIGHBRIDGE["JIRA"] | account}
    monkeypatch.setattr(inbound_tasks, "JiraReader", lambda chosen, clock: twin)
    return twin


def test_the_command_compares_and_counts(ticket: Ticket, jira: Twin) -> None:
    out = StringIO()
    call_command("reconcile_tickets", stdout=out)
    assert out.getvalue() == "1 compared, 0 changed, 1 gone, 0 astray (report)\n"
    call_command("reconcile_tickets", "--mode", "pull", stdout=out)
    assert OutboxMessage.objects.filter(kind="ticket.read").count() == 1
    assert jira.calls == ["read_statuses", "read_statuses"]


def test_the_command_says_why_it_could_not(ticket: Ticket) -> None:
    with pytest.raises(CommandError, match="JIRA_URL is unset"):
        call_command("reconcile_tickets")


def test_linking_an_account(cast: Cast) -> None:
    out = StringIO()
    call_command("link_jira_account", "author", "5b10", stdout=out)
    assert ExternalIdentity.objects.get().account_id == "5b10"
    call_command("link_jira_account", "author", "", stdout=out)
    assert out.getvalue() == "author is linked to Jira account 5b10.\nauthor is not linked to a Jira account.\n"
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("link_jira_account", "nobody", "5b10")
    with pytest.raises(CommandError, match="at most 128"):
        call_command("link_jira_account", "author", "x" * 129)


@pytest.mark.parametrize(
    ("hour", "nightly", "count"), [(1, "pull", 0), (2, "pull", 1), (3, "never", 0), (23, "report", 1)]
)
def test_once_a_night(
    ticket: Ticket, jira: Twin, settings: object, now: datetime, hour: int, nightly: str, count: int
) -> None:
    settings.WEIGHBRIDGE["JIRA_INBOUND"]["nightly"] = nightly
    for minute in (0, 5):
        inbound_tasks.compare_nightly(now.replace(hour=hour, minute=minute))
    assert OutboxMessage.objects.filter(kind="tickets.reconcile").count() == count
