"""One beat of a wrong clock ends nothing: what cannot be undone waits until the clock is right or confirmed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.management.commands import confirm_clock, tick
from governance.jobs.queries import database_clock, doubt_of_clock
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.standstill import everything

AHEAD, SECOND = timedelta(days=400), timedelta(seconds=1)
MOVES = {"jobs_pulse", "audit_auditevent"}


def beat(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        call_command("tick")


def content() -> dict[str, tuple[int, str]]:
    """All rows but those in which the tick records itself."""
    return {table: rows for table, rows in everything().items() if table not in MOVES}


def clock_events() -> list[str]:
    return list(
        AuditEvent.objects.filter(kind__startswith="clock.").order_by("position").values_list("kind", flat=True)
    )


@pytest.fixture
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database runs on this machine: its clock jumps too."""
    for module in (tick, confirm_clock):
        monkeypatch.setattr(module, "database_clock", timezone.now)


@pytest.fixture
def installation_at_work(decided: ReviewRequest, cast: Cast, now: datetime) -> ReviewRequest:
    """An authorization, an open request, a job without attempts left; and a tick that has done what is due."""
    walks.make_submitted(by=cast.author, now=now)
    Run.objects.filter(state=JobState.QUEUED).update(
        state=JobState.CLAIMED, attempts=3, lease_until=now + 9 * AHEAD / 10
    )
    beat(now)
    beat(now + SECOND)
    return decided


def state_of(request: ReviewRequest) -> str:
    return str(ReviewRequest.objects.values_list("state", flat=True).get(pk=request.pk))


@pytest.mark.parametrize("both_jump", [True, False])
def test_one_beat_400_days_ahead_ends_nothing(
    installation_at_work: ReviewRequest,
    now: datetime,
    both_jump: bool,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if both_jump:
        request.getfixturevalue("one_clock")
    before = content()
    beat(now + AHEAD)
    assert content() == before
    assert "Nothing is expired, lapsed, closed or deleted. The clock" in caplog.text
    assert "400 days ahead of" in doubt_of_clock()
    assert clock_events() == ["clock.doubted"]
    beat(now + AHEAD + SECOND)
    assert content() == before
    assert clock_events() == ["clock.doubted"]
    beat(now + 2 * SECOND)
    assert doubt_of_clock() == ""
    assert clock_events() == ["clock.doubted", "clock.trusted"]


def test_a_confirmed_clock_does_what_was_skipped(
    installation_at_work: ReviewRequest, now: datetime, one_clock: None
) -> None:
    before, open_before = content(), ReviewRequest.objects.filter(state="expired").count()
    beat(now + AHEAD)
    assert content() == before
    said = StringIO()
    with time_machine.travel(now + AHEAD, tick=False):
        call_command("confirm_clock", stdout=said)
    assert (
        said.getvalue() == f"Confirmed: it is {now + AHEAD:%Y-%m-%d %H:%M} UTC. The next tick does what was skipped.\n"
    )
    assert doubt_of_clock() == ""
    beat(now + AHEAD + SECOND)
    assert content() != before
    assert ReviewRequest.objects.filter(state="expired").count() > open_before
    assert Run.objects.filter(state=JobState.DEAD).exists()
    assert clock_events() == ["clock.doubted", "clock.confirmed"]


def test_a_clock_that_differs_from_the_database_cannot_be_confirmed(db: None, now: datetime) -> None:
    jobs.observe_clock(now=now, database=now)
    before = everything()
    with time_machine.travel(now + AHEAD, tick=False), pytest.raises(CommandError, match="400 days ahead of the clock"):
        call_command("confirm_clock")
    assert everything() == before


def test_people_and_probes_are_told(as_: Callable[[User], Client], admin: User, now: datetime) -> None:
    jobs.observe_clock(now=now, database=now)
    page = as_(admin).get("/integrations/").content.decode()
    assert "The clock is not trusted" not in page
    jobs.observe_clock(now=now + AHEAD, database=now + AHEAD)
    page = as_(admin).get("/integrations/").content.decode()
    assert "Nothing expires, lapses, closes or is deleted until it is." in page
    assert "manage.py confirm_clock" in page
    assert Client().get("/readyz").status_code == 200
    answer = Client().get("/workz")
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert (answer.status_code, checks["clock"]["state"]) == (503, "delayed")
    assert "confirm_clock" in checks["clock"]["says"]


def test_the_clock_of_the_database_is_read(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        before = cursor.fetchone()[0]
    assert before <= database_clock() <= before + timedelta(minutes=1)
