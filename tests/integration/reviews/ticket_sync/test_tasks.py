"""Reviews' tasks with in-process twins: the outbox's messages, packets, and the tick."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from governance.audit.models import AuditEvent
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs import worker_signals as wakeups
from governance.jobs.enums import JobState
from governance.jobs.kinds import kind_of
from governance.jobs.models import OutboxMessage
from governance.operations import actions as effect_actions
from reviews.packets import tasks as packets_tasks
from reviews.packets.models import Packet
from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import WALL_MAX_S
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync import tasks as inbound_tasks
from reviews.ticket_sync.actions.sites import SETTLE_S_MAX
from reviews.ticket_sync.queries.values import values_of
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket, TicketRoute, TicketSite
from reviews.tickets.ports import (
    FailureReach,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    RemoteTicket,
    TrackerHealth,
    TrackerUnreachable,
)
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow import tasks as workflow_tasks
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver, states
from tests.standins.memory_printer import MemoryPrinter
from tests.standins.memory_tracker import MemoryTicket, MemoryTracker

pytestmark = pytest.mark.usefixtures("clock")


class Twin(MemoryTracker):
    """The twin, closed like an adapter."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def jira(db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Twin:
    """A site is set up, and answered by a twin in this process."""
    twin = Twin()
    sites.a_site(now)
    monkeypatch.setattr(inbound_tasks, "JiraReader", lambda chosen, clock: twin)
    return twin


# the ticket


def test_the_ticket_is_opened_and_linked_back(submitted: ReviewRequest, jira: Twin, clock: Clock) -> None:
    (message,) = deliver(clock)
    assert (message.state, message.error, jira.closed) == (JobState.DONE, "", 1)
    assert (jira.calls.count("open"), jira.calls[-1]) == (1, "link")
    remote = only(jira)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.key, ticket.remote_id, ticket.status) == ("linked", "MR-1", remote.id, "To Do")
    assert remote.draft.label == ticket.label
    url = f"https://weighbridge.test/requests/{submitted.ref}/"
    assert remote.links == {ticket.label: (url, f"{submitted.ref} Visual search, autumn model")}


def test_without_jira_the_message_waits_and_says_so(submitted: ReviewRequest, clock: Clock) -> None:
    (message,) = deliver(clock)
    assert (message.state, message.error) == (JobState.PAUSED, inbound_tasks.NO_SITE)
    assert "under Settings, Tickets" in message.error
    assert Ticket.objects.get().state == "waiting"
    assert deliver(clock, after_s=86_400) == []


def test_a_setting_nobody_could_use_is_told(submitted: ReviewRequest, jira: Twin, clock: Clock) -> None:
    TicketSite.objects.update(base_url="http://jira.test")
    (message,) = deliver(clock)
    assert (message.state, jira.calls) == (JobState.PAUSED, [])
    assert "use https://" in message.error


def test_a_credential_that_cannot_be_read_is_told(submitted: ReviewRequest, jira: Twin, clock: Clock) -> None:
    TicketSite.objects.update(credential=b"of another key")
    (message,) = deliver(clock)
    assert (message.state, jira.calls) == (JobState.PAUSED, [])
    assert "cannot be decrypted" in message.error
    health = inbound_tasks.health_of(TicketSite.objects.get())
    assert (health.ok, [(step.name, step.ok) for step in health.steps]) == (False, [("Credential", False)])
    assert health.sentence == health.steps[0].sentence == message.error


@pytest.mark.parametrize(
    ("failure", "wait_s"),
    [
        (TrackerUnreachable("Jira sleeps."), 5),
        (TrackerUnreachable("Jira sleeps.", retry_after_s=77), 77),
        (RateLimited("Slow down.", retry_after_s=120), 120),
    ],
)
def test_what_was_not_done_is_tried_again(
    submitted: ReviewRequest, jira: Twin, clock: Clock, failure: TrackerUnreachable, wait_s: float
) -> None:
    jira.fail_next(failure)
    (message,) = deliver(clock)
    assert (message.state, message.error, message.is_uncertain) == (JobState.QUEUED, failure.reason, False)
    assert message.next_attempt_at == clock.now() + timedelta(seconds=wait_s)
    assert deliver(clock, after_s=wait_s - 1) == []
    assert states(deliver(clock, after_s=1)) == [JobState.DONE]
    assert len(jira.tickets) == 1


