"""Notifications about runs, made where the end of a run is delivered: workers of benchmarks may not write them."""

from datetime import datetime

from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import find
from governance.jobs.enums import ENDED_BADLY, JobState
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.notifications.queries.relevance import found_at, number_in

found_at("runs", find=lambda rest, person: find(run_id=number_in(rest), person=person))


def notify_of_end(*, run: Run, now: datetime) -> None:
    """Tell whoever started a run that it failed. A canceled run was ended by a person, who knows."""
    if run.state not in ENDED_BADLY or run.state == JobState.CANCELED:
        return
    event = Occurrence(
        kind="failed",
        key=f"run:{run.pk}:{run.fence}",
        reference=f"Run {run.pk}",
        path=f"/runs/{run.pk}/",
        sentence=f"The benchmark of {run.model_version} failed: {run.error}",
        team=run.model_version.asset.team.slug,
    )
    notify(event=event, people=[run.started_by] if run.started_by else [], now=now)
