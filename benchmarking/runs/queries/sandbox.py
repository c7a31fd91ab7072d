"""Reads of the sandbox: the administrators' choices, and the isolation that the latest runs used."""

from django.contrib.auth.models import User

from benchmarking.runs.domain.alternatives import wanted_from
from benchmarking.runs.models import Run, SandboxChoice
from benchmarking.runs.queries.runs import rivals_of
from benchmarking.runs.rules import needs_wall
from governance.jobs.enums import JobState
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.queries.people import person_of
from weighbridge.core.errors import WrongState

LATEST = 10


def choices() -> list[SandboxChoice]:
    """Return the latest choices, newest first."""
    return list(SandboxChoice.objects.select_related("chosen_by").order_by("-pk")[:LATEST])


def may_skip_bubblewrap() -> bool:
    """Whether requesters' files may run without bubblewrap. False unless an administrator chose otherwise."""
    latest = SandboxChoice.objects.order_by("-pk").values_list("may_skip_bubblewrap", flat=True).first()
    return bool(latest)


def check_not_chosen() -> None:
    """Raise WrongState if runs without bubblewrap are already allowed."""
    if may_skip_bubblewrap():
        raise WrongState("Runs without bubblewrap are already allowed.", code="no_change")


def proposed() -> Change | None:
    """The open proposal to allow runs without bubblewrap, if any."""
    return Change.objects.filter(kind=Changed.SANDBOX, state=ChangeState.PENDING).first()


def is_wall_needed(run: Run) -> bool:
    """Whether this run requires bubblewrap: somebody who is not trusted uploaded one of its files."""
    rivals = rivals_of(wanted_from(run.plan)) if run.plan.get("rivals") else []
    versions = [run.model_version, *(version for _, version in rivals)]
    ids = {row.registered_by_id for row in (*versions, run.dataset) if row is not None}
    # Not the password: the database does not show it to a benchmark worker.
    users = {user.pk: user for user in User.objects.defer("password").filter(pk__in=ids)}
    return needs_wall([person_of(users[pk]) for pk in sorted(ids)], may_skip_bubblewrap=may_skip_bubblewrap())


def last_layers() -> tuple[str, ...]:
    """Return the distinct isolation layers that the latest results report."""
    rows = Run.objects.filter(state=JobState.DONE).order_by("-finished_at")
    isolations = rows.values_list("result__manifest__isolation", flat=True)[:LATEST]
    return tuple(dict.fromkeys(str(layers) for layers in isolations if layers))
