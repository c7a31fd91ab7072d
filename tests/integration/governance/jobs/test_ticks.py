"""What the tick runs: the parts that are due, those whose time has come, and all if nobody can tell."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import QuerySet

from governance.jobs import ticks
from governance.jobs.models import Pulse

NOW = datetime(2026, 10, 5, 12, 59, 50, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def parts(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No parts but the test's own."""
    monkeypatch.setattr(ticks, "PARTS", [])
    monkeypatch.setattr(ticks, "KINDS", {})


def older(now: datetime) -> list[QuerySet[Pulse]]:
    """The marks that are more than ten seconds old, and one named after the hour."""
    named = Pulse.objects.filter(name=f"{now:%H}")
    return [Pulse.objects.filter(name="x", at__lt=now - 10 * SECOND).order_by("at"), named]


def test_a_part_runs_while_one_of_its_queries_finds_a_row() -> None:
    times: list[datetime] = []
    ticks.on_tick(due=older)(times.append)
    Pulse.record(name="x", at=NOW)
    for second in (0, 10, 11, 12):
        ticks.tick(now=NOW + second * SECOND)
    assert times == [NOW + 11 * SECOND, NOW + 12 * SECOND]
    Pulse.record_all({"x": None, "13": NOW})
    ticks.tick(now=NOW + 9 * SECOND)
    assert len(times) == 2
    ticks.tick(now=NOW + 10 * SECOND)
    assert times[2:] == [NOW + 10 * SECOND]


def test_a_part_runs_every_so_often_and_at_once_again_if_it_has_more_to_do() -> None:
    times: list[datetime] = []

    def work(now: datetime) -> bool:
        times.append(now)
        return len(times) in {1, 2}

    ticks.on_tick(every=10 * SECOND)(work)
    for second in (0, 2, 4, 6, 13, 14, 2):
        ticks.tick(now=NOW + second * SECOND)
    assert [(time - NOW) / SECOND for time in times] == [0, 2, 4, 14, 2]


def test_if_nobody_can_tell_what_is_due_everything_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    times: list[datetime] = []

    def broken(now: datetime) -> list[QuerySet[Pulse]]:
        raise ZeroDivisionError

    ticks.on_tick(due=broken)(times.append)
    with pytest.raises(ExceptionGroup) as group:
        ticks.tick(now=NOW)
    assert [type(error) for error in group.value.exceptions] == [ZeroDivisionError]
    assert times == [NOW]
    assert "cannot tell what is due" in caplog.text


def test_at_a_doubtful_clock_only_what_ends_nothing_runs() -> None:
    ran: list[str] = []
    ticks.on_tick()(lambda _: ran.append("ends something"))
    ticks.on_tick(at_any_clock=True)(lambda _: ran.append("ends nothing"))
    ticks.tick(now=NOW, trusts_clock=False)
    assert ran == ["ends nothing"]


def test_a_step_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []

    def step(number: int) -> int | None:
        done.append(10 // number)
        return number if number > 1 else None

    assert ticks.each_alone(step, [1, 2]) == [2]
    with pytest.raises(ExceptionGroup) as group:
        ticks.each_alone(step, [0, 5])
    assert [type(error) for error in group.value.exceptions] == [ZeroDivisionError]
    assert done == [10, 5, 2]
    assert "A step failed for 0." in caplog.text
