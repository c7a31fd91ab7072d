"""Figures of the benchmarks for Prometheus, and whether anybody takes what waits."""

from datetime import datetime

from benchmarking.runs.models import Run
from governance.jobs.enums import HELD, UNFINISHED, JobState
from governance.operations.domain.exposition import Family, family, histogram
from governance.operations.queries import ages, attempts, counted, spread

RUNS = "runs"


def families(*, now: datetime) -> list[Family]:
    """Everything the benchmarks can say."""
    rows = Run.objects.order_by()
    due = rows.filter(Run.claimable(now=now))
    unfinished, done = rows.filter(state__in=UNFINISHED), rows.filter(state=JobState.DONE)
    name = "weighbridge_run"
    return [
        family(f"{name}s", "gauge", "Benchmark runs by state.", counted(rows, "state")),
        family(f"{name}_attempts", "gauge", "Attempts spent on unfinished runs.", attempts(unfinished)),
        family(
            f"{name}_oldest_due_seconds",
            "gauge",
            "How long the oldest due run has been left lying.",
            ages(due, since="next_attempt_at", now=now),
        ),
        histogram(f"{name}_seconds", "From asked for to done, by scenario.", spread(done, "scenario")),
    ]


def untaken_since(*, now: datetime) -> datetime | None:
    """Since when the oldest due run waits while nobody measures anything; None while one is measured or none is due.

    A run that waits for another to end is not late: one machine measures one model at a time.
    """
    if Run.objects.filter(state__in=HELD, lease_until__gte=now).exists():
        return None
    due = Run.objects.filter(Run.claimable(now=now)).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()
