"""The database role of benchmark workers: it claims, renews and finishes runs, and reaches nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from benchmarking.runs import tasks as runs_tasks
from benchmarking.runs.management.bench_role import GRANTS, ROLE
from benchmarking.runs.models import Run
from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox, signs_of_life
from governance.jobs.models import OutboxMessage, Pulse
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.standstill import everything
from tests.tables import own_models
from weighbridge.client.worker import measurement

DENIED = "permission denied|row-level security"


@pytest.fixture
def role(db: None, settings: Settings) -> str:
    """The role, until the transaction of the test ends."""
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"BENCH_PASSWORD": "of the bench"}
    said = StringIO()
    for _ in range(2):
        call_command("bench_role", stdout=said)
    assert said.getvalue() == f"Benchmark workers can use the role {ROLE}.\n" * 2
    return ROLE


@contextmanager
def as_bench() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def denied(act: Callable[[], object]) -> None:
    """The role may not do this."""
    with as_bench(), pytest.raises(ProgrammingError, match=DENIED), transaction.atomic():
        act()


def executed(statement: str) -> Callable[[], object]:
    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return execute


def test_a_worker_with_the_role_does_a_run(
    role: str, submitted: ReviewRequest, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "run_isolated", lambda **_: walks.result_of())
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(signs_of_life, "SIGNS", signs_of_life.ShownSigns())
    run = Run.objects.get()
    signs_of_life.SIGNS.take_from(["bench.cpu"])
    with as_bench():
        signs_of_life.show(now=now)
        runs_tasks.execute_run(run.pk)
        signs_of_life.forget()
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == ("done", 1, "")
    assert OutboxMessage.objects.filter(kind="run.finished").count() == 1
    assert not Pulse.objects.filter(name__startswith="queue:").exists()


def test_a_worker_with_the_role_fails_and_hands_back(role: str, submitted: ReviewRequest, now: datetime) -> None:
    run = Run.objects.get()
    with as_bench():
        held = jobs.claim(model=Run, pk=run.pk, now=now)
        assert held is not None
        assert jobs.renew(row=held, now=now)
        assert jobs.put_back(row=held, error=RuntimeError("x"), now=now)
        Run.objects.filter(pk=run.pk).update(next_attempt_at=now)
        again = jobs.claim(model=Run, pk=run.pk, now=now)
        assert again is not None
        assert jobs.fail(row=again, reason="too large", now=now)
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "too large")


def test_every_other_table_is_closed(role: str) -> None:
    reached = {grant.table for grant in GRANTS}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND "
            "has_any_column_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')",
            [ROLE],
        )
        assert {name for (name,) in cursor.fetchall()} == reached
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND has_table_privilege(%s, oid, 'TRUNCATE, TRIGGER')",
            [ROLE],
        )
        assert cursor.fetchone() == (0,)
    assert len(own_models()) > 40


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM voting_vote",
        "SELECT * FROM people_apitoken",
        "SELECT * FROM authorizations_authorization",
        "SELECT * FROM requests_reviewrequest",
        "SELECT password FROM auth_user",
        "SELECT details FROM audit_auditevent",
        "UPDATE runs_run SET plan = '{}'",
        "UPDATE runs_run SET model_version_id = 1",
        "DELETE FROM runs_run",
        "INSERT INTO people_rolegrant (role) VALUES ('admin')",
        "UPDATE requests_reviewrequest SET state = 'approved'",
        "UPDATE audit_auditevent SET reason = ''",
        "CREATE TABLE mine (id int)",
        "CREATE ROLE another",
    ],
)
def test_what_it_must_not_reach(role: str, decided: ReviewRequest, statement: str) -> None:
    before = everything()
    denied(executed(statement))
    assert everything() == before


def test_it_causes_no_other_effects_and_shows_no_other_signs(role: str, now: datetime) -> None:
    outbox.enqueue(kind="account.tell", key="a", lane="a", payload={"secret": 1}, now=now)
    Pulse.record(name="tick", at=now)
    with as_bench():
        assert not OutboxMessage.objects.exists()
        assert not Pulse.objects.exists()
    denied(lambda: outbox.enqueue(kind="ticket.open", key="b", lane="b", payload={}, now=now))
    denied(lambda: Pulse.record(name="clock.course", at=now))
    assert OutboxMessage.objects.count() == 1


def test_everybody_else_keeps_all_rows(role: str, now: datetime) -> None:
    outbox.enqueue(kind="account.tell", key="a", lane="a", payload={}, now=now)
    with transaction.atomic():
        audit.record(kind="probe", by=None, subject=("probe", "1"), now=timezone.now())
    assert OutboxMessage.objects.count() == 1


def test_without_a_password_there_is_no_role(db: None) -> None:
    with pytest.raises(CommandError, match="Set WEIGHBRIDGE_BENCH_PASSWORD"):
        call_command("bench_role")


def test_an_account_that_may_create_no_roles_is_told(role: str) -> None:
    with as_bench(), pytest.raises(CommandError, match="may not create roles: permission denied"):
        call_command("bench_role")
