"""Save a view, and remove it."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.saved_views.domain import LISTS, VIEWS_MAX, check_view, filters_of
from governance.saved_views.models import SavedView
from governance.saved_views.rules import check_open_list, check_remove_view, check_share_view
from weighbridge.core.errors import Invalid


def save_view(
    *, list_name: str, name: str, filters: str, team: Team | None = None, by: User, now: datetime
) -> SavedView:
    """Save the filters of a list under a name: a query string, as in the address of the list."""
    check_open_list(person_of(by), list_name=list_name)
    if team is not None:
        check_share_view(person_of(by), team=team.slug)
    name, filters = " ".join(name.split()), filters_of(filters)
    check_view(list_name=list_name, name=name, filters=filters)
    with transaction.atomic():
        owned = SavedView.objects.filter(owner=User.objects.select_for_update(no_key=True).get(pk=by.pk))
        if owned.count() >= VIEWS_MAX:
            raise Invalid(f"You have {VIEWS_MAX} saved views. Remove one first.")
        if owned.filter(list_name=list_name, name=name).exists():
            raise Invalid(f"You have a view “{name}” of {LISTS[list_name]}. Choose another name.", field="name")
        row = SavedView.objects.create(
            owner=by, team=team, list_name=list_name, name=name, filters=filters, saved_at=now
        )
        _record("saved", row, by, now)
    return row


def remove_view(*, view: SavedView, by: User, now: datetime) -> None:
    """Remove a view, for everybody with whom it was shared too."""
    check_remove_view(person_of(by), owner_id=view.owner_id)
    with transaction.atomic():
        deleted, _ = SavedView.objects.filter(pk=view.pk).delete()
        if deleted:
            _record("removed", view, by, now)


def _record(word: str, row: SavedView, by: User, now: datetime) -> None:
    details = {
        "list": row.list_name,
        "name": row.name,
        "filters": row.filters,
        "team": row.team.slug if row.team else "",
        "owner": row.owner.username,
    }
    audit.record(kind=f"saved_view.{word}", by=by, subject=("person", row.owner.username), details=details, now=now)
