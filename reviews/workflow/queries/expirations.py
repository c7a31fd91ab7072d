"""What the tick finds due in reviews."""

from datetime import datetime

from reviews.requests.domain.lifecycle import State
from reviews.requests.models import ReviewRequest

WAITING = (State.CLEARED, State.EVIDENCE, State.IN_REVIEW, State.CHANGES_REQUESTED)


def lapsed(*, now: datetime) -> list[ReviewRequest]:
    """Requests whose deadline passed while they waited for somebody, and clearances that have run out."""
    return list(ReviewRequest.objects.filter(state__in=WAITING, deadline_at__lte=now).order_by("pk")[:100])
