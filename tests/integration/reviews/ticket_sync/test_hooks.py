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

from governance.audit.models import AuditEvent
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
from weighbridge.core.parsing.limits import DocumentLimits

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
    assert send({"issue": {"id": "777"}}) == 204
    assert send({"webhookEvent": "project_updated"}) == 204
    assert WebhookDelivery.objects.count() == 0
    assert [send(OURS), send(OURS)] == [202, 200]


ODD = [
    "",
    "another",
    "x" * 5_000,
    "a b\tc",
    "\xff\xfe",
    "%00",
    "'; DROP TABLE x; --",
    "\u202e\U0001f600",
    "a\0b",
    "\ud800",
]


@pytest.mark.parametrize("identifier", ODD)
def test_a_body_has_one_effect_under_whatever_identifier(ticket: Ticket, identifier: str) -> None:
    """The signature does not cover the identifier, so a delivery that somebody recorded can come under any."""
    assert send(OURS) == 202
    assert send(OURS, **{"X-Atlassian-Webhook-Identifier": identifier}) == 200
    assert send(OURS | {"n": 2}, **{"X-Atlassian-Webhook-Identifier": identifier}) == 202
    assert send(OURS) == 200
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.filter(kind="ticket.read").count()) == (2, 2)
    assert AuditEvent.objects.filter(kind="ticket.hinted").count() == 2


@pytest.mark.parametrize(
    "body",
    [
        OURS | {"timestamp": 1_600_000_000_000},
        {"issue": OURS["issue"] | {"fields": {"updated": "2020-01-02T03:04:05.000+0000"}}},
        OURS | {"comment": {"updated": "2020-01-02T03:04:05.000+0000"}},
    ],
)
def test_a_body_of_another_day_is_refused(ticket: Ticket, body: object) -> None:
    assert send(body) == 401
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.filter(kind="ticket.read").count()) == (0, 0)


HOSTILE = [
    b"[" * 100_000,
    b'{"issue": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"issue": {"id": "10001", "id": "10001"}}',
    b'{"issue": {"id": NaN}}',
    b'{"issue": {"id": ' + b"9" * 5_000 + b"}}",
    b"\xff",
    b"5",
    b"{" + b",".join(b'"%d": [[]]' % number for number in range(400_000)) + b"}",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_signed_body_that_is_no_hint_is_refused_in_words(ticket: Ticket, body: bytes) -> None:
    assert send(body) == 400
    assert WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "\u202e"])
def test_text_that_cannot_be_stored_does_not_lose_the_hint(ticket: Ticket, name: str) -> None:
    assert send(OURS | {"webhookEvent": f"jira:{name}", "comment": {"body": name * 100}}) == 202
    assert WebhookDelivery.objects.get().ticket == ticket


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=\xff", "sha256=\ud800", "md5=00", "sha256=" + "0" * 10_000]
)
def test_an_odd_signature_is_none(ticket: Ticket, signature: str) -> None:
    assert send(OURS, **{"X-Hub-Signature": signature}) == 401


def test_what_could_not_be_stored_is_asked_for_again(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**arguments: object) -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr(inbound, "receive", fail)
    assert send(OURS) == 503
    monkeypatch.undo()
    assert send(OURS) == 202


def test_a_body_larger_than_jiras_is_not_read_through(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BODY", DocumentLimits(bytes_max=10))
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
