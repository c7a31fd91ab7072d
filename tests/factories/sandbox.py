"""Runs without bubblewrap, allowed by two administrators."""

from datetime import datetime

from django.contrib.auth.models import User

from benchmarking.runs.actions import sandbox
from benchmarking.runs.models import SandboxChoice
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from tests.factories.people import make_person

WHY = "A container of its own."


def allow_any_walls(*, by: User, now: datetime) -> SandboxChoice:
    """The administrator proposes, and another one, who is made here if there is none, confirms."""
    second = User.objects.filter(username="second.admin").first() or make_person("second.admin", Role.ADMIN, now=now)
    change = sandbox.choose(may_skip_bubblewrap=True, reason=WHY, by=by, now=now)
    assert isinstance(change, Change)
    approvals.confirm(change=change, by=second, now=now)
    return SandboxChoice.objects.latest("pk")
