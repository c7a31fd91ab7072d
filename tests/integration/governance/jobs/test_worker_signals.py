"""Wake-ups: given up soon, sent no more often than workers take them, and missed by nobody."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from celery import current_app
from django.db import transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from config.broker import options as brokers
from governance.jobs import outbox, ticks
from governance.jobs import worker_signals as wakeups
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage, Pulse
from governance.jobs.queries import BROKER, is_delayed
from governance.people.actions import people
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
SCHEMES = ["redis", "amqp"]
Sent = list[int]


@pytest.fixture
def silent(scheme: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[str]:
    """A broker whose port is open and that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        monkeypatch.setattr(current_app, "connection_for_write", partial(current_app.connection_for_write, url))
        settings.WAKE_TRANSPORT_OPTIONS = brokers.wake_options(url)
        yield url


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Sent:
    """The rows a worker was woken for."""
    told: Sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: told.append(args[0]))
    monkeypatch.setattr(transaction, "on_commit", lambda send: send())
    return told


def rows(count: int) -> list[int]:
    made = [
        OutboxMessage(kind="k", key=f"k{number}", lane=f"l{number}", payload={}, created_at=NOW, next_attempt_at=NOW)
        for number in range(count)
    ]
    return [row.pk for row in OutboxMessage.objects.bulk_create(made)]


def announced(sent: Sent, *, after_s: float) -> Sent:
    """The rows for which the tick wakes a worker at this time."""
    sent.clear()
    wakeups.announce(OutboxMessage, outbox.DELIVER, now=NOW + timedelta(seconds=after_s))
    return sent


# the broker that is silent


def submitted_within_s(client: Client, draft: ReviewRequest) -> float:
    begun_s = time.monotonic()
    answer = client.post(f"/api/v1/requests/{draft.ref}/submit/", content_type="application/json")
    assert answer.status_code == 200, answer.content
    return time.monotonic() - begun_s


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_broker_that_never_answers_costs_a_person_less_than_two_seconds(
    scheme: str, policy: object, cast: Cast, draft: ReviewRequest, now: datetime, request: pytest.FixtureRequest
) -> None:
    token = people.create_token(user=cast.author, valid_days=1, by=None, now=now)
    client = Client(headers={"Authorization": f"Token {token}"})
    other = walks.make_draft(by=cast.author, now=now, version=draft.model_version, with_data=False, purpose="Another")
    usual_s = submitted_within_s(client, other)
    assert not is_delayed(now=now)

    request.getfixturevalue("silent")
    assert brokers.WAKE_S < submitted_within_s(client, draft) < usual_s + 5
    assert OutboxMessage.objects.filter(state=JobState.QUEUED).count() == 2
    ticks.tick(now=now)
    assert is_delayed(now=now)
    client = Client()
    client.force_login(cast.author)
    assert "Work is delayed" in client.get("/requests/").content.decode()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ten_wake_ups_wait_for_one_time_out(silent: str, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "on_commit", lambda send: send())
    begun_s = time.monotonic()
    wakeups.wake("x", 1)
    once_s = time.monotonic() - begun_s
    for number in range(9):
        wakeups.wake("x", number)
    assert time.monotonic() - begun_s < once_s + 4 * brokers.WAKE_S


@pytest.mark.parametrize("scheme", SCHEMES)
def test_whether_it_answers_is_known_within_a_second_or_so(silent: str) -> None:
    begun_s = time.monotonic()
    assert not wakeups.reach_broker()
    assert time.monotonic() - begun_s < 10
    assert wakeups.is_circuit_open()


def test_a_broker_that_answers_again_is_no_longer_left_alone() -> None:
    wakeups.CIRCUIT.open_circuit()
    assert wakeups.reach_broker()
    assert not wakeups.is_circuit_open()


