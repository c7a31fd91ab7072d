"""Authorizations of what a vendor retires, and of what was made from it."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from governance.inventory.domain.retirement import end_of
from governance.inventory.models import ModelVersion
from governance.inventory.queries import retirement_day
from reviews.authorizations.domain.authorization_states import AUTHORIZATION_TERMINAL
from reviews.authorizations.models import Authorization
from weighbridge.core.errors import WrongState

RETIRED = "The vendor retired this model, or a part of it, on {day}."


def living_authorizations(digests: Collection[str]) -> QuerySet[Authorization]:
    """The authorizations of these digests that have not ended, with their requests, oldest first."""
    rows = Authorization.objects.filter(subject_digest__in=list(digests)).exclude(state__in=AUTHORIZATION_TERMINAL)
    return rows.select_related("decision__request__model_version__asset__owner").order_by("pk")


def end_by(version: ModelVersion, *, days: int, now: datetime) -> datetime:
    """The end of a permission: after so many days, or when a vendor retires the version or a part of it, if earlier.

    Raises WrongState if it is retired already.
    """
    day = retirement_day(version)
    check_not_retired(day, now=now)
    term = now + timedelta(days=days)
    return term if day is None else min(term, end_of(day))


def check_not_retired(day: date | None, *, now: datetime) -> None:
    """Raise WrongState on the day of retirement and after it."""
    if day is not None and end_of(day) <= now:
        raise WrongState(f"{RETIRED.format(day=day)} File a request for what replaces it.", code="retired")
