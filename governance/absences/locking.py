"""Lock absences, so that a right of a deputy does not end between its check and its use."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from governance.absences.models import Absence
from governance.absences.queries import in_force


def lock_people(users: Iterable[User]) -> None:
    """Lock the accounts, always in the same order, so that two absences of them are stated one after the other."""
    ids = [user.pk for user in users]
    list(User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def lock_deputy(deputy: User, *, now: datetime) -> None:
    """Lock the absences in which the user is the deputy. Whoever ends one waits until the transaction ends."""
    rows = in_force(now=now).filter(deputy=deputy).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def lock(absence: Absence) -> Absence:
    """Lock the row until the transaction ends, and return its current state."""
    related = ("person", "deputy", "stated_by", "change")
    return Absence.objects.select_for_update(of=("self",)).select_related(*related).get(pk=absence.pk)
