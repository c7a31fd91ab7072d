"""Writes of the sandbox: an administrator's choice whether requesters' models may run without bubblewrap."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.models import REASON_CHARS_MAX, SandboxChoice
from benchmarking.runs.rules import check_choose_sandbox
from governance.audit.actions import record as audit
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid


def choose(*, may_skip_bubblewrap: bool, reason: str, by: User, now: datetime) -> SandboxChoice:
    """Allow or forbid runs of requesters' files without bubblewrap; both need a reason."""
    check_choose_sandbox(person_of(by))
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_CHARS_MAX:
        raise Invalid(f"Give a reason of 1 to {REASON_CHARS_MAX} characters for the audit trail.", field="reason")
    with transaction.atomic():
        choice = SandboxChoice.objects.create(
            may_skip_bubblewrap=may_skip_bubblewrap, reason=reason, chosen_by=by, chosen_at=now
        )
        word = "loosened" if may_skip_bubblewrap else "tightened"
        audit.record(kind=f"sandbox.{word}", by=by, subject=("sandbox", "bubblewrap"), reason=reason, now=now)
    return choice
