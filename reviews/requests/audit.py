"""Record audit events of requests, and move requests to a new state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.requests.domain.lifecycle import RequestState, check_transition
from reviews.requests.models import ReviewRequest


def record(
    *,
    kind: str,
    request: ReviewRequest,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an audit event about a request."""
    audit.record(kind=kind, by=by, subject=("request", request.ref), details=details, reason=reason, now=now)


def move(*, request: ReviewRequest, target: RequestState, by: User | None, now: datetime, reason: str = "") -> None:
    """Move a locked request to `target` and record it. Raises WrongState if the transition table has no such step."""
    source = RequestState(request.state)
    check_transition(source=source, target=target)
    request.state = target
    request.save(update_fields=["state"])
    details = {"before": source.value, "after": target.value, "revision": request.revision}
    record(kind=f"request.{target.value}", request=request, by=by, now=now, details=details, reason=reason)
