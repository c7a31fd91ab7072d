"""The write of the sandbox: an administrator's choice whether strangers' models may be measured with fewer walls."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.models import REASON_CHARS_MAX, SandboxChoice
from benchmarking.runs.rules import check_choose_sandbox
from governance.audit.actions import record as audit
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid


def choose(*, may_go_without: bool, reason: str, by: User, now: datetime) -> SandboxChoice:
    """Let files of requesters be measured without bubblewrap, or no longer; a reason is asked for either way."""
    check_choose_sandbox(person_of(by))
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_CHARS_MAX:
        raise Invalid(f"Say why, in 1 to {REASON_CHARS_MAX} characters; the trail keeps it.", field="reason")
    with transaction.atomic():
        choice = SandboxChoice.objects.create(may_go_without=may_go_without, reason=reason, chosen_by=by, chosen_at=now)
        word = "loosened" if may_go_without else "tightened"
        audit.record(kind=f"sandbox.{word}", by=by, subject=("sandbox", "bubblewrap"), reason=reason, now=now)
    return choice
