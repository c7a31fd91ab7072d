"""What a review asks of its ticket, as rows."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from reviews.requests.models import ReviewRequest
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket
from reviews.tickets.ports import CheckStep, RemoteTicket, TrackerHealth
from tests.factories import tickets as sites

REMOTE = RemoteTicket(id="10001", key="MR-1", url="https://jira.test/browse/MR-1", status="To Do", duplicates=("MR-9",))


def test_a_ticket_is_wanted_once(submitted: ReviewRequest, author: User, now: datetime) -> None:
    again = effects.open_ticket(request=submitted, by=author, now=now)
    assert (Ticket.objects.get(), OutboxMessage.objects.count()) == (again, 1)
    assert AuditEvent.objects.get(kind="ticket.wanted").details == {"label": again.label}


def test_what_is_told_stands_in_line(submitted: ReviewRequest, author: User, now: datetime) -> None:
    for by, occasion in ((author, "in_review"), (None, "in_review")):
        effects.notify_request_ticket(request=submitted, occasion=occasion, reason="Please vote.", by=by, now=now)
    opened, first, second = OutboxMessage.objects.order_by("pk")
    assert {message.lane for message in (opened, first, second)} == {f"ticket:{submitted.ref}"}
    assert first.payload == {
        "request_id": submitted.pk,
        "occasion": "in_review",
        "text": "Please vote.",
        "by": "Author",
        "marker": first.key,
    }
    assert (second.payload["by"], second.key) == ("Weighbridge", f"ticket.tell:{submitted.ref}:2:in_review")


def test_a_person_without_a_full_name_is_told_by_user_name(submitted: ReviewRequest, now: datetime) -> None:
    bare = User.objects.create_user("bare")
    effects.notify_request_ticket(request=submitted, occasion="evidence", reason="", by=bare, now=now)
    assert OutboxMessage.objects.last().payload["by"] == "bare"


def test_without_a_ticket_nothing_is_told(draft: ReviewRequest, author: User, now: datetime) -> None:
    effects.notify_request_ticket(request=draft, occasion="withdrawn", reason="", by=author, now=now)
    assert OutboxMessage.objects.count() == 0
    assert AuditEvent.objects.get(kind="ticket.not_wanted").details == {"occasion": "withdrawn"}


def test_the_link_is_kept_with_its_duplicates(submitted: ReviewRequest, now: datetime) -> None:
    ticket = sites.link(submitted.ticket, remote=REMOTE, now=now)
    assert (ticket.state, ticket.remote_id, ticket.key, ticket.url, ticket.status, ticket.linked_at) == (
        "linked",
        "10001",
        "MR-1",
        REMOTE.url,
        "To Do",
        now,
    )
    assert str(ticket) == "MR-1"
    assert AuditEvent.objects.get(kind="ticket.linked").details == {"key": "MR-1", "duplicates": ["MR-9"]}


def test_a_status_not_read_leaves_the_one_known(submitted: ReviewRequest, now: datetime) -> None:
    ticket = sites.link(submitted.ticket, remote=REMOTE, now=now)
    effects.record_ticket_update(ticket=ticket, status="", note="No way to Done.", now=now)
    assert Ticket.objects.get().status == "To Do"
    effects.record_ticket_update(ticket=ticket, status="Done", note="", now=now)
    assert Ticket.objects.get().status == "Done"
    assert [event.reason for event in AuditEvent.objects.filter(kind="ticket.updated")] == ["No way to Done.", ""]


def test_an_update_that_moved_nothing_leaves_the_status_that_was_read_meanwhile(
    submitted: ReviewRequest, now: datetime
) -> None:
    ticket = sites.link(submitted.ticket, remote=REMOTE, now=now)
    Ticket.objects.update(status="Blocked")
    effects.record_ticket_update(ticket=ticket, status="", note="", comment_id="7", now=now)
    assert Ticket.objects.get().status == "Blocked"


def test_a_lost_answer_is_marked(submitted: ReviewRequest, now: datetime) -> None:
    effects.mark_uncertain(ticket=submitted.ticket, now=now)
    assert Ticket.objects.get().state == "uncertain"
    assert AuditEvent.objects.get(kind="ticket.uncertain").subject == submitted.ref


def test_the_health_of_the_tracker_is_on_record(db: None, now: datetime) -> None:
    site = sites.make_site(now=now)
    step = CheckStep("Account", ok=False, sentence="The token is wrong.")
    health = TrackerHealth(ok=False, sentence="The token is wrong.", account="bot", steps=(step,))
    effects.record_health(site=site, health=health, now=now)
    event = AuditEvent.objects.get()
    assert (event.kind, event.subject_type, event.subject) == ("tracker.checked", "ticket site", "Jira")
    assert event.details == {"ok": False, "sentence": "The token is wrong.", "account": "bot"}
    site.refresh_from_db()
    kept = [{"name": "Account", "ok": False, "sentence": "The token is wrong."}]
    assert (site.is_ok, site.steps, site.tested_at) == (False, kept, now)


def test_the_database_wants_a_key_for_a_link(submitted: ReviewRequest) -> None:
    with pytest.raises(IntegrityError, match="linked_has_a_key"), transaction.atomic():
        Ticket.objects.update(state="linked")
    assert str(submitted.ticket) == submitted.ticket.label


# testing the connection while tickets are paused


@pytest.fixture
def handlers() -> None:
    """Workers know what goes to whom: the tasks are imported, whichever test runs first."""
    import_module("reviews.ticket_sync.tasks")


def checks() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind="tracker.check").order_by("pk"))


def test_nothing_is_probed_while_nothing_is_paused(submitted: ReviewRequest, now: datetime) -> None:
    assert effects.probe_tracker(site=sites.a_site(now), now=now) is None
    assert checks() == []


def test_a_paused_ticket_has_the_connection_tested_ever_more_rarely(submitted: ReviewRequest, now: datetime) -> None:
    site = sites.a_site(now)
    OutboxMessage.objects.update(state="paused")
    first = effects.probe_tracker(site=site, now=now)
    assert checks() == [first]
    assert effects.probe_tracker(site=site, now=now + timedelta(hours=9)) is None  # the first is not through yet
    waits = []
    at = now
    for _ in range(4):
        OutboxMessage.objects.filter(kind="tracker.check").update(state="done", finished_at=at)
        began = at
        while effects.probe_tracker(site=site, now=at) is None:
            at += timedelta(minutes=1)
        waits.append((at - began) // timedelta(minutes=1))
    assert waits == [5, 5, 10, 20]
    assert AuditEvent.objects.filter(kind="tracker.check_requested").count() == len(checks()) == 5
    OutboxMessage.objects.filter(kind="tracker.check").update(state="dead", finished_at=at)
    assert effects.probe_tracker(site=site, now=at + timedelta(hours=6)) is not None, "a dead test is no last word"


@pytest.mark.usefixtures("handlers")
def test_a_good_answer_resumes_what_is_paused_and_a_bad_one_does_not(submitted: ReviewRequest, now: datetime) -> None:
    site = sites.a_site(now)
    OutboxMessage.objects.update(state="paused")
    effects.record_health(site=site, health=TrackerHealth(ok=False, sentence="The token is wrong."), now=now)
    assert OutboxMessage.objects.get().state == "paused"
    effects.record_health(site=site, health=TrackerHealth(ok=True, sentence="It answers."), now=now)
    assert OutboxMessage.objects.get().state == "queued"
    assert AuditEvent.objects.get(kind="tracker.resumed").details == {"count": 1}
    effects.record_health(site=site, health=TrackerHealth(ok=True, sentence="It answers."), now=now)
    assert AuditEvent.objects.filter(kind="tracker.resumed").count() == 1
