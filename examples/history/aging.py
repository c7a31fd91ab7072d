"""Lets time pass on the recording: what is old has ended, by the code that ends it."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import QuerySet

from reviews.authorizations.models import Authorization
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations, requests
from weighbridge.core.errors import WrongState

SOON = timedelta(minutes=1)


def let_a_year_pass(now: datetime) -> None:
    """Expire the authorizations and the requests that end within a year, each at its time."""
    until = now + timedelta(days=365)
    for at in _moments(Authorization.objects.all(), "warn_at", until) + _moments(
        Authorization.objects.all(), "expires_at", until
    ):
        authorizations.expire_due(now=at + SOON)
    for request in ReviewRequest.objects.order_by("deadline_at").exclude(deadline_at=None):
        if request.grace_ends_at is not None and request.grace_ends_at < until:
            with suppress(WrongState):
                requests.expire(request=request, now=request.grace_ends_at + SOON)


def _moments(rows: QuerySet[Authorization], name: str, until: datetime) -> list[datetime]:
    chosen = rows.filter(**{f"{name}__lt": until})
    return sorted(set(chosen.values_list(name, flat=True)))
