"""What reviews record: moving a request by the transition table, and the event that goes with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.requests.domain.lifecycle import EDITABLE_STATES, State, check_transition
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import WrongState


def record(
    *,
    kind: str,
    request: ReviewRequest,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an event about a request."""
    audit.record(kind=kind, by=by, subject=("request", request.ref), details=details, reason=reason, now=now)


def move(*, request: ReviewRequest, target: State, by: User | None, now: datetime, reason: str = "") -> None:
    """Move a locked request to `target`, if the table has the step, and record it."""
    source = State(request.state)
    check_transition(source=source, target=target)
    request.state = target
    request.save(update_fields=["state"])
    details = {"before": source.value, "after": target.value, "revision": request.revision}
    record(kind=f"request.{target.value}", request=request, by=by, now=now, details=details, reason=reason)


def check_editable(request: ReviewRequest) -> None:
    """Raise unless figures and answers may be written in this state."""
    state = State(request.state)
    if state not in EDITABLE_STATES:
        hint = "Revise it first, which voids the votes." if state in {State.IN_REVIEW, State.CHANGES_REQUESTED} else ""
        raise WrongState(f"The request is {state.words}, so its evidence cannot be edited. {hint}".strip())
