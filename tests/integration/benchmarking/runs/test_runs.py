"""Runs: queued once, finished by whoever still holds them, stopped by people, buried when workers fall silent."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs.enums import HELD, UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast, make_cast
from tests.factories.requests import keeping_samples, result_of
from tests.threads import together
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import NotAllowed, WrongState

PLAN = {"scenario": "SingleStream", "min_samples": 700}
MINUTE = timedelta(minutes=1)
REF = "MRR-2026-0001"


def queue(version: ModelVersion, by: User, now: datetime, *, key: str = "r", **changes: Any) -> Run:
    fields = {"dataset": None, "plan": PLAN, "asked_for": REF} | changes
    return runs.queue(key=key, version=version, by=by, now=now, **fields)


def claim(run: Run, now: datetime) -> Run:
    held = Run.claim(pk=run.pk, now=now, lease=MINUTE)
    assert held is not None
    return held


def timed(p95_ms: float) -> dict[str, Any]:
    return keeping_samples(result_of({"latency_p95_ms": (p95_ms, p95_ms * 0.99, p95_ms * 1.01, 3000)}))


def stored(run: Run) -> dict[str, Any]:
    return Run.objects.filter(pk=run.pk).values().get()


def events() -> list[tuple[str, str, str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(subject_type="run").order_by("position")
    return [(row.kind, row.subject, row.actor, row.details) for row in rows]


def told() -> list[tuple[str, dict[str, Any]]]:
    return list(OutboxMessage.objects.filter(kind="run.finished").order_by("pk").values_list("key", "payload"))


def test_a_run_is_queued_once_by_its_key(
    cast: Cast, version: ModelVersion, now: datetime, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as wakes:
        run = queue(version, cast.author, now)
    assert len(wakes) == 1
    assert (run.state, run.scenario, run.plan, run.asked_for) == ("queued", "SingleStream", PLAN, REF)
    assert (run.started_by, run.next_attempt_at, run.max_attempts, str(run)) == (cast.author, now, 3, "r")
    assert events() == [("run.queued", "r", "Author", {"model": version.digest, "plan": PLAN})]
    assert queue(version, cast.author, now, plan=PLAN | {"min_samples": 9}) == run
    assert (stored(run)["plan"], len(events())) == (PLAN, 1)


def test_a_finished_run_keeps_its_result_and_tells_who_asked(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = claim(queue(version, cast.author, now), now)
    result = result_of()
    assert runs.finish(run=run, result=result, now=now + MINUTE) is True
    row = stored(run)
    assert (row["state"], row["progress"], row["phase"], row["error"]) == ("done", 1.0, "", "")
    assert (row["result"], row["result_digest"], row["verdict"]) == (result, digest_of(result), "valid")
    assert (row["finished_at"], row["lease_until"]) == (now + MINUTE, None)
    assert events()[1:] == [("run.done", "r", "system", {"verdict": "valid", "result": digest_of(result)})]
    assert told() == [(f"run.finished:{run.pk}:1", {"run_id": run.pk})]


@pytest.mark.parametrize("verdict", ["valid", "indicative", "invalid"])
def test_every_verdict_is_kept(cast: Cast, version: ModelVersion, now: datetime, verdict: str) -> None:
    run = claim(queue(version, cast.author, now), now)
    assert runs.finish(run=run, result=result_of(verdict=verdict), now=now)
    assert stored(run)["verdict"] == verdict


def test_a_verdict_nobody_knows_is_not_kept(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = claim(queue(version, cast.author, now), now)
    with pytest.raises(ValueError, match="splendid"):
        runs.finish(run=run, result=result_of(verdict="splendid"), now=now)
    assert stored(run)["state"] == "claimed"


def test_nobody_is_told_of_a_run_nobody_asked_for(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = claim(queue(version, cast.author, now, asked_for=""), now)
    assert runs.finish(run=run, result=result_of(), now=now)
    assert told() == []


def test_a_failed_model_is_an_answer_too(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = claim(queue(version, cast.author, now), now)
    assert jobs.fail(row=run, reason="The model is broken. " + "x" * 5000, now=now + MINUTE) is True
    row = stored(run)
    assert (row["state"], row["finished_at"], row["lease_until"]) == ("failed", now + MINUTE, None)
    assert row["error"] == ("The model is broken. " + "x" * 5000)[:4000]
    assert events()[1][0] == "run.failed"
    assert len(events()[1][3]["reason"]) == 400
    assert len(told()) == 1


def test_whoever_lost_the_lease_writes_nothing(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = queue(version, cast.author, now)
    slow = claim(run, now)
    quick = claim(run, now + 2 * MINUTE)
    before = (stored(run), events(), told())
    assert runs.finish(run=slow, result=result_of(), now=now + 2 * MINUTE) is False
    assert jobs.fail(row=slow, reason="late", now=now + 2 * MINUTE) is False
    assert (stored(run), events(), told()) == before
    assert runs.finish(run=quick, result=result_of(), now=now + 2 * MINUTE) is True
    assert stored(run)["attempts"] == 2


@pytest.mark.parametrize("state", list(JobState))
def test_what_can_be_canceled(cast: Cast, version: ModelVersion, now: datetime, state: JobState) -> None:
    run = queue(version, cast.author, now)
    Run.objects.update(state=state, lease_until=now + MINUTE if state in HELD else None, result={}, verdict="valid")
    before = (stored(run), events())
    if state not in UNFINISHED:
        with pytest.raises(WrongState, match=f"Run {run.pk} has already ended and cannot be canceled"):
            jobs.cancel(row=run, by=cast.author, now=now + MINUTE)
        assert (stored(run), events()) == before
        return
    canceled = jobs.cancel(row=run, by=cast.author, now=now + MINUTE)
    assert (canceled.state, canceled.finished_at, canceled.lease_until) == ("canceled", now + MINUTE, None)
    assert events()[1:] == [("run.canceled", "r", "Author", {})]


def test_the_worker_of_a_canceled_run_writes_nothing(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = queue(version, cast.author, now)
    held = claim(run, now)
    jobs.cancel(row=run, by=cast.author, now=now)
    before = stored(run)
    assert held.renew(now=now, lease=MINUTE, state=JobState.RUNNING) is False
    assert runs.finish(run=held, result=result_of(), now=now) is False
    assert stored(run) == before
    assert told() == []


def test_abandoning_is_harmless_when_repeated(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = queue(version, cast.author, now)
    assert jobs.abandon(row=run, by=None, now=now) is True
    before = (stored(run), events())
    assert jobs.abandon(row=run, by=None, now=now + MINUTE) is False
    assert (stored(run), events()) == before
    assert events()[1][2] == "system"


def test_a_run_is_repeated_as_a_run_of_its_own(cast: Cast, version: ModelVersion, now: datetime) -> None:
    dataset = make_dataset(by=cast.author, now=now)
    first = queue(version, cast.author, now, dataset=dataset)
    jobs.fail(row=claim(first, now), reason="no", now=now)
    first.refresh_from_db()
    before = stored(first)
    second = runs.repeat(run=first, by=cast.approver, now=now + MINUTE)
    assert stored(first) == before
    assert (second.key, second.state, second.attempts, second.started_by) == ("r#2", "queued", 0, cast.approver)
    assert (second.plan, second.dataset, second.asked_for, second.model_version) == (PLAN, dataset, REF, version)
    second = jobs.cancel(row=second, by=cast.author, now=now)
    assert runs.repeat(run=second, by=cast.author, now=now).key == "r#3"
    assert runs.repeat(run=first, by=cast.author, now=now).key == "r#4"


def test_a_repetition_is_held_against_the_run_it_repeats(cast: Cast, version: ModelVersion, now: datetime) -> None:
    first = queue(version, cast.author, now)
    runs.finish(run=claim(first, now), result=timed(2.0), now=now)
    first.refresh_from_db()
    again = runs.repeat(run=first, by=cast.author, now=now)
    assert (again.repeats, again.equivalence) == (first, None)
    assert events()[-1][3] == {"model": version.digest, "plan": PLAN, "repeats": "r"}
    result = timed(2.01)
    result["manifest"]["isolation"] = "another"
    assert runs.finish(run=claim(again, now), result=result, now=now) is True
    held = stored(again)["equivalence"]
    assert (held["answer"], held["margin"], held["repeats"]) == ("equivalent", 0.1, first.result["manifest"]["digest"])
    assert [(each["metric"], each["then"], each["now"]) for each in held["metrics"]] == [("latency_p95_ms", 2.0, 2.01)]
    assert held["differences"] == [{"condition": "isolation", "then": "process", "now": "another"}]
    assert events()[-1][3]["answer"] == "equivalent"
    slower = runs.repeat(run=first, by=cast.author, now=now)
    runs.finish(run=claim(slower, now), result=timed(3.0), now=now)
    assert stored(slower)["equivalence"]["answer"] == "different"
    assert stored(first)["equivalence"] is None


def test_a_stored_result_that_somebody_edited_is_noticed_by_its_digest(
    cast: Cast, version: ModelVersion, now: datetime
) -> None:
    first = queue(version, cast.author, now)
    runs.finish(run=claim(first, now), result=timed(3.0), now=now)
    Run.objects.filter(pk=first.pk).update(result=timed(2.0))
    first.refresh_from_db()
    again = runs.repeat(run=first, by=cast.author, now=now)
    runs.finish(run=claim(again, now), result=timed(2.0), now=now)
    held = stored(again)["equivalence"]
    assert (held["answer"], held["reasons"]) == ("cannot_tell", [runs.EDITED])
    assert events()[-1][3]["answer"] == "cannot_tell"


def test_a_repetition_of_what_measured_nothing_is_held_against_nothing(
    cast: Cast, version: ModelVersion, now: datetime
) -> None:
    first = jobs.cancel(row=queue(version, cast.author, now), by=cast.author, now=now)
    again = runs.repeat(run=first, by=cast.author, now=now)
    assert runs.finish(run=claim(again, now), result=timed(2.0), now=now) is True
    assert (stored(again)["equivalence"], stored(again)["repeats_id"]) == (None, first.pk)


@pytest.mark.parametrize("state", list(UNFINISHED))
def test_an_unfinished_run_is_not_repeated(cast: Cast, version: ModelVersion, now: datetime, state: JobState) -> None:
    run = queue(version, cast.author, now)
    Run.objects.update(state=state)
    run.refresh_from_db()
    with pytest.raises(WrongState, match=f"Run {run.pk} is still {state}; wait for it or cancel it first"):
        runs.repeat(run=run, by=cast.author, now=now)
    assert Run.objects.count() == 1


def test_who_repeats_and_cancels(cast: Cast, version: ModelVersion, now: datetime) -> None:
    ended, waiting = queue(version, cast.author, now), queue(version, cast.author, now, key="s")
    jobs.abandon(row=ended, by=None, now=now)
    before = (list(Run.objects.values()), events())
    for person in set(cast.everybody()) - {cast.author, cast.approver, cast.admin}:
        for action in (partial(runs.repeat, run=ended), partial(jobs.cancel, row=waiting)):
            with pytest.raises(NotAllowed, match="start or stop its benchmarks"):
                action(by=person, now=now)
    assert (list(Run.objects.values()), events()) == before


def test_runs_whose_workers_fell_silent_too_often_are_buried(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run, other = queue(version, cast.author, now), queue(version, cast.author, now, key="s")
    for attempt in range(1, 4):
        assert jobs.mark_dead(model=Run, now=now) == []
        assert claim(run, now).attempts == attempt
        now += 2 * MINUTE
    assert Run.claim(pk=run.pk, now=now, lease=MINUTE) is None
    assert jobs.mark_dead(model=Run, now=now) == [run]
    row = stored(run)
    assert (row["state"], row["finished_at"], row["lease_until"], row["attempts"]) == ("dead", now, None, 3)
    assert row["error"] == "The worker stopped responding 3 times; the model may exhaust the machine."
    assert events()[-1] == ("run.dead", "r", "system", {"attempts": 3})
    assert len(told()) == 1
    assert stored(other)["state"] == "queued"
    assert jobs.mark_dead(model=Run, now=now) == []


@pytest.mark.django_db(transaction=True)
def test_a_run_somebody_holds_is_not_declared_dead_meanwhile(now: datetime) -> None:
    author = make_cast(now=now).author
    run = queue(make_version(by=author, now=now), author, now)
    Run.objects.update(attempts=3, state=JobState.RUNNING, lease_until=now)
    now += MINUTE
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        assert together([partial(jobs.mark_dead, model=Run, now=now)]) == [[]]
    assert jobs.mark_dead(model=Run, now=now) == [run]


def test_a_run_that_died_of_a_known_fault_keeps_its_words(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = queue(version, cast.author, now)
    Run.objects.update(attempts=2)
    assert claim(run, now).hand_back(now=now, error="OSError: the disk is full")
    assert jobs.mark_dead(model=Run, now=now) == [run]
    assert stored(run)["error"] == "OSError: the disk is full"


def test_the_database_refuses_what_no_action_would_write(cast: Cast, version: ModelVersion, now: datetime) -> None:
    run = queue(version, cast.author, now)
    wrong: list[dict[str, Any]] = [
        {"state": "asleep"},
        {"progress": -0.01},
        {"progress": 1.01},
        {"state": "done", "verdict": "valid"},
        {"state": "done", "result": {}},
        {"equivalence": {}},
    ]
    for fields in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(key="r", model_version=version, scenario="x", created_at=now, next_attempt_at=now)


@pytest.mark.django_db(transaction=True)
def test_repeats_at_the_same_moment_share_a_number_or_take_the_next(now: datetime) -> None:
    author = make_cast(now=now).author
    first = queue(make_version(by=author, now=now), author, now)
    first = jobs.cancel(row=first, by=author, now=now)
    found = together([partial(runs.repeat, run=first, by=author, now=now)] * 4)
    assert {each.key for each in found if isinstance(each, Run)} == set(
        Run.objects.exclude(pk=first.pk).values_list("key", flat=True)
    )
    numbers = sorted(Run.objects.exclude(pk=first.pk).values_list("key", flat=True))
    assert numbers == [f"r#{number}" for number in range(2, 2 + len(numbers))]
    assert [kind for kind, *_ in events()].count("run.queued") == 1 + len(numbers)
