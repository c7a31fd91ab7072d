"""`/hooks/jira/` by every answer it gives, and the pages and commands around it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from governance.audit.models import AuditEvent
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.rulebook.models import PolicyVersion
from governance.secrets import encrypt
from reviews.ticket_sync import api as hooks
from reviews.ticket_sync import tasks as inbound_tasks
from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.actions.accounts import link_account
from reviews.ticket_sync.queries.drafts import draft_for
from reviews.tickets.models import ExternalIdentity, Ticket, TicketMove, TicketSite, WebhookDelivery
from reviews.tickets.ports import RemoteComment
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.integration.reviews.tickets.audited import issue, judged, linked, moved
from tests.standins.memory_tracker import MemoryTicket, MemoryTracker
from weighbridge.core.parsing.limits import DocumentLimits

SECRET = "a secret"
Send = Callable[..., int]


@pytest.fixture
def ticket(policy: PolicyVersion, cast: Cast, now: datetime) -> Ticket:
    sites.make_routed_site(now=now, webhook=SECRET)
    return linked(cast, now)


def send(body: bytes | object, **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    said = {"X-Hub-Signature": f"sha256={signed}", "X-Atlassian-Webhook-Identifier": "one"} | headers
    where = f"/hooks/jira/{TicketSite.objects.get().pk}/"
    return Client().post(where, data=raw, content_type="application/json", headers=said).status_code


OURS = {"issue": {"id": "10001"}}


def test_every_answer(ticket: Ticket) -> None:
    assert Client().get(f"/hooks/jira/{ticket.site_id}/").status_code == 405
    assert Client().post("/hooks/jira/0/", data=b"{}", content_type="application/json").status_code == 401
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


def test_without_secrets_nobody_is_believed(ticket: Ticket) -> None:
    TicketSite.objects.update(webhook_secret=None)
    assert send(OURS) == 401
    assert TicketSite.objects.get().webhook_at is None


def test_the_secret_before_is_believed_during_a_rotation(ticket: Ticket) -> None:
    TicketSite.objects.update(webhook_secret=encrypt("another-secret-of-jira"), webhook_secret_before=encrypt(SECRET))
    assert send(OURS) == 202


def test_a_delivery_of_another_site_says_nothing_about_this_ticket(ticket: Ticket, now: datetime) -> None:
    """Two sites number their issues alike; the secret of one is worth nothing at the address of the other."""
    other = sites.make_site(now=now, name="Other", webhook="hook-of-another-site")
    TicketSite.objects.filter(pk=ticket.site_id).update(base_url="https://first.test")
    raw = json.dumps(OURS).encode()

    def deliver(secret: str, site_id: int) -> int:
        signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature": f"sha256={signed}"}
        where = f"/hooks/jira/{site_id}/"
        return Client().post(where, data=raw, content_type="application/json", headers=headers).status_code

    assert deliver("hook-of-another-site", other.pk) == 204
    assert deliver("hook-of-another-site", ticket.site_id) == 401
    assert WebhookDelivery.objects.count() == 0


def test_that_a_delivery_arrived_is_recorded_once_a_minute(ticket: Ticket, now: datetime) -> None:
    site = TicketSite.objects.get()
    assert inbound.record_delivery(site=site, now=now)
    assert not inbound.record_delivery(site=site, now=now + timedelta(seconds=59))
    site.refresh_from_db()
    assert inbound.record_delivery(site=site, now=now + timedelta(seconds=61))
    assert AuditEvent.objects.filter(kind="ticket_site.delivery_received").count() == 1


def test_the_request_page_shows_comments_and_refused_moves(ticket: Ticket, cast: Cast, now: datetime) -> None:
    link_account(site=ticket.site, user=cast.reviewer_one, account_id="r1", by=None, now=now)
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
    history = f"/requests/{ticket.request.ref}/history/"
    judged(ticket, moved(status="Won't Do", move_id="2", category="done", at=now), now, is_last=False)
    page = client.get(history).content.decode()
    assert "Moving the ticket decides nothing" in page
    assert "The ticket was moved on before Weighbridge read it" in page
    assert "In Review" in page
    inbound.record_gone(ticket=ticket, reason="Deleted.", now=now)
    assert "The ticket no longer exists in Jira." in client.get(history).content.decode()


def test_the_integrations_page_counts(ticket: Ticket, cast: Cast) -> None:
    send(OURS)
    client = Client()
    assert client.get("/integrations/inbound/").status_code == 302
    client.force_login(cast.author)
    assert "/integrations/inbound/" in client.get("/integrations/").content.decode()
    page = client.get("/integrations/inbound/").content.decode()
    assert "1 in 24 hours, 1 in total" in " ".join(page.split())
    assert "none yet" in page


class Twin(MemoryTracker):
    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def jira(monkeypatch: pytest.MonkeyPatch) -> Twin:
    twin = Twin()
    monkeypatch.setattr(inbound_tasks, "JiraReader", lambda chosen, clock: twin)
    return twin


def test_what_was_undone_before_it_was_read_withdraws_nothing(
    ticket: Ticket, cast: Cast, jira: Twin, now: datetime
) -> None:
    """Both moves are read at once, because the credential had expired; then one that stands."""
    link_account(site=ticket.site, user=cast.author, account_id="ada", by=None, now=now)
    remote = MemoryTicket(id="10001", key="MR-1", draft=draft_for(ticket), updated_at=now, status="In Progress")
    jira.tickets["10001"] = remote
    remote.moves += [
        moved(status="Won't Do", author_id="ada", move_id="1", category="done", at=now),
        moved(status="In Progress", author_id="ada", move_id="2", at=now),
    ]
    message = inbound.request_read(ticket=ticket, occasion="hook:1", now=now)
    assert outbox.deliver(pk=message.pk, now=now).state == "done"
    ticket.request.refresh_from_db()
    assert ticket.request.state == "evidence"
    remote.moves += [moved(status="Won't Do", author_id="ada", move_id="3", category="done", at=now)]
    message = inbound.request_read(ticket=ticket, occasion="hook:2", now=now)
    assert outbox.deliver(pk=message.pk, now=now).state == "done"
    ticket.request.refresh_from_db()
    assert ticket.request.state == "withdrawn"
    assert list(TicketMove.objects.order_by("pk").values_list("outcome", flat=True)) == ["noted", "done", "done"]


def test_the_command_compares_and_counts(ticket: Ticket, jira: Twin) -> None:
    out = StringIO()
    call_command("reconcile_tickets", stdout=out)
    assert out.getvalue() == "Jira: 1 compared, 0 changed, 1 gone, 0 astray (report)\n"
    call_command("reconcile_tickets", "--mode", "pull", stdout=out)
    assert OutboxMessage.objects.filter(kind="ticket.read").count() == 1
    assert jira.calls == ["read_statuses", "read_statuses"]


def test_the_command_says_why_it_could_not(ticket: Ticket) -> None:
    TicketSite.objects.update(base_url="http://jira.test")
    with pytest.raises(CommandError, match=r"Jira is not compared yet: .* use https://"):
        call_command("reconcile_tickets")
    TicketSite.objects.update(state="setup")
    with pytest.raises(CommandError, match="no ticket site is set up"):
        call_command("reconcile_tickets")


def test_linking_an_account(cast: Cast, now: datetime) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="Name one ticket site"):
        call_command("link_jira_account", "author", "5b10", stdout=out)
    sites.make_site(now=now)
    call_command("link_jira_account", "author", "5b10", stdout=out)
    assert ExternalIdentity.objects.get().account_id == "5b10"
    call_command("link_jira_account", "author", "", stdout=out)
    assert out.getvalue() == "author is linked to Jira account 5b10.\nauthor is not linked to a Jira account.\n"
    sites.make_site(now=now, name="Other")
    with pytest.raises(CommandError, match="Name one ticket site with --site: Jira, Other"):
        call_command("link_jira_account", "author", "5b10")
    call_command("link_jira_account", "author", "5b10", "--site", "Other", stdout=out)
    assert ExternalIdentity.objects.get().site.name == "Other"
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("link_jira_account", "nobody", "5b10")
    with pytest.raises(CommandError, match="at most 128"):
        call_command("link_jira_account", "author", "x" * 129, "--site", "Jira")


@pytest.mark.parametrize(
    ("hour", "nightly", "count"), [(1, "pull", 0), (2, "pull", 1), (3, "never", 0), (23, "report", 1)]
)
def test_once_a_night(ticket: Ticket, now: datetime, hour: int, nightly: str, count: int) -> None:
    TicketSite.objects.update(comparison=nightly, webhook_at=now.replace(hour=hour, minute=5) - timedelta(hours=23))
    for minute in (0, 5):
        inbound_tasks.compare_regularly(now.replace(hour=hour, minute=minute))
    assert OutboxMessage.objects.filter(kind="tickets.reconcile").count() == count


@pytest.mark.parametrize("days", [None, 1])
def test_every_hour_where_no_signed_delivery_comes(ticket: Ticket, now: datetime, days: int | None) -> None:
    webhook_at = None if days is None else now.replace(hour=0, minute=0) - timedelta(days=days, minutes=1)
    TicketSite.objects.update(webhook_at=webhook_at)
    assert TicketSite.objects.get().webhook_secret is not None
    for hour in (0, 1):
        for minute in (0, 5):
            inbound_tasks.compare_regularly(now.replace(hour=hour, minute=minute))
    assert OutboxMessage.objects.filter(kind="tickets.reconcile").count() == 2
    Ticket.objects.update(state="uncertain")
    inbound_tasks.compare_regularly(now.replace(hour=5))
    Ticket.objects.update(state="linked")
    TicketSite.objects.update(state="setup")
    inbound_tasks.compare_regularly(now.replace(hour=5))
    assert OutboxMessage.objects.filter(kind="tickets.reconcile").count() == 2
