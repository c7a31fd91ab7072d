"""What the tick finds due in reviews."""

from datetime import datetime

from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest

WAITING = (RequestState.CLEARED, RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)


def expired_requests(*, now: datetime) -> list[ReviewRequest]:
    """Requests whose deadline passed while they waited for somebody, and clearances that have run out."""
    return list(ReviewRequest.objects.filter(state__in=WAITING, deadline_at__lte=now).order_by("pk")[:100])
