"""Signs of life: shown by workers that take messages, asked for by the tick; and leases renewed while a job runs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError, transaction
from django.utils import timezone
from pytest_django import Settings

from governance.jobs import kinds, outbox, queries, signs_of_life
from governance.jobs import tasks as jobs_tasks
from governance.jobs import worker_signals as wakeups
from governance.jobs.models import OutboxMessage, Pulse
from governance.jobs.queries import BROKER, QUEUE, TICK

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Sent = list[tuple[str, Any, Any]]


@pytest.fixture(autouse=True)
def signs(monkeypatch: pytest.MonkeyPatch) -> signs_of_life.ShownSigns:
    """This process, as a worker for no queue yet."""
    fresh = signs_of_life.ShownSigns()
    monkeypatch.setattr(signs_of_life, "SIGNS", fresh)
    return fresh


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The task, arguments and queue of each notification."""
    told: Sent = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **options: told.append((name, args, options.get("queue")))
    )
    monkeypatch.setattr(transaction, "on_commit", lambda send: send())
    return told


def shown() -> dict[str, datetime]:
    return dict(Pulse.objects.filter(name__startswith=QUEUE).values_list("name", "at"))


def worker(*queues: str) -> SimpleNamespace:
    names = dict.fromkeys(queues)
    amqp = SimpleNamespace(queues=SimpleNamespace(consume_from=names))
    return SimpleNamespace(app=SimpleNamespace(amqp=amqp, conf=current_app.conf))


# signs


def test_a_process_that_is_no_worker_shows_nothing(db: None) -> None:
    jobs_tasks.show_sign()
    assert shown() == {}


def test_a_worker_shows_a_sign_for_each_queue_once_in_five_seconds(
    db: None, signs: signs_of_life.ShownSigns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs_of_life, "SHOWN_EVERY_S", 600.0)
    signs.take_from(["effects", "bench.cpu"])
    signs_of_life.show(now=NOW)
    signs_of_life.show(now=NOW + SECOND)
    assert shown() == {"queue:bench.cpu": NOW, "queue:effects": NOW}
    signs.shown_at_s -= signs_of_life.SHOWN_EVERY_S
    signs_of_life.show(now=NOW + SECOND)
    assert set(shown().values()) == {NOW + SECOND}


def test_a_worker_that_begins_looks_for_what_died_with_the_one_before(db: None, sent: Sent) -> None:
    row = OutboxMessage.objects.create(kind="k", key="k", lane="k", created_at=NOW, next_attempt_at=NOW)
    jobs_tasks.begin_work(worker("bench.cpu"))
    assert sent == [], "a worker looks for what it would take"
    jobs_tasks.end_work()
    jobs_tasks.begin_work(worker("effects"))
    assert list(shown()) == ["queue:effects"]
    assert sent == [(outbox.DELIVER, (row.pk,), None)]


def test_nobody_waits_for_a_worker_that_was_stopped(db: None, sent: Sent) -> None:
    jobs_tasks.begin_work(worker("effects"))
    jobs_tasks.end_work()
    assert shown() == {}


@pytest.mark.parametrize(
    ("ago", "is_asked"),
    [(10 * SECOND, False), (11 * SECOND, True), (599 * SECOND, True), (600 * SECOND, False), (-SECOND, False)],
)
def test_the_tick_asks_idle_queues_until_it_gives_up(db: None, sent: Sent, ago: timedelta, is_asked: bool) -> None:
    Pulse.record(name=QUEUE + "effects", at=NOW - ago)
    jobs_tasks.ask_for_signs(NOW)
    assert sent == [(jobs_tasks.SHOW_LIFE, (), "effects")] * is_asked


def test_a_queue_is_asked_once_in_ten_seconds(db: None, sent: Sent) -> None:
    Pulse.record(name=QUEUE + "effects", at=NOW - 20 * SECOND)
    for second in range(20):
        jobs_tasks.ask_for_signs(NOW + second * SECOND)
    assert len(sent) == 2
    assert wakeups.EXPIRES_S == 30


def test_the_question_is_a_task() -> None:
    assert jobs_tasks.show_life.name == jobs_tasks.SHOW_LIFE
    jobs_tasks.show_life()


def test_a_queue_is_silent_only_while_the_tick_asks(db: None) -> None:
    Pulse.record(name=QUEUE + "effects", at=NOW - 36 * SECOND)
    Pulse.record(name=QUEUE + "bench.cpu", at=NOW - 35 * SECOND)
    assert queries.silent_queues(now=NOW) == []
    Pulse.record(name=TICK, at=NOW)
    assert queries.silent_queues(now=NOW) == ["effects"]
    Pulse.record(name=TICK, at=NOW - 61 * SECOND)
    assert queries.silent_queues(now=NOW) == []


def test_an_old_sign_alone_delays_no_work(db: None) -> None:
    Pulse.record(name=QUEUE + "bench.gpu", at=NOW - timedelta(days=9))
    assert not queries.is_delayed(now=NOW)
    assert not queries.is_broker_away()
    Pulse.record(name=BROKER, at=NOW)
    assert queries.is_broker_away()


# leases


@pytest.fixture
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leases of a fifth of a second."""
    monkeypatch.setattr(signs_of_life, "RENEWALS_PER_LEASE", 100)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"EFFECT_LEASE_S": 20}
    yield
    OutboxMessage.objects.all().delete()


def held() -> OutboxMessage:
    now = timezone.now()
    row = OutboxMessage.objects.create(kind="k", key="k", lane="k", created_at=now, next_attempt_at=now)
    found = OutboxMessage.claim(pk=row.pk, now=now, lease=kinds.effect_lease())
    assert found is not None
    return found


def lease_of(row: OutboxMessage) -> datetime:
    found = OutboxMessage.objects.values_list("lease_until", flat=True).get(pk=row.pk)
    assert found is not None
    return found


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_the_job_runs_and_no_longer(quick: None, signs: signs_of_life.ShownSigns) -> None:
    signs.take_from(["effects"])
    row = held()
    first = lease_of(row)
    with signs_of_life.lease_renewed(row):
        wait_for(lambda: lease_of(row) > first)
        wait_for(shown)
    last = lease_of(row)
    time.sleep(0.5)
    assert lease_of(row) == last
    assert (row.state, row.fence) == ("claimed", 1)


@pytest.mark.django_db(transaction=True)
def test_a_lost_lease_is_not_taken_back(quick: None) -> None:
    row = held()
    with signs_of_life.lease_renewed(row):
        OutboxMessage.objects.update(fence=2, lease_until=NOW)
        time.sleep(0.5)
        assert lease_of(row) == NOW


@pytest.mark.django_db(transaction=True)
def test_a_job_that_lasts_too_long_loses_its_lease(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = SimpleNamespace(lease=kinds.effect_lease, longest=timedelta(0))
    monkeypatch.setattr(signs_of_life, "kind_of", lambda _: brief)
    row = held()
    first = lease_of(row)
    with signs_of_life.lease_renewed(row):
        time.sleep(0.5)
        assert lease_of(row) == first


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_asked_again(
    quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    row, renew = held(), OutboxMessage.renew
    first, failures = lease_of(row), [OperationalError("away"), OperationalError("away")]

    def failing(self: OutboxMessage, **fields: Any) -> bool:
        if failures:
            raise failures.pop()
        return renew(self, **fields)

    monkeypatch.setattr(OutboxMessage, "renew", failing)
    with signs_of_life.lease_renewed(row):
        wait_for(lambda: lease_of(row) > first)
    assert caplog.text.count("was not renewed (away)") == 2
