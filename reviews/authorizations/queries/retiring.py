"""Authorizations of what a vendor retires, and of what was made from it."""

from collections.abc import Collection
from datetime import date, datetime

from django.db.models import QuerySet

from governance.inventory.domain.retirement import end_of
from reviews.authorizations.domain.authorization_states import AUTHORIZATION_TERMINAL
from reviews.authorizations.models import Authorization
from weighbridge.core.errors import WrongState

RETIRED = "The vendor retired this model, or a part of it, on {day}."


def living_authorizations(digests: Collection[str]) -> QuerySet[Authorization]:
    """The authorizations of these digests that have not ended, with their requests, oldest first."""
    rows = Authorization.objects.filter(subject_digest__in=list(digests)).exclude(state__in=AUTHORIZATION_TERMINAL)
    return rows.select_related("decision__request__model_version__asset__owner").order_by("pk")


def check_not_retired(day: date | None, *, now: datetime) -> None:
    """Raise WrongState on the day of retirement and after it."""
    if day is not None and end_of(day) <= now:
        raise WrongState(f"{RETIRED.format(day=day)} File a request for what replaces it.", code="retired")
