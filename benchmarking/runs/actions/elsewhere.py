"""Writes of workers on other machines, through the API. Each checks the lease under which the worker calls.

A call that is repeated because its answer was lost has one effect. A result that is refused moves nothing: the worker
may send another one, give the run back, or let its lease lapse.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import runs
from benchmarking.runs.domain.worker_results import Assignment, check_clock, check_result
from benchmarking.runs.models import Run, Worker
from benchmarking.runs.queries.runs import of_kind
from benchmarking.runs.queries.workers import calling, claimed_run, held_run, order_of, run_in_hand
from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.kinds import backoff, kind_of
from governance.rulebook.domain.benchmark_plans import HardwareClass
from weighbridge.client.feed.verdicts import plain_text
from weighbridge.client.worker.measurement import RunOrder
from weighbridge.client.worker.statement import checked_envelope, statement_of
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Refused, WrongState

BATCH = 20


def claim(*, at: datetime, by: User, now: datetime) -> RunOrder | None:
    """Claim the oldest due run of the queue of this worker; None if there is none. `at` is the worker's clock.

    A worker holds one run at a time, because two measurements on one machine disturb each other. Runs that nobody can
    measure fail on the way.
    """
    with transaction.atomic():
        worker = Worker.objects.select_for_update(of=("self",)).get(pk=calling(account=by).pk)
        check_clock(at, now=now)
        held = run_in_hand(worker=worker, now=now)
        if held is not None:
            text = f"The worker {worker} holds run {held.pk}. End it, give it back, or wait until its lease lapses."
            raise WrongState(text, code="holds_run")
        worker.show_sign(now=now)
        for due in Run.due(now=now, limit=BATCH, among=of_kind(HardwareClass(worker.queue))):
            order = _claim(worker, due.pk, by, now)
            if order is not None:
                return order
    return None


def finish(
    *, run_id: int, lease: int, envelope: Mapping[str, Any], result: dict[str, Any], by: User, now: datetime
) -> Run:
    """Store a result that the key of this worker signed for this lease; the same result again has no effect.

    Raises WrongState once the lease is lost, and Invalid for another signature, run, plan, data or form.
    """
    with transaction.atomic():
        worker = calling(account=by)
        ended = _ended(worker, run_id, lease, JobState.DONE)
        if ended is not None and ended.result_digest == digest_of(result):
            return ended
        run = held_run(worker=worker, run_id=run_id, lease=lease, now=now, is_locked=True)
        order = order_of(run=run, lease_s=0.0)
        stated = statement_of(order, result)
        signed = checked_envelope(envelope, expected=stated, public_key_pem=worker.public_key)
        assigned = Assignment(measurement=order.measurement, claimed_at=run.claimed_at or now, ended_at=now)
        check_result(result, assigned)
        worker.show_sign(now=now)
        runs.finish(run=run, result=result, signed_result=signed, by=by, now=now)
    return run


def fail(*, run_id: int, lease: int, reason: str, by: User, now: datetime) -> Run:
    """End the run because its model cannot be measured, with the reason; again, it has no effect."""
    with transaction.atomic():
        worker = calling(account=by)
        ended = _ended(worker, run_id, lease, JobState.FAILED)
        if ended is not None:
            return ended
        run = held_run(worker=worker, run_id=run_id, lease=lease, now=now, is_locked=True)
        worker.show_sign(now=now)
        jobs.fail(row=run, reason=plain_text(reason), by=by, now=now)
        run.refresh_from_db()
    return run


def hand_back(*, run_id: int, lease: int, reason: str, is_stopped: bool, by: User, now: datetime) -> Run:
    """Give the run back to the queue; again, it has no effect. A worker that `is_stopped` uses up no attempt."""
    with transaction.atomic():
        worker = calling(account=by)
        ended = _ended(worker, run_id, lease, JobState.QUEUED)
        if ended is not None:
            return ended
        run = held_run(worker=worker, run_id=run_id, lease=lease, now=now, is_locked=True)
        worker.show_sign(now=now)
        words = plain_text(reason)
        if is_stopped:
            run.hand_back(now=now, error=words, attempts=run.attempts - 1)
        else:
            run.hand_back(now=now, error=words, wait=backoff(run.attempts))
        run.refresh_from_db()
        _record("handed_back", run, worker, by, now, {"is_stopped": is_stopped, "reason": words})
        jobs.wake_for(row=run)
    return run


def _claim(worker: Worker, pk: int, by: User, now: datetime) -> RunOrder | None:
    run = jobs.claim(model=Run, pk=pk, now=now)
    if run is None:
        return None
    try:
        order = order_of(run=run, lease_s=kind_of(Run).lease().total_seconds())
    except Refused as failure:
        jobs.fail(row=run, reason=failure.reason, now=now)
        return None
    except Exception as error:  # noqa: BLE001 -- a run that cannot be described must not block the queue
        jobs.put_back(row=run, error=error, now=now)
        return None
    run.give_to(worker, now=now)
    _record("claimed", run, worker, by, now, {"lease": run.fence, "attempt": run.attempts})
    return order


def _ended(worker: Worker, run_id: int, lease: int, state: JobState) -> Run | None:
    """The run, if this lease has ended in this state already."""
    run = claimed_run(worker=worker, run_id=run_id, is_locked=True)
    return run if run.worker_fence == run.fence == lease and run.state == state else None


def _record(step: str, run: Run, worker: Worker, by: User, now: datetime, details: dict[str, Any]) -> None:
    named = {"worker": worker.name, "key_id": worker.key_id}
    audit.record(kind=f"run.{step}", by=by, subject=("run", run.key), details=named | details, now=now)