@pytest.mark.parametrize(
    ("url", "for_workers", "for_wake_ups"),
    [
        ("redis://h/0", (5.0, 10.0, True), (0.5, 0.5, False)),
        ("rediss://h/0", (5.0, 10.0, True), (0.5, 0.5, False)),
    ],
)
def test_workers_are_patient_and_wake_ups_are_not(url, for_workers, for_wake_ups, tmp_path) -> None:
    names = ("socket_connect_timeout", "socket_timeout", "retry_on_timeout")
    assert brokers.transport_options(url, folder=tmp_path) == dict(zip(names, for_workers, strict=True))
    assert brokers.wake_options(url) == dict(zip(names, for_wake_ups, strict=True))


def test_other_brokers_have_options_of_their_own(tmp_path) -> None:
    assert brokers.transport_options("amqp://h//", folder=tmp_path) == {}
    assert brokers.wake_options("amqps://h//") == {"read_timeout": 0.5, "write_timeout": 0.5}
    assert brokers.wake_options("filesystem://") == {}
    assert brokers.transport_options("filesystem://", folder=tmp_path) == {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.1,
    }


# the banner


def test_the_banner_comes_with_the_tick_that_finds_no_broker_and_goes_with_the_one_that_does(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answers, is_told in ((True, False), (False, True), (False, True), (True, False)):
        monkeypatch.setattr(ticks, "is_reached", lambda answers=answers: answers)
        ticks.tick(now=NOW)
        assert is_delayed(now=NOW) is is_told
        assert Pulse.objects.filter(name=BROKER).exists() is is_told


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_reached_and_takes_nothing_is_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise PermissionError("the folder cannot be written to")

    monkeypatch.setattr(ticks, "PARTS", [])
    ticks.tick(now=NOW)
    assert not is_delayed(now=NOW)
    (row,) = rows(1)
    monkeypatch.setattr(current_app, "send_task", refuses)
    ticks.tick(now=NOW)
    assert is_delayed(now=NOW)
    told: Sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: told.append(args[0]))
    ticks.tick(now=NOW + timedelta(seconds=2))
    assert (told, is_delayed(now=NOW)) == ([row], False)


# the crowd


def test_a_crowd_is_announced_a_batch_at_a_time_and_not_again_each_time(db: None, sent: Sent) -> None:
    crowd = rows(3 * wakeups.BATCH)
    batch = crowd[: wakeups.BATCH]
    assert announced(sent, after_s=0) == batch
    assert announced(sent, after_s=2) == []
    OutboxMessage.objects.filter(pk__in=crowd[:20]).update(state=JobState.DONE)
    assert announced(sent, after_s=4) == crowd[wakeups.BATCH : wakeups.BATCH + 20]


def test_what_nobody_takes_is_announced_again_ever_more_rarely(db: None, sent: Sent) -> None:
    (row,) = rows(1)
    times = [second for second in range(0, 1800, 5) if announced(sent, after_s=second) == [row]]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert set(waits[7:]) == {300}


def test_what_was_taken_and_comes_back_is_announced_at_once(db: None, sent: Sent) -> None:
    (row,) = rows(1)
    assert announced(sent, after_s=0) == [row]
    taken = OutboxMessage.claim(pk=row, now=NOW + timedelta(seconds=1), lease=timedelta(seconds=1))
    assert taken is not None
    assert announced(sent, after_s=1.5) == []
    assert announced(sent, after_s=2.5) == [row]  # its worker went silent
    assert announced(sent, after_s=3) == []
    taken = OutboxMessage.claim(pk=row, now=NOW + timedelta(seconds=3), lease=timedelta(seconds=9))
    assert taken is not None
    taken.hand_back(now=NOW + timedelta(seconds=4), error="x")
    assert announced(sent, after_s=4) == [row]


def test_what_was_announced_to_a_broker_that_failed_is_announced_once_it_is_back(db: None, sent: Sent) -> None:
    crowd = rows(2)
    assert announced(sent, after_s=0) == crowd
    wakeups.CIRCUIT.open_circuit()
    assert announced(sent, after_s=1) == []
    assert wakeups.reach_broker()
    assert announced(sent, after_s=2) == crowd
