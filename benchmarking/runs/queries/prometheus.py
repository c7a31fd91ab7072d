"""Prometheus metrics of the benchmarks, and since when due runs wait for a worker."""

from datetime import datetime

from prometheus_client.core import Metric

from benchmarking.runs.models import Run
from governance.jobs.enums import HELD, UNFINISHED, JobState
from governance.operations.queries import ages, attempts, counted, spread

RUNS = "runs"


def families(*, now: datetime) -> list[Metric]:
    """Return all metric families of the benchmarks."""
    rows = Run.objects.order_by()
    unfinished, done = rows.filter(state__in=UNFINISHED), rows.filter(state=JobState.DONE)
    return [
        counted("weighbridge_runs", "Benchmark runs by state.", rows, "state"),
        attempts("weighbridge_run_attempts", "Attempts spent on unfinished runs.", unfinished),
        ages(
            "weighbridge_run_oldest_due_seconds",
            "How long the oldest due run has been waiting for a worker.",
            rows.filter(Run.claimable(now=now)),
            since="next_attempt_at",
            now=now,
        ),
        spread("weighbridge_run_seconds", "Time from queued to done, by scenario.", done, "scenario"),
    ]


def waiting_since(*, now: datetime) -> datetime | None:
    """Return since when the oldest due run waits; None if no run is due or a run is being measured.

    A run that waits for another run to end is not late: one machine measures one model at a time.
    """
    if Run.objects.filter(state__in=HELD, lease_until__gte=now).exists():
        return None
    due = Run.objects.filter(Run.claimable(now=now)).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()
