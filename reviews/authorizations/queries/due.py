"""Which authorizations are due: past their end, with an overdue condition, or near their end."""

from datetime import datetime

from django.db.models import QuerySet

from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import IS_IN_FORCE, LIVING, OPEN_CONDITION, Authorization


def due_authorizations(*, now: datetime) -> list[QuerySet[Authorization]]:
    """Those that expire, those that are suspended, and those whose end is announced; due longest first."""
    rows = Authorization.objects.order_by()
    valid = rows.filter(expires_at__gt=now)
    return [
        rows.filter(LIVING, expires_at__lte=now).order_by("expires_at", "pk"),
        valid.filter(IS_IN_FORCE, suspends_on__lt=now.date()).order_by("suspends_on", "pk"),
        valid.filter(state=AuthorizationState.ACTIVE, warn_at__lte=now).order_by("warn_at", "pk"),
    ]


def due_transition(row: Authorization, *, now: datetime) -> tuple[AuthorizationState | None, str]:
    """The next state of one that has not ended, with the reason as a sentence; None if it stays as it is."""
    if row.expires_at <= now:
        return AuthorizationState.EXPIRED, "Its validity has ended."
    if row.state in IN_FORCE and has_overdue(row, now=now):
        return AuthorizationState.SUSPENDED, "A condition is overdue."
    if row.state == AuthorizationState.ACTIVE and row.warn_at <= now:
        return AuthorizationState.PENDING_EXPIRATION, f"It expires on {row.expires_at:%Y-%m-%d}."
    return None, ""


def has_overdue(row: Authorization, *, now: datetime) -> bool:
    """Whether an open condition was due on an earlier day."""
    return row.conditions.filter(OPEN_CONDITION, due_on__lt=now.date()).exists()
