"""Leased rows under a fake clock: claimed once, renewed, handed back, lost, and never written by a worker
that slept.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from tests.threads import together

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def row(key: str = "a", **changes: Any) -> OutboxMessage:
    fields = {
        "kind": "test",
        "key": key,
        "lane": key,
        "created_at": START,
        "next_attempt_at": START,
        "max_attempts": 3,
    } | changes
    return OutboxMessage.objects.create(**fields)


def claim(message: OutboxMessage, now: datetime = START) -> OutboxMessage | None:
    return OutboxMessage.claim(pk=message.pk, now=now, lease=MINUTE)


def claimed(message: OutboxMessage, now: datetime = START) -> OutboxMessage:
    found = claim(message, now)
    assert found is not None
    return found


def stored(message: OutboxMessage) -> dict[str, Any]:
    return OutboxMessage.objects.filter(pk=message.pk).values().get()


def test_a_claim_takes_the_row_for_a_while(db: None) -> None:
    message = row()
    held = claimed(message)
    now_is = stored(message)
    assert (now_is["state"], now_is["attempts"], now_is["fence"]) == ("claimed", 1, 1)
    assert now_is["lease_until"] == START + MINUTE
    assert held.pk == message.pk
    assert claim(message, START + MINUTE) is None, "the lease still holds in its last moment"
    again = claimed(message, START + MINUTE + TICK)
    assert (again.attempts, again.fence) == (2, 2)


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("is_silent", [False, True])
def test_which_states_can_be_claimed(db: None, state: JobState, is_silent: bool) -> None:
    message = row(state=state, lease_until=START - TICK if is_silent else START + MINUTE)
    expected = state is JobState.QUEUED or (state in {JobState.CLAIMED, JobState.RUNNING} and is_silent)
    assert (claim(message) is not None) == expected
    if not expected:
        assert stored(message)["fence"] == 0


@pytest.mark.parametrize(("early", "is_due"), [(timedelta(0), True), (TICK, False)])
def test_a_row_is_not_taken_before_it_is_due(db: None, early: timedelta, is_due: bool) -> None:
    assert (claim(row(next_attempt_at=START + early)) is not None) == is_due


def test_attempts_run_out(db: None) -> None:
    message = row(max_attempts=2)
    for number in range(2):
        assert claim(message, START + number * 2 * MINUTE) is not None
        late = START + number * 2 * MINUTE + MINUTE + TICK
        is_exhausted = OutboxMessage.objects.filter(OutboxMessage.exhausted(now=late)).exists()
        assert is_exhausted == (number == 1)
    assert claim(message, START + 60 * MINUTE) is None


def test_what_came_back_with_no_attempt_left_is_exhausted(db: None) -> None:
    held = claimed(row(max_attempts=1))
    assert not OutboxMessage.objects.filter(OutboxMessage.exhausted(now=START)).exists()
    assert held.hand_back(now=START, error="no")
    assert OutboxMessage.objects.filter(OutboxMessage.exhausted(now=START)).get() == held


def test_what_another_tick_marks_dead_meanwhile_is_passed_over(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    message, lock = row(attempts=3), jobs._locked

    def locked(kind: Any, pk: int, **how: Any) -> Any:
        OutboxMessage.objects.filter(pk=pk).update(state=JobState.DEAD)
        return lock(kind, pk, **how)

    monkeypatch.setattr(jobs, "_locked", locked)
    assert jobs.mark_dead(model=OutboxMessage, now=START) == []
    message.refresh_from_db()
    assert (message.state, message.finished_at) == (JobState.DEAD, None)


def test_a_renewed_lease_holds_longer(db: None) -> None:
    message = row()
    held = claimed(message)
    half = START + MINUTE / 2
    assert held.renew(now=half, lease=MINUTE, state=JobState.RUNNING)
    assert (stored(message)["state"], stored(message)["lease_until"]) == ("running", half + MINUTE)
    assert claim(message, START + MINUTE + TICK) is None
    assert claim(message, half + MINUTE + TICK) is not None


def test_a_row_handed_back_waits(db: None) -> None:
    message = row()
    held = claimed(message)
    assert held.hand_back(now=START, error="e" * 5000, wait=MINUTE, is_uncertain=True)
    now_is = stored(message)
    assert (now_is["state"], now_is["lease_until"], now_is["is_uncertain"]) == ("queued", None, True)
    assert now_is["error"] == "e" * 4000
    assert claim(message, START + MINUTE - TICK) is None
    assert claimed(message, START + MINUTE).fence == 2


def test_a_worker_that_slept_past_its_lease_writes_nothing(db: None) -> None:
    message = row()
    slow = claimed(message)
    quick = claimed(message, START + MINUTE + TICK)
    before = stored(message)
    later = START + 2 * MINUTE
    assert slow.write(state=JobState.DONE, finished_at=later) is False
    assert slow.renew(now=later, lease=60 * MINUTE) is False
    assert slow.hand_back(now=later, error="too late") is False
    assert stored(message) == before
    assert quick.write(state=JobState.DONE, finished_at=later) is True
    assert stored(message)["state"] == "done"


@pytest.mark.parametrize("state", sorted(set(JobState) - {JobState.CLAIMED, JobState.RUNNING}))
def test_nobody_writes_a_row_that_is_no_longer_held(db: None, state: JobState) -> None:
    message = row()
    held = claimed(message)
    OutboxMessage.objects.filter(pk=message.pk).update(state=state)
    before = stored(message)
    assert held.write(error="late") is False
    assert stored(message) == before


def test_a_state_nobody_knows_is_refused_by_the_database(db: None) -> None:
    with pytest.raises(IntegrityError, match="outbox_state_known"), transaction.atomic():
        row(state="sleeping")


def test_a_lane_is_delivered_in_order(db: None) -> None:
    first, second = row("a", lane="x"), row("b", lane="x")
    other = row("c", lane="y")
    assert claim(second) is None
    assert claim(other) is not None
    held = claimed(first)
    assert claim(second) is None
    assert held.hand_back(now=START, error="later", wait=MINUTE)
    assert claim(second) is None, "what waits for another try still comes first"
    assert claimed(first, START + MINUTE).write(state=JobState.DONE)
    assert claim(second, START + MINUTE) is not None


@pytest.mark.parametrize(
    ("state", "is_blocked"),
    [
        (JobState.QUEUED, True),
        (JobState.CLAIMED, True),
        (JobState.RUNNING, True),
        (JobState.PAUSED, True),
        (JobState.DEAD, True),
        (JobState.DONE, False),
        (JobState.FAILED, False),
        (JobState.CANCELED, False),
    ],
)
def test_what_blocks_a_lane(db: None, state: JobState, is_blocked: bool) -> None:
    row("a", lane="x", state=state, lease_until=START + MINUTE)
    assert (claim(row("b", lane="x")) is None) == is_blocked


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_one_row_exactly_one_wins() -> None:
    for number in range(15):
        message = row(str(number))
        found = together([partial(claim, message)] * 2)
        assert sorted(type(each).__name__ for each in found) == ["NoneType", "OutboxMessage"]
        assert (stored(message)["attempts"], stored(message)["fence"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_one_lane_only_the_first_message_is_taken() -> None:
    for number in range(15):
        first, second = row(f"a{number}", lane=str(number)), row(f"b{number}", lane=str(number))
        found = together([partial(claim, second), partial(claim, first)])
        assert found == [None, first]