def test_a_lost_answer_is_looked_for_before_it_is_asked_again(
    submitted: ReviewRequest, jira: Twin, clock: Clock
) -> None:
    spoil(jira, "open", OutcomeUnknown("The connection broke.", settle_s=45))
    (message,) = deliver(clock)
    assert (message.state, message.is_uncertain, Ticket.objects.get().state) == (JobState.QUEUED, True, "uncertain")
    assert message.next_attempt_at == clock.now() + timedelta(seconds=45)
    assert states(deliver(clock, after_s=45)) == [JobState.DONE]
    assert (jira.calls.count("open"), len(jira.tickets), Ticket.objects.get().key) == (1, 1, "MR-1")


def test_a_request_that_never_arrived_is_sent_again(submitted: ReviewRequest, jira: Twin, clock: Clock) -> None:
    lose(jira, "open", OutcomeUnknown("The connection broke.", settle_s=1))
    assert states(deliver(clock)) == [JobState.QUEUED]
    while JobState.DONE not in states(deliver(clock, after_s=600)):
        assert clock.now() < submitted.deadline_at
    assert (len(jira.tickets), Ticket.objects.get().state) == (1, "linked")


def test_the_longest_lag_of_the_search_opens_no_second_ticket(
    submitted: ReviewRequest, jira: Twin, clock: Clock
) -> None:
    TicketSite.objects.update(settle_s=SETTLE_S_MAX)
    jira.indexes_at_once = False
    spoil(jira, "open", OutcomeUnknown("The connection broke.", settle_s=SETTLE_S_MAX))
    for after_s in (0, SETTLE_S_MAX, SETTLE_S_MAX - 1):
        assert JobState.DONE not in states(deliver(clock, after_s=after_s))
    assert jira.calls.count("open") == 1
    jira.index()
    deliver(clock, after_s=SETTLE_S_MAX)
    assert (jira.calls.count("open"), len(jira.tickets), Ticket.objects.get().key) == (1, 1, "MR-1")


def test_a_ticket_opened_but_not_linked_is_not_opened_again(submitted: ReviewRequest, jira: Twin, clock: Clock) -> None:
    """Search may lag behind: after the opening nothing is searched for, the ticket is known."""
    jira.indexes_at_once = False
    lose(jira, "link", TrackerUnreachable("Jira sleeps."))
    (message,) = deliver(clock)
    assert (message.state, Ticket.objects.get().key) == (JobState.QUEUED, "MR-1")
    assert states(deliver(clock, after_s=5)) == [JobState.DONE]
    assert (jira.calls.count("open"), jira.calls[-1], len(jira.tickets)) == (1, "link", 1)


