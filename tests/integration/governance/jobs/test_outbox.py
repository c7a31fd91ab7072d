"""The outbox: written with the change that wants it, delivered in order, any number of times, with one effect."""

import errno
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.jobs import actions as jobs
from governance.jobs import kinds, outbox, ticks
from governance.jobs import tasks as jobs_tasks
from governance.jobs import worker_signals as wakeups
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.outbox import NeedsPerson, TryLater

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
Sent = list[tuple[str, tuple[int, ...]]]


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, outbox.Handler]:
    """No handlers but the test's own."""
    monkeypatch.setattr(outbox, "HANDLERS", {})
    monkeypatch.setattr(ticks, "PARTS", [])
    return outbox.HANDLERS


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the broker was told."""
    told: Sent = []

    def send_task(name: str, args: tuple[int, ...], **options: object) -> None:
        assert (options["retry_policy"], options["headers"]) == (wakeups.AT_ONCE, {"request_id": ""})
        told.append((name, args))

    monkeypatch.setattr(current_app, "send_task", send_task)
    return told


def enqueue(key: str = "a", *, kind: str = "test", lane: str = "x", **payload: object) -> OutboxMessage:
    with transaction.atomic():
        return outbox.enqueue(kind=kind, key=key, lane=lane, payload=payload, now=NOW)


def due(*, now: datetime, limit: int = 100) -> list[int]:
    return [row.pk for row in OutboxMessage.due(now=now, limit=limit)]


def raising(error: Exception) -> outbox.Handler:
    def handler(message: OutboxMessage) -> None:
        raise error

    return handler


def test_the_same_key_is_one_message(db: None) -> None:
    first = enqueue("a", number=1)
    second = enqueue("a", number=2)
    assert first.pk == second.pk
    assert OutboxMessage.objects.get().payload == {"number": 1}
    assert (first.state, first.max_attempts, first.next_attempt_at) == ("queued", outbox.ATTEMPTS_MAX, NOW)


def test_a_message_of_a_rolled_back_change_does_not_exist(
    db: None, sent: Sent, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    @transaction.atomic
    def fails() -> None:
        outbox.enqueue(kind="test", key="a", lane="x", payload={}, now=NOW)
        raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        fails()
    assert not OutboxMessage.objects.exists()
    assert sent == []


def test_a_worker_is_woken_after_the_commit(
    db: None, sent: Sent, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        message = enqueue()
        assert sent == []
    for callback in callbacks:
        callback()
    assert sent == [("governance.jobs.tasks.deliver", (message.pk,))]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_no_error_and_the_tick_delivers(
    monkeypatch: pytest.MonkeyPatch, handlers: dict[str, outbox.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []
    handlers["test"] = lambda message: done.append(message.pk)

    def refuses(*arguments: object, **options: object) -> None:
        raise OperationalError("[Errno 111] Connection refused")

    monkeypatch.setattr(current_app, "send_task", refuses)
    message = enqueue()
    assert OutboxMessage.objects.get().state == "queued"
    assert "the broker did not accept a notification ([Errno 111] Connection refused)" in caplog.text

    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: jobs_tasks.deliver(*args))
    ticks.tick(now=NOW)
    assert done == [message.pk]
    assert OutboxMessage.objects.get().state == "done"


def test_a_delivered_message_is_done_and_its_settlement_is_written_with_it(
    db: None, handlers: dict[str, outbox.Handler]
) -> None:
    seen: list[tuple[str, str]] = []

    @outbox.handles("test")
    def handler(message: OutboxMessage) -> outbox.Settle:
        seen.append(("acts", OutboxMessage.objects.get().state))
        return lambda: seen.append(("settles", OutboxMessage.objects.get().state))

    message = enqueue()
    delivered = outbox.deliver(pk=message.pk, now=NOW)
    assert delivered is not None
    assert (delivered.state, delivered.finished_at, delivered.error, delivered.lease_until) == ("done", NOW, "", None)
    assert seen == [("acts", "claimed"), ("settles", "done")]
    assert outbox.deliver(pk=message.pk, now=NOW + timedelta(days=1)) is None
    assert len(seen) == 2


def test_the_next_of_the_lane_is_woken(
    db: None,
    handlers: dict[str, outbox.Handler],
    sent: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    handlers["test"] = lambda message: None
    first, second, _ = enqueue("a"), enqueue("b"), enqueue("c", lane="y")
    with django_capture_on_commit_callbacks(execute=True):
        assert outbox.deliver(pk=second.pk, now=NOW) is None
        assert outbox.deliver(pk=first.pk, now=NOW) is not None
    assert sent == [("governance.jobs.tasks.deliver", (second.pk,))]


@pytest.mark.parametrize(("wait_s", "expected_s"), [(None, 5), (0, 0), (90, 90)])
@pytest.mark.parametrize("is_uncertain", [False, True])
def test_later_means_later(
    db: None, handlers: dict[str, outbox.Handler], wait_s: float | None, expected_s: int, is_uncertain: bool
) -> None:
    handlers["test"] = raising(TryLater("Jira is down.", wait_s=wait_s, is_uncertain=is_uncertain))
    message = outbox.deliver(pk=enqueue().pk, now=NOW)
    assert message is not None
    assert (message.state, message.error, message.is_uncertain) == ("queued", "Jira is down.", is_uncertain)
    # An uncertain effect uses up attempts: it waits for the longer of both, so that they outlast an outage.
    assert message.next_attempt_at == NOW + timedelta(seconds=max(expected_s, 5) if is_uncertain else expected_s)
    assert message.attempts == 1


def test_the_attempts_of_an_uncertain_effect_outlast_an_outage(db: None, handlers: dict[str, outbox.Handler]) -> None:
    handlers["test"] = raising(TryLater("Perhaps.", wait_s=0, is_uncertain=True))
    message = enqueue()
    for _ in range(outbox.ATTEMPTS_MAX):
        last = message.next_attempt_at
        message = outbox.deliver(pk=message.pk, now=last)
    assert last - NOW > timedelta(hours=2)


def test_doubt_once_raised_stays(db: None, handlers: dict[str, outbox.Handler]) -> None:
    handlers["test"] = raising(TryLater("Perhaps.", wait_s=0, is_uncertain=True))
    message = enqueue()
    outbox.deliver(pk=message.pk, now=NOW)
    handlers["test"] = raising(TryLater("Surely not now.", wait_s=0))
    again = outbox.deliver(pk=message.pk, now=NOW + timedelta(seconds=5))
    assert again is not None
    assert (again.is_uncertain, again.attempts) == (True, 2)


def test_what_needs_a_person_pauses_without_losing_anything(db: None, handlers: dict[str, outbox.Handler]) -> None:
    handlers["test"] = raising(NeedsPerson("The token is wrong; store another."))
    message = outbox.deliver(pk=enqueue(number=1).pk, now=NOW)
    assert message is not None
    assert (message.state, message.error) == ("paused", "The token is wrong; store another.")
    assert (message.payload, message.lease_until) == ({"number": 1}, None)
    assert outbox.deliver(pk=message.pk, now=NOW + timedelta(days=1)) is None
    assert due(now=NOW + timedelta(days=1)) == []


def test_a_fault_of_the_handler_is_told_and_repeated_with_doubt(
    db: None, handlers: dict[str, outbox.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    handlers["test"] = raising(ZeroDivisionError("division by zero"))
    message = outbox.deliver(pk=enqueue().pk, now=NOW)
    assert message is not None
    assert (message.state, message.error) == ("queued", "ZeroDivisionError: division by zero")
    assert (message.is_uncertain, message.next_attempt_at) == (True, NOW + timedelta(seconds=5))
    assert "Outbox message a failed." in caplog.text


def test_while_the_storage_of_artifacts_is_away_no_attempt_counts(
    db: None, handlers: dict[str, outbox.Handler]
) -> None:
    handlers["test"] = raising(OSError(errno.EREMOTEIO, "https://minio.test"))
    at, message = NOW, enqueue()
    for _ in range(outbox.ATTEMPTS_MAX + 1):
        found = outbox.deliver(pk=message.pk, now=at)
        assert found is not None
        assert (found.state, found.is_uncertain, found.error) == ("queued", False, jobs.NO_STORAGE)
        at = found.next_attempt_at


def test_a_kind_nobody_handles_yet_waits_for_somebody_who_does(db: None, caplog: pytest.LogCaptureFixture) -> None:
    message = outbox.deliver(pk=enqueue(kind="of tomorrow").pk, now=NOW)
    assert message is not None
    assert (message.state, message.error) == ("queued", "KeyError: 'of tomorrow'")


def test_a_settlement_that_fails_leaves_the_message_to_be_tried_again(
    db: None, handlers: dict[str, outbox.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    def settle() -> None:
        AuditEvent.objects.create(position=1, at=NOW, hash="h")
        raise ZeroDivisionError("no")

    handlers["test"] = lambda message: settle
    message = outbox.deliver(pk=enqueue().pk, now=NOW)
    assert message is not None
    assert (message.state, message.error) == ("queued", "ZeroDivisionError: no")
    assert (message.is_uncertain, message.finished_at) == (True, None)
    assert not AuditEvent.objects.exists(), "half a settlement was rolled back"


def test_a_worker_that_lost_its_lease_settles_nothing(db: None, handlers: dict[str, outbox.Handler]) -> None:
    settled: list[str] = []
    message = enqueue()

    later = NOW + timedelta(seconds=1) + kinds.effect_lease()

    def slow(mine: OutboxMessage) -> outbox.Settle:
        handlers["test"] = lambda message: lambda: settled.append("quick")
        assert outbox.deliver(pk=mine.pk, now=later) is not None
        return lambda: settled.append("slow")

    handlers["test"] = slow
    found = outbox.deliver(pk=message.pk, now=NOW)
    assert settled == ["quick"]
    assert found is not None
    assert (found.state, found.fence, found.finished_at) == ("done", 2, later)


def test_a_message_is_dead_after_its_last_attempt_and_blocks_its_lane(
    db: None, handlers: dict[str, outbox.Handler]
) -> None:
    handlers["test"] = raising(TryLater("Jira is down."))
    message, behind = enqueue("a"), enqueue("b")
    waits, now = [], NOW
    for _ in range(outbox.ATTEMPTS_MAX):
        assert jobs.mark_dead(model=OutboxMessage, now=now) == []
        tried = outbox.deliver(pk=message.pk, now=now)
        assert tried is not None
        waits.append((tried.next_attempt_at - now).total_seconds())
        now = tried.next_attempt_at
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 0]
    assert outbox.deliver(pk=message.pk, now=now) is None
    assert jobs.mark_dead(model=OutboxMessage, now=now) == [message]
    message.refresh_from_db()
    assert (message.state, message.error, message.finished_at) == ("dead", "Jira is down.", now)
    assert outbox.deliver(pk=behind.pk, now=now) is None


def test_silent_workers_are_told_of_when_a_message_dies(db: None) -> None:
    message = enqueue()
    OutboxMessage.objects.update(max_attempts=1)
    assert OutboxMessage.claim(pk=message.pk, now=NOW, lease=kinds.lease()) is not None
    assert jobs.mark_dead(model=OutboxMessage, now=NOW + kinds.lease()) == []
    assert jobs.mark_dead(model=OutboxMessage, now=NOW + kinds.lease() + timedelta(seconds=1)) == [message]
    message.refresh_from_db()
    assert (message.state, message.error) == ("dead", "All workers that took this message stopped responding.")
    assert message.lease_until is None


@given(attempts=st.integers(-3, 200))
def test_the_wait_doubles_up_to_an_hour(attempts: int) -> None:
    wait_s = kinds.backoff(attempts).total_seconds()
    assert 5 <= wait_s <= 3600
    assert wait_s == 3600 or kinds.backoff(attempts + 1).total_seconds() in {5, wait_s * 2, 3600}


@pytest.mark.parametrize(("attempts", "wait_s"), [(0, 5), (1, 5), (2, 10), (10, 2560), (11, 3600), (12, 3600)])
def test_the_wait_in_figures(attempts: int, wait_s: int) -> None:
    assert kinds.backoff(attempts) == timedelta(seconds=wait_s)


def test_what_is_due_comes_oldest_first_and_not_without_end(db: None) -> None:
    messages = [enqueue(str(number), lane=str(number)) for number in range(5)]
    OutboxMessage.objects.filter(pk=messages[1].pk).update(next_attempt_at=NOW + timedelta(seconds=1))
    OutboxMessage.objects.filter(pk=messages[2].pk).update(state=JobState.DONE)
    assert due(now=NOW) == [messages[0].pk, messages[3].pk, messages[4].pk]
    assert due(now=NOW, limit=2) == [messages[0].pk, messages[3].pk]


def test_a_tick_buries_wakes_and_calls_whoever_asked_for_it(
    db: None, sent: Sent, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    times: list[datetime] = []
    ticks.on_tick()(times.append)
    due, dead = enqueue("a"), enqueue("b", lane="y")
    OutboxMessage.objects.filter(pk=dead.pk).update(attempts=outbox.ATTEMPTS_MAX)
    with django_capture_on_commit_callbacks(execute=True):
        ticks.tick(now=NOW)
    assert times == [NOW]
    assert sent == [("governance.jobs.tasks.deliver", (due.pk,))]
    dead.refresh_from_db()
    assert dead.state == "dead"


def test_one_part_of_the_tick_that_fails_does_not_stop_the_others(db: None, caplog: pytest.LogCaptureFixture) -> None:
    times: list[datetime] = []

    def broken(now: datetime) -> None:
        raise ZeroDivisionError

    for ticker in (broken, times.append):
        ticks.on_tick()(ticker)
    with pytest.raises(ExceptionGroup) as group:
        ticks.tick(now=NOW)
    assert [type(error) for error in group.value.exceptions] == [ZeroDivisionError]
    assert times == [NOW]
    assert "A part of the tick failed" in caplog.text


def test_a_connection_that_the_server_ends_fails_one_part_alone(transactional_db: None) -> None:
    times: list[object] = []

    def ended(now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def asks(now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            times.append(cursor.fetchone())

    for ticker in (ended, asks):
        ticks.on_tick()(ticker)
    with pytest.raises(ExceptionGroup) as group:
        ticks.tick(now=NOW)
    assert len(group.value.exceptions) == 1
    assert times == [(1,)]


def test_the_task_delivers_as_a_job(db: None, handlers: dict[str, outbox.Handler]) -> None:
    def settle() -> None:
        audit.record(kind="test.done", by=None, subject=("thing", "t"), now=NOW)

    handlers["test"] = lambda message: settle
    message = enqueue()
    jobs_tasks.deliver(message.pk)
    message.refresh_from_db()
    assert message.state == "done"
    assert AuditEvent.objects.get().source == "job"
    jobs_tasks.deliver(message.pk)
    assert AuditEvent.objects.count() == 1


def test_leases_are_as_long_as_the_settings_say(settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LEASE_S": 7, "EFFECT_LEASE_S": 8}
    assert kinds.lease() == timedelta(seconds=7)
    assert kinds.effect_lease() == timedelta(seconds=8)


def test_a_worker_looks_before_what_cannot_be_taken_back(
    db: None, handlers: dict[str, outbox.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    acted: list[str] = []
    later = NOW + timedelta(seconds=1) + kinds.effect_lease()

    def quick(message: OutboxMessage) -> None:
        outbox.check_held(message=message, now=later)
        acted.append("quick")

    def slow(message: OutboxMessage) -> None:
        handlers["test"] = quick
        outbox.deliver(pk=message.pk, now=later)
        outbox.check_held(message=message, now=later)
        acted.append("slow")

    handlers["test"] = slow
    found = outbox.deliver(pk=enqueue().pk, now=NOW)
    assert acted == ["quick"]
    assert found is not None
    assert (found.state, found.fence, found.error) == ("done", 2, "")
    assert "a was given to another worker." in caplog.text


def test_a_look_holds_the_message_for_another_while(db: None) -> None:
    message = enqueue()
    held = OutboxMessage.claim(pk=message.pk, now=NOW, lease=kinds.effect_lease())
    assert held is not None
    outbox.check_held(message=held, now=NOW + timedelta(seconds=30))
    held.refresh_from_db()
    assert held.lease_until == NOW + timedelta(seconds=30) + kinds.effect_lease()
