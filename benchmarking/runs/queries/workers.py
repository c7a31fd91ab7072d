"""Reads of workers elsewhere: who calls, the run that one holds, and the fleet."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import F, QuerySet

from benchmarking.runs.models import Run, Worker
from benchmarking.runs.queries.measurements import measurement_of
from benchmarking.runs.queries.runs import of_kind
from benchmarking.runs.rules import check_work
from governance.jobs.enums import HELD, JobState
from governance.jobs.queries import signs
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.queries.people import person_of
from governance.rulebook.domain.benchmark_plans import HardwareClass
from weighbridge.client.worker.measurement import RunOrder
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import NotFound, WrongState

BENCH = "bench."
LOST = {
    JobState.CANCELED: "Run {pk} was canceled.",
    JobState.DEAD: "Run {pk} was marked as dead.",
}
TAKEN = "The lease of run {pk} has lapsed or was given up; another worker may have the run."


@dataclass(frozen=True, kw_only=True)
class WorkerView:
    """A worker as pages and the API show it; `run` is the run that it holds now, None if it holds none."""

    id: int
    name: str
    account: str
    queue: str
    machine: str
    key_id: str
    registered_at: datetime
    last_seen_at: datetime | None
    retired_at: datetime | None
    run: int | None


@dataclass(frozen=True)
class OwnQueue:
    """A queue of benchmarks that workers with access to the database serve, and when one last took a message."""

    queue: str
    last_seen_at: datetime


def calling(*, account: User) -> Worker:
    """The active worker of this account; raises NotAllowed unless the account may do its work now."""
    worker = Worker.objects.filter(account=account, retired_at=None).select_related("account").first()
    check_work(person_of(account), is_registered=worker is not None)
    assert worker is not None  # noqa: S101 -- for the type checker: the check raises otherwise
    return worker


def held_run(*, worker: Worker, run_id: int, lease: int, now: datetime, is_locked: bool = False) -> Run:
    """The run that the worker holds under this lease; raises NotFound, or WrongState once the lease is lost."""
    run = claimed_run(worker=worker, run_id=run_id, is_locked=is_locked)
    is_own = run.worker_fence == run.fence == lease and run.state in HELD
    if not is_own or run.lease_until is None or run.lease_until < now:
        raise WrongState(LOST.get(JobState(run.state), TAKEN).format(pk=run.pk), code="lease_lost")
    return run


def claimed_run(*, worker: Worker, run_id: int, is_locked: bool = False) -> Run:
    """The run, if this worker was the last elsewhere to claim it; raises NotFound, as for a run that does not exist."""
    rows = Run.objects.select_related("model_version", "dataset", "repeats", "worker").filter(worker=worker, pk=run_id)
    run = (rows.select_for_update(of=("self",)) if is_locked else rows).first()
    if run is None:
        raise NotFound(f"This worker holds no run {run_id}.")
    return run


def run_in_hand(*, worker: Worker, now: datetime) -> Run | None:
    """The run whose lease this worker holds now, if any."""
    return _in_hand(now=now).filter(worker=worker).first()


def is_run_waiting(*, worker: Worker, now: datetime) -> bool:
    """Whether a run of its queue is due."""
    return Run.objects.filter(Run.claimable(now=now), of_kind(HardwareClass(worker.queue))).exists()


def order_of(*, run: Run, lease_s: float) -> RunOrder:
    """What the worker that has just claimed the run is told; raises Refused if nobody can measure it."""
    return RunOrder(run=run.pk, key=run.key, lease=run.fence, lease_s=lease_s, measurement=measurement_of(run))


def check_file(*, run: Run, digest: str) -> None:
    """Raise NotFound unless the file belongs to the run."""
    if not is_digest(digest) or digest not in measurement_of(run).files:
        raise NotFound(f"Run {run.pk} needs no file {digest[:80]}.")


def fleet(*, now: datetime) -> list[WorkerView]:
    """All workers elsewhere: the active ones by name, then the retired ones."""
    held = dict(_in_hand(now=now).values_list("worker_id", "pk"))
    rows = Worker.objects.select_related("account").order_by(F("retired_at").desc(nulls_first=True), "name", "pk")
    return [_view(row, held.get(row.pk)) for row in rows]


def describe(worker: Worker, *, now: datetime) -> WorkerView:
    """One worker."""
    held = run_in_hand(worker=worker, now=now)
    return _view(worker, held.pk if held else None)


def own_queues() -> list[OwnQueue]:
    """The queues that workers with access to the database serve."""
    return [OwnQueue(queue.removeprefix(BENCH), at) for queue, at in signs().items() if queue.startswith(BENCH)]


def find(*, worker_id: int) -> Worker:
    """The worker; raises NotFound if there is none."""
    row = Worker.objects.filter(pk=worker_id).first()
    if row is None:
        raise NotFound(f"There is no worker {worker_id}.")
    return row


def proposed() -> QuerySet[Change]:
    """The open proposals to register a worker."""
    return Change.objects.filter(kind=Changed.WORKER, state=ChangeState.PENDING).order_by("pk")


def _in_hand(*, now: datetime) -> QuerySet[Run]:
    return Run.objects.filter(state__in=HELD, lease_until__gte=now, worker_fence=F("fence")).order_by("pk")


def _view(row: Worker, run: int | None) -> WorkerView:
    return WorkerView(
        id=row.pk,
        name=row.name,
        account=row.account.username,
        queue=row.queue,
        machine=row.machine,
        key_id=row.key_id,
        registered_at=row.registered_at,
        last_seen_at=row.last_seen_at,
        retired_at=row.retired_at,
        run=run,
    )