def test_a_ticket_without_its_label_is_kept_and_a_person_called(
    submitted: ReviewRequest, jira: Twin, cast: Cast, clock: Clock
) -> None:
    jira.indexes_at_once = False  # as if without its label: no search will ever find it
    kept = RemoteTicket(id="10001", key="MR-1", url="https://jira.test/browse/MR-1", status="To Do")
    spoil(jira, "open", LabelLost("Put Labels on the screens.", ticket=kept))
    (message,) = deliver(clock)
    assert (message.state, message.error) == (JobState.PAUSED, "Put Labels on the screens.")
    assert (Ticket.objects.get().state, Ticket.objects.get().key) == ("linked", "MR-1")
    effect_actions.retry(message=message, by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    assert (jira.calls.count("open"), jira.calls[-1], len(jira.tickets)) == (1, "link", 1)


def test_a_permanent_refusal_pauses_in_words_and_resumes(
    submitted: ReviewRequest, jira: Twin, cast: Cast, clock: Clock
) -> None:
    words = "The account may not open tickets: give it that permission."
    lose(jira, "open", Misconfigured(words))
    effects.notify_request_ticket(request=submitted, occasion="evidence", reason="Later.", by=None, now=clock.now())
    (message,) = deliver(clock)
    assert (message.kind, message.state, message.error) == ("ticket.open", JobState.PAUSED, words)
    assert deliver(clock, after_s=86_400) == []
    assert OutboxMessage.objects.get(kind="ticket.tell").state != JobState.DONE
    effect_actions.resume_all(by=cast.admin, now=clock.now())
    assert set(states(deliver(clock))) == {JobState.DONE}
    assert OutboxMessage.objects.exclude(state=JobState.DONE).count() == 0
    assert (len(jira.tickets), said(jira)) == (1, ["Weighbridge: Later."])


# what is told


@pytest.fixture
def linked(submitted: ReviewRequest, jira: Twin, clock: Clock) -> ReviewRequest:
    deliver(clock)
    return submitted


def only(jira: Twin) -> MemoryTicket:
    (ticket,) = jira.tickets.values()
    return ticket


def said(jira: Twin) -> list[str]:
    """The first lines of everything that was commented."""
    return [block.text.splitlines()[0] for comment in only(jira).comments for block in comment.blocks]


def spoil(jira: Twin, call: str, error: Exception) -> None:
    """The next `call` is done, and its answer lost."""
    real = getattr(jira, call)

    def once(*args: object, **kwargs: object) -> None:
        setattr(jira, call, real)
        real(*args, **kwargs)
        raise error

    setattr(jira, call, once)


def lose(jira: Twin, call: str, error: Exception) -> None:
    """The next `call` never arrives."""
    real = getattr(jira, call)

    def once(*_: object, **__: object) -> None:
        setattr(jira, call, real)
        raise error

    setattr(jira, call, once)


def test_a_comment_and_a_status(linked: ReviewRequest, jira: Twin, author: User, clock: Clock) -> None:
    effects.notify_request_ticket(
        request=linked, occasion="in_review", reason="Please vote.", by=author, now=clock.now()
    )
    (message,) = deliver(clock)
    assert message.state == JobState.DONE
    (comment,) = only(jira).comments
    assert (said(jira), comment.marker) == (["Author: Please vote."], message.key)
    assert (only(jira).status, Ticket.objects.get().status) == ("In Progress", "In Progress")


def test_an_occasion_without_a_status_moves_nothing(linked: ReviewRequest, jira: Twin, clock: Clock) -> None:
    effects.notify_request_ticket(request=linked, occasion="policy_evaluation", reason="", by=None, now=clock.now())
    deliver(clock)
    assert said(jira) == ["Weighbridge: policy evaluation"]
    assert (only(jira).status, jira.calls[-1], Ticket.objects.get().status) == ("To Do", "comment", "To Do")


def test_statuses_are_renamed_by_settings(linked: ReviewRequest, jira: Twin, settings: object, clock: Clock) -> None:
    TicketRoute.objects.update(statuses={"in_review": "In Review"})
    effects.notify_request_ticket(request=linked, occasion="in_review", reason="Please vote.", by=None, now=clock.now())
    deliver(clock)
    assert Ticket.objects.get().status == "In Review"


@pytest.mark.parametrize("call", ["comment", "transition"])
def test_a_comment_is_written_once_whatever_is_lost(linked: ReviewRequest, jira: Twin, clock: Clock, call: str) -> None:
    effects.notify_request_ticket(request=linked, occasion="in_review", reason="Please vote.", by=None, now=clock.now())
    spoil(jira, call, OutcomeUnknown("The connection broke.", settle_s=9))
    assert states(deliver(clock)) == [JobState.QUEUED]
    assert states(deliver(clock, after_s=9)) == [JobState.DONE]
    assert (len(only(jira).comments), Ticket.objects.get().status) == (1, "In Progress")


def test_a_comment_resumed_by_a_person_is_looked_for_too(
    linked: ReviewRequest, jira: Twin, cast: Cast, clock: Clock
) -> None:
    effects.notify_request_ticket(request=linked, occasion="in_review", reason="Please vote.", by=None, now=clock.now())
    spoil(jira, "comment", Misconfigured("The account was locked."))
    (message,) = deliver(clock)
    assert message.state == JobState.PAUSED
    effect_actions.retry(message=message, by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    assert len(only(jira).comments) == 1


def test_a_status_without_a_way_is_noted_and_holds_nothing_up(
    linked: ReviewRequest, jira: Twin, settings: object, clock: Clock
) -> None:
    TicketRoute.objects.update(statuses={"in_review": "Nirvana"})
    effects.notify_request_ticket(request=linked, occasion="in_review", reason="Please vote.", by=None, now=clock.now())
    (message,) = deliver(clock)
    assert (message.state, len(only(jira).comments), Ticket.objects.get().status) == (JobState.DONE, 1, "To Do")
    assert AuditEvent.objects.get(kind="ticket.updated").reason == (
        "There is no transition from To Do to Nirvana; move the ticket manually."
    )


def test_fields_are_filled_even_if_the_status_has_no_way(linked: ReviewRequest, jira: Twin, clock: Clock) -> None:
    field_map = {"tier": {"id": "customfield_10033", "kind": "string"}}
    TicketRoute.objects.update(statuses={"in_review": "Nirvana"}, field_map=field_map)
    for refused in (False, True):
        if refused:
            lose(jira, "fill", Misconfigured("Tier is not on the screen.", reach=FailureReach.ALIKE))
        effects.notify_request_ticket(request=linked, occasion="in_review", reason="x", by=None, now=clock.now())
        assert states(deliver(clock)) == [JobState.DONE]
    assert only(jira).values == values_of(Ticket.objects.get(), now=clock.now())
    stuck = "There is no transition from To Do to Nirvana; move the ticket manually."
    notes = AuditEvent.objects.filter(kind="ticket.updated").order_by("position").values_list("reason", flat=True)
    assert list(notes) == [stuck, f"{stuck} Tier is not on the screen."]


def test_a_deleted_ticket_is_noted_and_never_made_again(linked: ReviewRequest, jira: Twin, clock: Clock) -> None:
    jira.tickets.clear()
    effects.notify_request_ticket(request=linked, occasion="in_review", reason="Please vote.", by=None, now=clock.now())
    (message,) = deliver(clock)
    assert (message.state, jira.tickets) == (JobState.DONE, {})
    assert "it was deleted" in AuditEvent.objects.get(kind="ticket.updated").reason


def test_the_ticket_follows_the_whole_review(
    policy: object, cast: Cast, jira: Twin, clock: Clock, now: datetime
) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    review.vote(
        request=request,
        stage_id="technical",
        choice=VoteChoice.REQUEST_CHANGES,
        rationale="Measure the tail.",
        by=cast.reviewer_one,
        now=now,
    )
    deliver(clock)
    request = requests.revise(request=request, reason="Measured.", by=cast.author, now=now)
    request = review.request_review(request=request, by=cast.author, now=now)
    walks.approve(request=request, cast=cast, now=now)
    assert set(states(deliver(clock))) == {JobState.DONE}
    assert said(jira) == [
        "Weighbridge: The policy now says: review required.",
        "Author: The evidence is complete; reviewers are asked to vote.",
        "Reviewer One: Measure the tail.",
        "Author: Measured.",
        "Author: The evidence is complete; reviewers are asked to vote.",
        "Approver: Fast and cheap.",
    ]
    assert (only(jira).status, Ticket.objects.get().status) == ("Done", "Done")


# the connection test


def checked(cast: Cast, clock: Clock) -> dict[str, object]:
    effect_actions.request_check(by=cast.admin, now=clock.now())
    messages = [each for each in deliver(clock) if each.kind == "tracker.check"]
    assert states(messages) == [JobState.DONE] * 2, "the request, and the test of the one site"
    return AuditEvent.objects.filter(kind="tracker.checked").last().details


def test_a_connection_test_is_kept(cast: Cast, jira: Twin, clock: Clock) -> None:
    jira.health = TrackerHealth(ok=True, sentence="Jira knows us as Bot.", account="Bot")
    assert checked(cast, clock) == {"ok": True, "sentence": "Jira knows us as Bot.", "account": "Bot"}


def test_a_test_of_every_connection_without_a_site_tests_nothing(cast: Cast, clock: Clock) -> None:
    effect_actions.request_check(by=cast.admin, now=clock.now())
    assert states(deliver(clock)) == [JobState.DONE]
    assert not AuditEvent.objects.filter(kind="tracker.checked").exists()


# runs and packets


def test_a_finished_run_becomes_evidence(submitted: ReviewRequest, now: datetime) -> None:
    (run,) = submitted.model_version.runs.all()
    walks.finish_run(run=run, now=now)
    message = OutboxMessage.objects.get(kind="run.finished")
    assert outbox.deliver(pk=message.pk, now=now).state == JobState.DONE
    assert submitted.metric_records.filter(basis="measured").count() == 6
    assert outbox.deliver(pk=message.pk, now=now) is None


@contextmanager
def printing(monkeypatch: pytest.MonkeyPatch, printer: object) -> Iterator[None]:
    monkeypatch.setattr(packets_tasks, "WeasyPrintPrinter", lambda: printer)
    yield


def test_a_packet_is_drawn(decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    printer = MemoryPrinter()
    with printing(monkeypatch, printer):
        packets_tasks.render_packet(decided.packets.get().pk)
        packets_tasks.render_packet(decided.packets.get().pk)
    packet = Packet.objects.get()
    assert (packet.state, packet.attempts, len(printer.printed)) == (JobState.DONE, 1, 1)
    html, assets = printer.printed[0]
    assert decided.ref in html
    assert packet.document_digest in html
    assert "tokens.css" in assets
    assert AuditEvent.objects.get(kind="packet.ready").source == "job"


def test_a_packet_that_cannot_be_drawn_says_why_and_is_drawn_after_a_retry(
    decided: ReviewRequest, author: User, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    printer, packet = MemoryPrinter(), decided.packets.get()
    printer.failure = PrintFailed("A font is missing: install it.")
    with printing(monkeypatch, printer):
        packets_tasks.render_packet(packet.pk)
        packet.refresh_from_db()
        assert (packet.state, packet.error) == (JobState.FAILED, "A font is missing: install it.")
        jobs.retry(row=packet, by=author, now=now)
        printer.failure = None
        packets_tasks.render_packet(packet.pk)
    packet.refresh_from_db()
    assert (packet.state, packet.error) == (JobState.DONE, "")


# the tick


def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    calls: list[tuple[str, int]] = []
    for door in (outbox, wakeups):
        monkeypatch.setattr(door, "wake", lambda task, *arguments: calls.append((task, *arguments)))
    return calls


def test_the_tick_ends_what_has_run_out(decided: ReviewRequest, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    row = decided.decision.authorization
    waiting = walks.make_submitted(
        by=cast.author, now=decided.created_at, version=decided.model_version, purpose="Another"
    )
    calls = woken(monkeypatch)
    for _ in range(2):
        workflow_tasks.expire_due(row.expires_at)
        jobs.tick(kind=kind_of(Packet), now=row.expires_at)
    row.refresh_from_db()
    waiting.refresh_from_db()
    assert (row.state, waiting.state) == ("expired", "expired")
    assert ("reviews.packets.tasks.render_packet", decided.packets.get().pk) in calls


def test_the_tick_survives_a_request_that_moved_meanwhile(
    submitted: ReviewRequest, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = submitted.deadline_at
    requests.withdraw(request=submitted, reason="Not needed.", by=author, now=deadline)
    monkeypatch.setattr(workflow_tasks, "expired_requests", lambda *, now: [submitted])
    workflow_tasks.expire_due(deadline)
    submitted.refresh_from_db()
    assert submitted.state == "withdrawn"


def test_the_tick_buries_packets_nobody_could_draw(decided: ReviewRequest, now: datetime) -> None:
    Packet.objects.update(state=JobState.CLAIMED, attempts=3, lease_until=now)
    jobs.tick(kind=kind_of(Packet), now=now + timedelta(seconds=1))
    assert Packet.objects.get().state == JobState.DEAD


def test_a_packet_that_is_rendered_keeps_its_lease(decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(packets_tasks, "lease_renewed", lambda row: seen.append(row) or nullcontext())
    packets_tasks.render_packet(decided.packets.get().pk)
    assert seen == [decided.packets.get()]
    assert kind_of(Packet).longest > timedelta(seconds=WALL_MAX_S)
