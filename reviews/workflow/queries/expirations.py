"""Requests that the tick must expire."""

from datetime import datetime

from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest

WAITING = (RequestState.CLEARED, RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)


def expired_requests(*, now: datetime) -> list[ReviewRequest]:
    """Up to 100 open or cleared requests whose deadline has passed."""
    return list(ReviewRequest.objects.filter(state__in=WAITING, deadline_at__lte=now).order_by("pk")[:100])
