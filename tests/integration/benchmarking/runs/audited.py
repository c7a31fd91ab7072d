"""How to call every write of runs, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from benchmarking.runs.actions import datasets, elsewhere, runs, sandbox, workers
from benchmarking.runs.models import Run
from governance.jobs import actions as jobs
from tests.factories.models import make_dataset, make_version, new_dataset
from tests.factories.people import Cast
from tests.factories.requests import result_of
from tests.factories.workers import Elsewhere, make_worker, measured, new_worker
from weighbridge.client.worker.measurement import RunOrder
from weighbridge.client.worker.statement import sign_statement, statement_of
from weighbridge.core import attestation

Call = Callable[[Cast, datetime], object]
REASON = "It is needed for this test."
MINUTE = timedelta(minutes=1)
PLAN = {"scenario": "SingleStream", "min_samples": 700}


def _queued(cast: Cast, now: datetime) -> Run:
    version = make_version(by=cast.author, now=now)
    return runs.queue(key="r", version=version, dataset=None, plan=PLAN, asked_for="", by=cast.author, now=now)


def _held(cast: Cast, now: datetime) -> Run:
    held = Run.claim(pk=_queued(cast, now).pk, now=now, lease=MINUTE)
    assert held is not None
    return held


def _taken(cast: Cast, now: datetime) -> tuple[Elsewhere, RunOrder]:
    """A run in the hand of a worker elsewhere."""
    _queued(cast, now)
    rack = make_worker(cast=cast, now=now)
    order = elsewhere.claim(at=now, by=rack.account, now=now)
    assert order is not None
    return rack, order


def _end_elsewhere(cast: Cast, now: datetime, end: Callable[..., Run], **fields: object) -> Run:
    rack, order = _taken(cast, now)
    return end(run_id=order.run, lease=order.lease, by=rack.account, now=now, **fields)


def _finish_elsewhere(cast: Cast, now: datetime) -> Run:
    rack, order = _taken(cast, now)
    result = measured(order, at=now)
    envelope = sign_statement(statement_of(order, result), private_key_pem=rack.key_pem)
    return elsewhere.finish(
        run_id=order.run, lease=order.lease, envelope=envelope, result=result, by=rack.account, now=now
    )


def _propose_worker(cast: Cast, now: datetime) -> object:
    entry = new_worker(User.objects.create_user("worker"), attestation.new_key_pem())
    return workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)


def _repeat(cast: Cast, now: datetime) -> None:
    ended = jobs.cancel(row=_queued(cast, now), by=cast.author, now=now)
    runs.repeat(run=ended, by=cast.author, now=now)


def _bury_run(cast: Cast, now: datetime) -> None:
    _held(cast, now)
    Run.objects.update(attempts=3)
    jobs.mark_dead(model=Run, now=now + 2 * MINUTE)


ACTIONS: Mapping[str, Call] = {
    "benchmarking.runs.actions.datasets.register": lambda cast, now: datasets.register(
        entry=new_dataset(), by=cast.author, now=now
    ),
    "benchmarking.runs.actions.datasets.propose": lambda cast, now: datasets.propose(
        dataset=make_dataset(by=cast.author, now=now, is_governed=False), reason=REASON, by=cast.author, now=now
    ),
    "benchmarking.runs.actions.datasets.govern": lambda cast, now: make_dataset(by=cast.author, now=now),
    "benchmarking.runs.actions.datasets.retire": lambda cast, now: datasets.retire(
        dataset=make_dataset(by=cast.author, now=now), reason=REASON, by=cast.steward, now=now
    ),
    "benchmarking.runs.actions.sandbox.choose": lambda cast, now: sandbox.choose(
        may_skip_bubblewrap=True, reason="A container of its own.", by=cast.admin, now=now
    ),
    "benchmarking.runs.actions.workers.propose": _propose_worker,
    "benchmarking.runs.actions.workers.retire": lambda cast, now: workers.retire(
        worker=make_worker(cast=cast, now=now).worker, reason=REASON, by=cast.admin, now=now
    ),
    "benchmarking.runs.actions.elsewhere.claim": _taken,
    "benchmarking.runs.actions.elsewhere.finish": _finish_elsewhere,
    "benchmarking.runs.actions.elsewhere.fail": lambda cast, now: _end_elsewhere(
        cast, now, elsewhere.fail, reason="It crashed."
    ),
    "benchmarking.runs.actions.elsewhere.hand_back": lambda cast, now: _end_elsewhere(
        cast, now, elsewhere.hand_back, reason="No room.", is_stopped=False
    ),
    "benchmarking.runs.actions.runs.queue": _queued,
    "benchmarking.runs.actions.runs.repeat": _repeat,
    "benchmarking.runs.actions.runs.finish": lambda cast, now: runs.finish(
        run=_held(cast, now), result=result_of(), now=now
    ),
}

JOBS: Mapping[str, Call] = {
    "run.canceled": lambda cast, now: jobs.cancel(row=_queued(cast, now), by=cast.author, now=now),
    "run.failed": lambda cast, now: jobs.fail(row=_held(cast, now), reason="It crashed.", now=now),
    "run.dead": _bury_run,
}
