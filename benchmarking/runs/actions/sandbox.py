"""Writes of the sandbox: whether requesters' models may run without bubblewrap, which two administrators allow."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.models import SandboxChoice
from benchmarking.runs.queries.sandbox import check_not_chosen
from benchmarking.runs.rules import check_choose_sandbox
from governance.audit.actions import record as audit
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of

ONE_SANDBOX = 0  # there is one choice for the installation


def choose(*, may_skip_bubblewrap: bool, reason: str, by: User, now: datetime) -> SandboxChoice | Change:
    """Forbid runs of requesters' files without bubblewrap, or propose to allow them. Both need a reason."""
    check_choose_sandbox(person_of(by))
    check_reason(reason)
    if not may_skip_bubblewrap:
        return _choose(reason=reason, may_skip_bubblewrap=False, by=by, now=now)
    description = "Allow runs of files from requesters without bubblewrap"
    change = Change(kind=Changed.SANDBOX, subject_id=ONE_SANDBOX, description=description)
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _choose(*, may_skip_bubblewrap: bool, reason: str, by: User, now: datetime) -> SandboxChoice:
    with transaction.atomic():
        choice = SandboxChoice.objects.create(
            may_skip_bubblewrap=may_skip_bubblewrap, reason=reason.strip(), chosen_by=by, chosen_at=now
        )
        word = "loosened" if may_skip_bubblewrap else "tightened"
        audit.record(kind=f"sandbox.{word}", by=by, subject=("sandbox", "bubblewrap"), reason=choice.reason, now=now)
    return choice


register(
    binding(
        name=Changed.SANDBOX,
        noun="a change of the sandbox",
        may_propose=lambda person, _: check_choose_sandbox(person),
        check=lambda _: check_not_chosen(),
        apply=lambda change, by, now: _choose(may_skip_bubblewrap=True, reason=change.reason, by=by, now=now),
        done="confirmed. It applies to all runs that start from now on.",
    )
)
