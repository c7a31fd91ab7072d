"""Probes, metrics and the banner: what load balancers, Prometheus and people are told."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from benchmarking.runs import tasks as benchmarks
from benchmarking.runs.models import Run
from benchmarking.runs.queries.prometheus import RUNS, waiting_since
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs import worker_signals as wakeups
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage, Pulse
from governance.jobs.queries import QUEUE, TICK, is_delayed
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.workflow import tasks as reviews_tasks
from reviews.workflow.queries.prometheus import PACKETS, undrawn_since

MINUTE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


def findings(answer) -> dict[str, str]:
    return {check["name"]: check["state"] for check in answer.json()["checks"]}


@pytest.fixture
def now() -> datetime:
    """The real time, to the second: probes compare it with the clock."""
    return timezone.now()


@pytest.fixture
def readyz(db):
    return lambda: Client().get("/readyz")


@pytest.fixture
def workz(db):
    return lambda: Client().get("/workz")


def test_alive_without_a_database(client):
    assert client.get("/livez").content == b"ok\n"


def test_ready(readyz):
    answer = readyz()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    names = ("database", "migrations", "signing_key", "artifacts")
    assert findings(answer) == dict.fromkeys(names, "ok")
    assert {check["says"] for check in answer.json()["checks"]} == {""}


def test_work_goes_on(workz):
    answer = workz()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    names = ("database", "migrations", "signing_key", "artifacts", "broker", "clock", "workers", "work")
    assert findings(answer) == dict.fromkeys(names, "ok")


@pytest.mark.parametrize("part", ["reach_broker", "_bucket", "silent_queues", "is_delayed", "doubt_of_clock"])
def test_readiness_does_not_ask_what_only_delays_work(readyz, monkeypatch, part):
    asked = []
    monkeypatch.setattr(f"governance.operations.web.health.{part}", lambda **_: asked.append(part))
    assert (readyz().status_code, asked) == (200, [])


def test_nothing_is_left_behind_by_a_probe(readyz, installation: Path):
    readyz()
    assert [path for path in (installation / "artifacts").rglob("*") if path.is_file()] == []


def broken(*_, **__):
    raise DatabaseError("could not connect to 10.0.0.7 as weigh with password=hush")


@pytest.mark.parametrize(
    ("name", "part", "words"),
    [
        ("database", "connection", "DATABASE_URL"),
        ("migrations", "MigrationExecutor", "manage.py migrate"),
        ("artifacts", "ContentFile", "WEIGHBRIDGE_VAR"),
    ],
)
def test_not_ready_says_what_to_do_and_no_more(readyz, monkeypatch, name, part, words):
    monkeypatch.setattr(f"governance.operations.web.health.{part}", broken)
    answer = readyz()
    assert (answer.status_code, answer.json()["ready"], findings(answer)[name]) == (503, False, "failed")
    assert words in answer.content.decode()
    assert "10.0.0.7" not in answer.content.decode()


def test_a_migration_that_was_not_applied(readyz):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'quarterly'")
    answer = readyz()
    assert (answer.status_code, findings(answer)["migrations"]) == (503, "failed")


@pytest.mark.parametrize("content", [None, "no key"])
def test_a_signing_key_that_cannot_be_used(readyz, installation: Path, content):
    key = installation / "signing.pem"
    key.unlink() if content is None else key.write_text(content)
    answer = readyz()
    assert (answer.status_code, findings(answer)["signing_key"]) == (503, "failed")


def test_a_broker_that_is_away_delays_and_is_no_reason_to_stop(readyz, workz, monkeypatch):
    monkeypatch.setattr(wakeups.current_app, "connection_for_write", broken)
    assert readyz().status_code == 200
    answer = workz()
    assert (answer.status_code, findings(answer)["broker"]) == (503, "delayed")
    assert "tick" in answer.content.decode()


def test_a_worker_that_takes_nothing_is_told(readyz, workz, now):
    Pulse.record(name=TICK, at=now)
    Pulse.record(name=QUEUE + "effects", at=now - timedelta(seconds=60))
    assert readyz().status_code == 200
    answer = workz()
    assert (answer.status_code, answer.json()["works"], findings(answer)["workers"]) == (503, False, "delayed")
    Pulse.record(name=QUEUE + "effects", at=now)
    answer = workz()
    assert (answer.status_code, answer.json()["works"]) == (200, True)


def test_work_left_lying_is_told_by_the_probe(readyz, workz, now):
    Pulse.record(name=TICK, at=now - timedelta(minutes=5))
    answer = workz()
    assert (readyz().status_code, answer.status_code, findings(answer)["work"]) == (200, 503, "delayed")


# delayed


@pytest.fixture
def message(db, now: datetime) -> OutboxMessage:
    return outbox.enqueue(kind="k", key="k", lane="k", payload={}, now=now)


def test_a_new_installation_is_not_delayed(db, now, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not is_delayed(now=now)
    assert not Pulse.objects.exists()


@pytest.mark.parametrize(("after", "expected"), [(MINUTE - SECOND, False), (MINUTE, True), (MINUTE + SECOND, True)])
def test_a_message_left_lying_for_a_minute(message, now, after, expected):
    assert is_delayed(now=now + after) is expected


@pytest.mark.parametrize("state", [JobState.DONE, JobState.PAUSED, JobState.DEAD])
def test_what_waits_for_a_person_is_not_late(message, now, state):
    OutboxMessage.objects.update(state=state)
    assert not is_delayed(now=now + timedelta(days=1))


def test_a_message_that_waits_for_the_other_side_is_not_late(message, now):
    OutboxMessage.objects.update(next_attempt_at=now + timedelta(hours=1), attempts=3)
    assert not is_delayed(now=now + timedelta(minutes=30))


@pytest.mark.parametrize(("ago", "expected"), [(MINUTE, False), (MINUTE + SECOND, True)])
def test_a_tick_that_was_not_seen_for_a_minute(db, now, ago, expected):
    Pulse.record(name=TICK, at=now - ago)
    assert is_delayed(now=now) is expected


def test_the_tick_leaves_a_sign_and_a_later_one_replaces_it(db, now):
    jobs.observe_clock(now=now, database=now)
    jobs.observe_clock(now=now + SECOND, database=now)
    assert Pulse.objects.get(name=TICK).at == now + SECOND


def test_a_run_nobody_takes_is_noted_and_forgotten_once_somebody_measures(submitted, now):
    run = Run.objects.get()
    assert waiting_since(now=now) == run.next_attempt_at
    benchmarks.record_untaken(now)
    assert Pulse.objects.get(name=RUNS).at == run.next_attempt_at
    assert is_delayed(now=run.next_attempt_at + MINUTE + SECOND)
    Run.claim(pk=run.pk, now=now, lease=timedelta(hours=1))
    benchmarks.record_untaken(now)
    assert not Pulse.objects.filter(name=RUNS).exists()


def test_a_packet_nobody_draws_is_noted(submitted, author, now):
    assert undrawn_since(now=now) is None
    packets.freeze(request=submitted, by=author, now=now)
    reviews_tasks.record_undrawn(now)
    assert Pulse.objects.get(name=PACKETS).at == now


@pytest.mark.parametrize(
    ("who", "is_told"), [("author", True), ("outsider", True), ("approver", True), ("admin", True), ("auditor", False)]
)
def test_the_banner_is_for_those_who_wait_or_can_help(cast, client, now, who, is_told):
    client.force_login(getattr(cast, who))
    assert "Work is delayed" not in client.get("/requests/").content.decode()
    Pulse.record(name=TICK, at=now - timedelta(minutes=2))
    assert ("Work is delayed" in client.get("/requests/").content.decode()) is is_told


# metrics


def test_strangers_and_requesters_get_no_figures(api, author, client):
    assert Client().get("/metrics").status_code == 401
    assert api(author).get("/metrics").status_code == 403
    client.force_login(author)
    assert client.get("/metrics").status_code == 403


def test_a_reading_token_of_an_operator_is_enough(api, admin, now):
    token = people.create_token(user=admin, valid_days=1, scope=TokenScope.READ, by=None, now=now)
    answer = Client().get("/metrics", headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_figures(api, admin, submitted, author, now):
    for key, state in (("a", JobState.DEAD), ("b", JobState.PAUSED), ("c", JobState.QUEUED)):
        row = outbox.enqueue(kind="probe.open", key=key, lane=key, payload={}, now=now - timedelta(seconds=90))
        OutboxMessage.objects.filter(pk=row.pk).update(state=state, attempts=2)
    done = outbox.enqueue(kind="ticket.tell", key="d", lane="d", payload={}, now=now)
    OutboxMessage.objects.filter(pk=done.pk).update(state=JobState.DONE, finished_at=now + timedelta(seconds=3))
    Run.objects.update(attempts=1)
    packet = packets.freeze(request=submitted, by=author, now=now)
    held = Packet.claim(pk=packet.pk, now=now, lease=MINUTE)
    packets.store_pdf(packet=held, pdf=b"%PDF-1.7", pages=1, render_ms=2500, now=now)
    Pulse.record(name=TICK, at=now - timedelta(seconds=30))
    text = api(admin).get("/metrics").content.decode()
    lines = text.splitlines()
    for line in (
        'weighbridge_outbox_messages{kind="probe.open",state="dead"} 1.0',
        'weighbridge_outbox_messages{kind="probe.open",state="paused"} 1.0',
        'weighbridge_outbox_messages{kind="probe.open",state="queued"} 1.0',
        'weighbridge_outbox_attempts{kind="probe.open"} 4.0',
        'weighbridge_outbox_delivery_seconds_bucket{kind="ticket.tell",le="1"} 0.0',
        'weighbridge_outbox_delivery_seconds_bucket{kind="ticket.tell",le="5"} 1.0',
        'weighbridge_outbox_delivery_seconds_sum{kind="ticket.tell"} 3.0',
        "weighbridge_work_delayed 1.0",
        'weighbridge_runs{state="queued"} 1.0',
        "weighbridge_run_attempts 1.0",
        'weighbridge_requests{state="evidence"} 1.0',
        'weighbridge_packets{state="done"} 1.0',
        'weighbridge_packet_render_seconds_bucket{le="1"} 0.0',
        'weighbridge_packet_render_seconds_bucket{le="5"} 1.0',
        "weighbridge_packet_render_seconds_sum 2.5",
        "weighbridge_packet_render_seconds_count 1.0",
    ):
        assert line in lines
    ages = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line and line[0] != "#"}
    assert 90 <= ages['weighbridge_outbox_oldest_due_seconds{kind="probe.open"}'] < 120
    assert 90 <= ages['weighbridge_sync_lag_seconds{kind="probe.open"}'] < 120
    assert 30 <= ages['weighbridge_pulse_age_seconds{name="tick"}'] < 60
    assert ages["weighbridge_audit_events_total"] > 10


def test_every_family_is_declared_once_before_its_samples(api, admin):
    declared: list[str] = []
    for line in api(admin).get("/metrics").content.decode().splitlines():
        if line.startswith("# TYPE"):
            declared.append(line.split()[2])
        elif not line.startswith("#"):
            assert line.startswith(declared[-1])
    assert len(declared) == len(set(declared)) > 15
