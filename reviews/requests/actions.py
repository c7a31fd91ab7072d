"""Move requests to a new state."""

from datetime import datetime

from django.contrib.auth.models import User

from reviews.requests.audit import record
from reviews.requests.domain.lifecycle import RequestState, check_transition
from reviews.requests.models import ReviewRequest


def move(*, request: ReviewRequest, target: RequestState, by: User | None, now: datetime, reason: str = "") -> None:
    """Move a locked request to `target` and record it. Raises WrongState if the transition table has no such step."""
    source = RequestState(request.state)
    check_transition(source=source, target=target)
    request.state = target
    request.save(update_fields=["state"])
    details = {"before": source.value, "after": target.value, "revision": request.revision}
    record(kind=f"request.{target.value}", request=request, by=by, now=now, details=details, reason=reason)
